"""A watch kept by hand: the operator's note as golden record, and what made-up notes must and must not yield."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.byhand import conclusions
from seatrial.judging.run import judge
from seatrial.report.block import render
from seatrial.report.run import Report
from seatrial.run.directory import RunDir
from tests.byhand.notes import Notes

NOTE = Path(__file__).parents[2] / "docs" / "note"
WORDS = [
    "NO RESTART",
    "CLOCK OR ARITHMETIC DRIFTED",
    "CPU MISLABELLED AS GPU",
    "PID ORDER CONTRADICTS",
    "CAUSE UNKNOWN",
]
FEW = settings(max_examples=60)


@pytest.fixture(scope="module")
def note():
    return judge(RunDir.open(NOTE))


def words(notes: Notes) -> list[str]:
    return [each.word for each in conclusions.conclusions(notes.lines)]


def conclusion(notes: Notes, *either: str):
    return next(each for each in conclusions.conclusions(notes.lines) if each.word in either)


def test_the_note_yields_five_conclusions(note):
    assert [each.word for each in note.verdict.concluded] == WORDS
    assert all(each.n and each.arithmetic and each.against for each in note.verdict.concluded)


def test_their_arithmetic_is_that_of_the_note(note):
    restart, drift, shares, pids, cause = note.verdict.concluded
    assert "11436 +4 min and 8080 +3 min; they move together" in " ".join(restart.arithmetic)
    assert "8 of 11436, 8 of 8080" in restart.n
    told = " ".join(drift.arithmetic)
    assert "+5 min in at most 136 min, at least 3.7 % (2.9 % or more" in told
    assert "500 ppm" in told
    assert "field 22" in drift.against[0]
    assert "23:18 40.4 % of 171 min = 69.1" in shares.arithmetic[0]
    assert "23:57 36 % of 209 min = 75.2" in shares.arithmetic[0]
    assert "about 12 % of a core (3.5 CPU min in 30 min; 8 to 15 %" in shares.text
    assert "1 called GPU and 6 called CPU" in shares.n
    assert "an outage of 40 min: 8080 (pid 36439, began 21:41)" in pids.text
    assert "pid 36439 began about 21:00" in pids.arithmetic[0]
    assert "above 32768" in pids.arithmetic[-1]
    assert "5 hypotheses" in cause.text


def test_its_stop_is_a_stop_of_unknown_cause(note):
    (stop,) = note.stops
    assert (stop.id, stop.name, stop.family, stop.kind) == ("8080-1", "8080", "STOPPED", "unknown")
    assert stop.silent
    assert stop.cause.startswith("UNKNOWN")
    assert stop.alive_at // 60_000_000_000 == 21 * 60
    assert (stop.until or 0) // 60_000_000_000 == 21 * 60 + 41
    assert stop.alike == ("ggml-org/llama.cpp #20509",)
    assert len(stop.hypotheses) == 5
    assert all("would show" in text and "kill" in text for text in stop.hypotheses)
    for text, clue in zip(stop.hypotheses, ("time-out", "OOM killer", "abort", "listener", "no outage"), strict=True):
        assert clue in text
    assert note.verdict.exit == 1


def test_every_entry_is_used_also_those_out_of_order(note):
    assert any("2026-02-01 a Friday: it was a Sunday" in notice for notice in note.verdict.notices)
    assert any("23:25 stands after 23:57, 22:49 stands after 23:26" in notice for notice in note.verdict.notices)
    assert "at 7 checks from 23:18 to 23:57" in note.verdict.endpoints["11436"].figures["stops"]


def test_it_is_judged_without_a_network(monkeypatch):
    def refused(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refused)
    text = render(Report(judge(RunDir.open(NOTE))).summary, None, width=2000)
    assert "between 21:00 and 21:02 by the note's clock" in text
    assert "monotonic" not in text
    assert [f"{n} {word}: " in text for n, word in enumerate(WORDS, start=1)] == [True] * 5


@FEW
@given(
    checks=st.lists(st.integers(1, 600), min_size=2, max_size=8, unique=True),
    began=st.lists(st.floats(-900, 0), min_size=1, max_size=4),
)
def test_constant_start_times_are_neither_restart_nor_drift(checks, began):
    notes = Notes()
    for at in checks:  # in any order
        notes.since(1000 + at, **{f"p{n}": 990 + minute for n, minute in enumerate(began)})
    assert words(notes)[:2] == ["NO RESTART", "NO DRIFT"]
    assert conclusions.stops(notes.lines) == ()


@FEW
@given(
    drift=st.integers(2, 30), sign=st.sampled_from([1, -1]), phases=st.lists(st.floats(0, 0.99), min_size=2, max_size=4)
)
def test_start_times_that_move_together_are_a_clock(drift, sign, phases):
    notes = Notes()
    for hour in range(6):
        moved = {f"p{n}": 700 + 40 * n + phase + sign * drift * hour / 5 for n, phase in enumerate(phases)}
        notes.since(1000 + 60 * hour, **moved)
    restart, clock = conclusions.conclusions(notes.lines)[:2]
    assert restart.word == "NO RESTART"
    if drift > 2:  # of two minutes, rounding may leave one
        assert clock.word == "CLOCK OR ARITHMETIC DRIFTED"
        assert conclusions.stops(notes.lines) == ()


@FEW
@given(
    began=st.integers(1001, 1059),
    drift=st.integers(-5, 5),
    others=st.integers(0, 3),
)
def test_a_real_restart_is_told_with_or_without_a_drifting_clock(began, drift, others):
    notes = Notes()
    notes.since(1000, a=500, **{f"p{n}": 600 + n for n in range(others)})
    shift = drift if others else 0
    notes.since(1060 + 5, a=began + shift, **{f"p{n}": 600 + n + drift for n in range(others)})
    found = conclusion(notes, "RESTARTED")
    assert found.text.startswith("a between 16:40 and 17:45")
    (stop,) = conclusions.stops(notes.lines)
    assert (stop.name, stop.family, stop.cause.partition(":")[0]) == ("a", "RESTARTED", "UNKNOWN")


def test_a_restart_that_was_noted_is_one_stop():
    notes = Notes().since(1000, a=500, b=400)
    notes.put(1060, "stopped", "a", 1010 * 60.0).put(1060, "started", "a", 1030 * 60.0)
    notes.since(1060, a=1030, b=400)
    (stop,) = conclusions.stops(notes.lines)
    assert stop.family == "STOPPED"
    assert conclusion(notes, "RESTARTED").text == "a between 16:40 and 17:40"


def test_start_times_that_disagree_are_no_one_clock():
    notes = Notes().since(1000, a=500, b=400).since(1100, a=510, b=400)
    assert words(notes)[:2] == ["NO RESTART", "START TIMES DISAGREE"]


@FEW
@given(gpu=st.floats(0, 100), quiet=st.floats(0, 0.3), start=st.floats(0.2, 0.95))
def test_gpu_figures_of_their_own_are_no_mislabelled_cpu(gpu, quiet, start):
    notes = Notes()
    for minute in range(200, 300, 10):
        notes.since(1000 + minute, a=1000)
        notes.share(1000 + minute, "a", 100 * (start * 200 + quiet * (minute - 200)) / minute if quiet < start else 0)
    at_250 = 100 * (start * 200 + quiet * 50) / 250
    notes.since(1250, a=1000).share(1250, "a", gpu, "GPU")
    found = conclusions.conclusions(notes.lines)[2].word
    if quiet < start and abs(gpu - at_250) > 4:
        assert found == "NO MISLABEL"
    elif quiet < start and abs(gpu - at_250) < 0.05:
        assert found == "CPU MISLABELLED AS GPU"


def test_cpu_figures_of_the_moment_tell_nothing_of_a_gpu():
    notes = Notes()
    for at, percent in ((1100, 5), (1110, 90), (1120, 10), (1130, 70)):
        notes.since(at, a=1000).share(at, "a", percent)
    notes.since(1115, a=1000).share(1115, "a", 40, "GPU")
    assert "GPU FIGURES NOT KNOWN" in words(notes)


def test_a_wide_room_proves_nothing():
    notes = Notes().since(1010, a=1000).share(1010, "a", 90).since(1900, a=1000).share(1900, "a", 3)
    notes.since(1200, a=1000).share(1200, "a", 8, "GPU")
    found = conclusion(notes, "GPU FIGURES NOT KNOWN")
    assert "too much room" in found.text


@FEW
@given(st.lists(st.tuples(st.integers(300, 4_000_000), st.integers(0, 1400)), min_size=2, max_size=6, unique=True))
def test_pids_in_the_order_of_their_start_times_agree(rows):
    pids = sorted({pid for pid, _ in rows})
    times = sorted(time for _, time in rows)[: len(pids)]
    notes = Notes()
    for n, (pid, time) in enumerate(zip(pids, times, strict=True)):
        notes.since(1430, **{f"p{n}": time}).pid(1430, **{f"p{n}": pid})
    assert ("PID ORDER AGREES" if len(pids) > 1 else "PID ORDER NOT KNOWN") in words(notes)


@FEW
@given(low=st.integers(300, 30_000), step=st.integers(1, 500), late=st.integers(2, 300))
def test_a_lower_pid_with_a_later_start_contradicts(low, step, late):
    notes = Notes().since(1400, a=1000 + late, b=1000).pid(1400, a=low, b=low + step)
    found = conclusion(notes, "PID ORDER CONTRADICTS")
    assert f"a (pid {low}" in found.text
    assert any("wrap" in text for text in found.arithmetic)


def test_too_few_data_are_told_and_concluded_from_by_nothing():
    notes = Notes().since(1000, a=500).pid(1000, a=7).share(1000, "a", 12)
    assert words(notes) == ["RESTARTS NOT KNOWN", "DRIFT NOT KNOWN", "GPU FIGURES NOT KNOWN", "PID ORDER NOT KNOWN"]
    assert conclusions.stops(notes.lines) == ()
    assert conclusions.conclusions([]) == ()
    assert conclusions.notices([]) == []


def test_a_stop_without_more_is_a_stop_of_unknown_length():
    notes = Notes().put(1000, "stopped", "a", 990 * 60.0, text="it was gone")
    (stop,) = conclusions.stops(notes.lines)
    assert (stop.family, stop.until, stop.successor) == ("STOPPED", None, "")
    assert words(notes)[-1] == "CAUSE UNKNOWN"


def test_a_date_that_is_none_is_told():
    notes = Notes().put(1000, "date", "", text="2026-02-31", label="Friday")
    assert conclusions.notices(notes.lines) == ["the note's date 2026-02-31 is none"]
