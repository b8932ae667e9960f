"""What report.html and report.md tell of a soak: a line a phase and workload, a line a detector."""

from __future__ import annotations

import re
from html import unescape

import pytest

from seatrial.checks.areas.soak import worsening
from seatrial.detectors import showing
from seatrial.detectors.words import NOT_TESTED, Call, Detector, Sighting
from seatrial.records import Outcome
from seatrial.report.allure import page
from seatrial.report.markdown import render
from seatrial.report.run import Report
from seatrial.report.soak import words
from tests.report.sample import HOSTILE, NAME, case
from tests.report.soak.nights import night, row


def cells(html: str, first: str) -> list[str]:
    """The cells of the row whose heading begins so."""
    found = re.search(rf"<tr[^>]*><th scope='row'>(?:<b>)?{re.escape(first)}.*?</tr>", html)
    assert found is not None, first
    return [unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", found[0])]


def test_a_line_of_each_phase_and_of_each_workload_in_it(calm):
    html = page.section(Report(night(calm)), {})
    told = html.partition("Soak by phase and workload")[2]
    names = re.findall(r"<th>([^<]*)</th>", told.partition("</tr>")[0])
    closed = dict(zip(names[1:], cells(told, "closed, 1 min 40 s"), strict=True))
    assert closed == {
        "requests": "100", "lost": "0", "dropped": "0", "TTFT p50 s": "0.200", "TTFT p99 s": "0.200",
        "p99 of sending s": "0.200", "TPOT p50 s": "0.010", "TPOT p99 s": "0.010", "gap s": "0.030",
        "goodput /s": "1.00", "disowned": "0",
    }  # fmt: skip
    assert cells(told, "agent")[0] == cells(told, "chat")[0] == "50"
    opened = dict(zip(names[1:], cells(told, "open at 1/s"), strict=True))
    assert opened["requests"] == "203"
    assert (opened["lost"], opened["dropped"], opened["disowned"]) == ("3", "3", "3 (15 tokens)")
    assert opened["TTFT p99 s"] == "beyond 10.200"
    assert "<dt>disowned tokens</dt><dd>15 tokens of 3 answers (3 sse_error)</dd>" in html
    assert re.search(r"<dt>energy</dt><dd>[0-9.]+ J a token", html)


def test_each_detector_has_a_line_with_what_it_sees_and_how_small(calm):
    html = page.section(Report(night(calm, seconds=900)), {})
    for detector in Detector:
        looked, word, seen, smallest = cells(html.partition("What gets worse")[2], str(detector))
        assert looked == showing.LOOKED_AT[detector]
        assert word in {"nothing seen", "not tested"}
        assert seen
        assert smallest
    _, word, seen, smallest = cells(html, "memory")
    assert (word, smallest) == ("nothing seen", "256 MB/h")
    assert seen.endswith(" MB over 0.2 h (95 %)")
    assert cells(html, "latency")[1:] == ["not tested", "nothing tells it", "no canary was sent"]


@pytest.mark.parametrize("word", Call)
def test_whatever_became_of_a_look_stands_in_its_line(calm, monkeypatch, word):
    looked = {each: Sighting(each, word, "got", "not tested: why") for each in Detector}
    monkeypatch.setattr(worsening, "seen", lambda run, expect: looked)
    html = page.section(Report(night(calm, seconds=900)), {})
    told = cells(html, "decode")[1]
    assert (told == "not tested") == (word in NOT_TESTED)
    assert (told == "nothing seen") == (word is Call.CLEAR)


def test_the_case_of_a_detector_is_linked_with_its_outcome(calm):
    judged = night(calm, seconds=900)
    found = case("soak/memory-does-not-grow", "closed", Outcome.FAIL, suite="soak")
    lost = case("soak/threads-do-not-grow", "closed", Outcome.INCONCLUSIVE, suite="soak", why="requests left late")
    judged = type(judged)(**{**vars(judged), "cases": (found, lost)})
    html = page.section(Report(judged), {found.case: "a1"})
    line = re.search(r"<tr[^>]*><th scope='row'><a href=\"#a1\".*?</tr>", html)
    assert line is not None
    assert "<span class='st-w-fail'>FAIL</span>" in line[0]
    assert cells(html, "threads")[1] == "no verdict INCONCLUSIVE"
    assert cells(html, "threads")[2].endswith("; requests left late")


def test_markdown_has_both_tables_and_nothing_leaves_its_cell(calm):
    bad = f"a|b`{HOSTILE}"
    text = render(Report(night(calm, workload=bad)))
    table = text.partition("## Soak of `8080`")[2]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in rows[:6]}
    assert len(widths) == 1
    assert "\x1b" not in text
    assert any(line.startswith("| memory | RSS and swap of its processes | **") for line in rows)


def test_hostile_names_are_text_in_the_page(calm):
    html = page.section(Report(night(calm, workload=HOSTILE)), {})
    assert "<script>document" not in html
    assert "&lt;script&gt;document" in html
    assert "\x1b" not in html


def test_without_a_soak_there_is_no_table(sunk, calm):
    assert Report(calm).soak(NAME) is None
    assert "Soak by phase" not in page.section(Report(calm), {})
    whole = Report(sunk).soak(NAME)  # a soak that is older than phases
    assert whole is not None
    assert [words.name_of(line).partition(",")[0] for line in whole.lines] == ["all of it"]


def test_what_a_server_does_not_tell_is_no_nought(calm):
    silent = row(5000, 120, tokens=None, outcome="no_terminator", first_at=0, last_at=0, gap_from=0, gap_to=0,
                 deltas=0, workload="long")  # fmt: skip
    soak = Report(night(calm, silent)).soak(NAME)
    assert soak is not None
    line = next(line for line in soak.lines if line.workload == "long")
    said = {name: cell(line) for name, cell in words.COLUMNS}
    assert (said["TTFT p50 s"], said["TPOT p50 s"], said["gap s"], said["cached"]) == ("not known", *[words.NONE] * 3)
