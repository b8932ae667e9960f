"""The verdict block: its exact text, its order, and that nothing of a server gets out of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from seatrial.records import Outcome, Stop
from seatrial.report.block import render
from seatrial.report.run import Report
from seatrial.report.words.plain import Wall, count, duration, size
from seatrial.report.words.stops import headline, stop_rows
from seatrial.text import readable, visible
from tests.report.sample import HOSTILE, NAME, at, case, judged_run, kill

EXPECTED = Path(__file__).with_name("expected")


def expected(name: str, text: str) -> str:
    """The expected text; a file that is not there is a failure that prints what to put into it."""
    path = EXPECTED / name
    assert path.is_file(), f"no {path.name}; it would hold:\n{text}"
    return path.read_text().rstrip("\n")


def test_silent_stop(sunk):
    text = render(Report(sunk).summary, "reports/runs/x/report.html")
    assert text == expected("silent-stop.txt", text)


def test_ready_demo(calm):
    text = render(Report(calm).summary, None)
    assert text == expected("ready.txt", text)


def test_what_hurts_clients_most_stands_first(sunk):
    text = render(Report(sunk).summary, None)
    words = [
        "SILENT STOP",
        "FAIL MUST",
        "5 cases not judged",
        "1 case planned and not executed",
        "conformance ",
        "not tested",
    ]
    places = [text.index(word) for word in words]
    assert places == sorted(places)


def test_nothing_in_it_drives_a_terminal(sunk):
    text = render(Report(sunk).summary, None)
    assert "\\x1b[2J" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_cases_that_fail_alike_are_one_reason(sunk):
    assert render(Report(sunk).summary, None).count("sse/role-is-sent-once") == 1
    assert "2 cases: plain, usage" in render(Report(sunk).summary, None)


def test_a_report_that_could_not_be_built_says_why(calm):
    assert render(Report(calm).summary, "no report.html: no Node found").endswith("no report.html: no Node found")


def test_several_endpoints_stand_under_each_other(calm):
    verdict = msgspec.structs.replace(
        calm.verdict, endpoints={"a": calm.verdict.endpoints[NAME], "long-name": calm.verdict.endpoints[NAME]}
    )
    lines = render(Report(type(calm)(**{**vars(calm), "verdict": verdict})).summary, None).split("\n")
    heads = [line for line in lines if line.startswith(("a ", "long-name "))]
    assert len(heads) == 2
    assert len({line.index("READY") for line in heads}) == 1


def test_no_endpoint_is_not_proven(calm):
    verdict = msgspec.structs.replace(calm.verdict, endpoints={})
    assert "NOT PROVEN" in render(Report(type(calm)(**{**vars(calm), "verdict": verdict})).summary, None)


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        (Stop(name=NAME, family="STOPPED", alive_at=at(1), dead_at=at(2), code=3), "with exit status 3"),
        (
            Stop(name=NAME, family="STOPPED", alive_at=at(1), dead_at=at(2), source="no pidfd"),
            "not observable (no pidfd)",
        ),
        (Stop(name=NAME, family="STOPPED", alive_at=at(1), dead_at=at(2), signal=77), "by signal 77"),
        (Stop(name=NAME, family="DEAF", alive_at=at(1), dead_at=at(2)), "not back in the 8.00 s watched since"),
        (Stop(name=NAME, family="FROZEN", alive_at=at(1), dead_at=at(2), until=at(16)), "after 15 s"),
        (Stop(name=NAME, family="RESTARTED", alive_at=at(1), dead_at=at(2), successor="pid 9"), "followed by pid 9"),
    ],
    ids=lambda value: value.family if isinstance(value, Stop) else "",
)
def test_how_a_stop_is_told(calm, stop, said):
    assert said in headline(stop, Wall(calm.lines), at(10))


def test_a_stop_without_evidence_says_so():
    bare = Stop(name=NAME, family="STOPPED", alive_at=at(1), dead_at=at(2))
    rows = dict(stop_rows(bare, Wall([]), at(2)))
    assert rows["excluded"] == "nothing could be excluded"
    assert rows["log"] == "no log is open to us"
    assert "no request was in flight" in rows["last sign of life"]


def test_planned_stops_and_gaps_are_no_silent_stops(calm, tmp_path):
    planned = msgspec.structs.replace(kill(()), planned=True)
    unobserved = Stop(name=NAME, family="UNOBSERVED", alive_at=at(1), dead_at=at(5))
    run = judged_run(calm.run, [case("sse/role-is-sent-once", "plain", Outcome.PASS)], (planned, unobserved))
    text = render(Report(run).summary, None)
    assert "silent stops: 0" in text
    assert "SILENT STOP" not in text
    assert "NOT PROVEN" in text


def test_visible_keeps_what_prints_and_shows_what_does_not():
    assert visible("日本語 🎉 é") == "日本語 🎉 é"
    assert visible("a\x1b[31m\u202eb\r\n\ud800") == r"a\x1b[31m\u202eb\r\n\ud800"
    assert readable(b"\xff\x00ok") == r"\xff\x00ok"
    cut = visible("a" * 500 + "END", 90)
    assert cut.startswith("a" * 60)
    assert cut.endswith("END")
    assert "413 characters left out" in cut
    assert visible(HOSTILE).isprintable()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.42, "0.42 s"),
        (1.5, "1.50 s"),
        (15, "15 s"),
        (59.6, "1 min"),
        (2292, "38 min 12 s"),
        (12540, "3 h 29 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_sizes_and_counts():
    assert [size(n) for n in (0, 812, 4_440, 444_000_000, 2 * 10**12)] == [
        "0 B",
        "812 B",
        "4.44 kB",
        "444 MB",
        "2000 GB",
    ]
    assert [count(n, "case") for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]


def test_a_time_without_a_clock_line_is_not_dated():
    assert Wall([]).label(at(1)) == "1001.000 s (monotonic)"
    assert Wall([]).wall_ns(at(1)) is None
