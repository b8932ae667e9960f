"""LOG STORM is a notice with its rate and onset; what a server may write by right is none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from seatrial.records import Clock, Line, LogRate, Probe, Stop
from seatrial.stops import fold
from seatrial.stops.state.limits import Limits
from seatrial.verdict.watched import weight
from tests.stops.simulation import S
from tests.stops.simulation_work import Engine, Rig, lasting

BEGIN = 100 * S


def told(*rates: int | None, text: str = "retry") -> list[Stop]:
    """What is told of a log that grew so many lines each second; None: nothing was read."""
    lines: list[Line] = []
    for n, rate in enumerate(rates):
        t = BEGIN + (n + 1) * S
        lines.append(Clock(w="recorder", wall_ns=t, boot_ns=t, raw_ns=t, t=t))
        if rate is not None:
            lines.append(LogRate(name="a", file="/log", since=t - S, lines=rate, size=80 * rate, text=text, t=t))
    return list(fold.fold(lines))


def test_a_storm_has_a_rate_an_onset_and_an_end():
    (stop,) = told(30, *[4000] * 9, *[3] * 12)
    assert (stop.family, weight(stop), stop.silent) == ("LOG STORM", "notice", False)
    assert stop.dead_at == BEGIN + S
    assert stop.evidence[0] == "4,000 lines and 0.3 MB a second"
    assert stop.until is not None
    assert abs(stop.until - (BEGIN + 10 * S)) <= S
    assert "36,000 lines and 2.9 MB in 9 s" in stop.evidence
    assert "its last line: retry" in stop.evidence
    assert stop.cause.startswith("UNKNOWN")
    assert stop.excluded == ()


def test_a_storm_that_lasts_is_told_once_and_is_not_over():
    (stop,) = told(*[12_000] * 100)
    assert stop.until is None


@pytest.mark.parametrize("rates", [
    [300] * 60, [999] * 60, [20_000, 20_000, 20_000, 5] * 6, [5000] * 4 + [0] * 20,
    [5000] * 3 + [None] * 5 + [5000] * 3, [-5] * 20, [0] * 20,
])  # fmt: skip
def test_a_log_that_is_chatty_by_right_and_a_burst_are_no_storm(rates):
    assert told(*rates) == []


def test_a_storm_that_pauses_is_one():
    (stop,) = told(*([5000] * 6 + [3] * 2) * 10, *[3] * 12)
    assert stop.until is not None


def test_two_storms_are_two_notices():
    found = told(*[3000] * 8, *[2] * 12, *[5000] * 8, *[2] * 12)
    assert [stop.family for stop in found] == ["LOG STORM"] * 2
    assert all(stop.until is not None for stop in found)
    assert len({stop.id for stop in found}) == 2


def test_what_a_log_says_is_a_strangers():
    (stop,) = told(*[3000] * 8, text="\x1b]0;x\x07 \ud800" * 3)
    assert stop.family == "LOG STORM"


def test_a_line_that_lies_about_its_times_changes_nothing():
    lines = [LogRate(name="a", file="", since=10 * S, lines=10**9, size=1, t=t) for t in (10 * S, 5 * S, 1)]
    assert fold.fold(lines) == ()


def stormy(lines: Sequence[Line], since: int, until: int) -> list[Line]:
    """A record with storms in it, each of six seconds, with as long a pause after it that they are many."""
    storms = [
        LogRate(name="a", file="/log", since=t - S, lines=5000 if t // S % 18 < 6 else 3, size=80, t=t)
        for t in range(since, until, S)
    ]
    return sorted([*lines, *storms], key=lambda line: line.t)


def silent(lines: Sequence[Line]) -> list[tuple[str, int | None]]:
    return [(stop.family, stop.until) for stop in fold.fold(lines) if stop.silent]


def test_storms_meanwhile_change_nothing_of_a_stop():
    """No stop is overlooked for the end of a notice, and none is without an end for there were many."""
    wedged = lasting(2, "wedged", 120, Rig(clients=3), after=60)
    whole = wedged.seal()
    assert silent(whole)
    assert silent(stormy(whole, wedged.began, wedged.now)) == silent(whole)
    failing = Engine(3, Rig(clients=0))
    failing.ends = lambda number: None if number <= 3 else {"status": 500, "outcome": "http_5xx"}
    whole = failing.run_for(400).seal()
    assert len(silent(whole)) == 1
    assert silent(stormy(whole, whole[0].t + 40 * S, failing.now)) == silent(whole)


def test_a_gap_in_the_record_is_no_planned_maintenance():
    lines = [
        Clock(w="recorder", wall_ns=t, boot_ns=t, raw_ns=t, t=t)
        for t in (*range(100 * S, 110 * S, S), *range(160 * S, 170 * S, S))
    ]
    seen = [Probe(name="a", listens=True, owner=7, health=200, t=line.t + 1, w="recorder") for line in lines]
    (gap,) = fold.fold(sorted([*lines, *seen], key=lambda line: line.t), Limits(quiet_until=500 * S))
    assert (gap.family, gap.planned) == ("UNOBSERVED", False)
