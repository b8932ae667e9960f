"""LOG STORM is a notice with its rate and onset; what a server may write by right is none."""

from __future__ import annotations

import pytest

from seatrial.records import Clock, Line, LogRate, Stop
from seatrial.stops import fold
from seatrial.verdict.watched import weight
from tests.stops.simulation import S

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
    (stop,) = told(30, *[4000] * 9, 3)
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


def test_two_storms_are_two_notices():
    found = told(*[3000] * 8, 2, *[5000] * 8, 2)
    assert [stop.family for stop in found] == ["LOG STORM"] * 2
    assert all(stop.until is not None for stop in found)
    assert len({stop.id for stop in found}) == 2


def test_what_a_log_says_is_a_strangers():
    (stop,) = told(*[3000] * 8, text="\x1b]0;x\x07 \ud800" * 3)
    assert stop.family == "LOG STORM"


def test_a_line_that_lies_about_its_times_changes_nothing():
    lines = [LogRate(name="a", file="", since=10 * S, lines=10**9, size=1, t=t) for t in (10 * S, 5 * S, 1)]
    assert fold.fold(lines) == ()
