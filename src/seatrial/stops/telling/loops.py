"""A crash loop in words: how long each of its lives was, and how each ended."""

from __future__ import annotations

from seatrial.records import SECOND
from seatrial.stops.evidence.ends import code_of, signal_of
from seatrial.stops.state.case import Case
from seatrial.stops.state.incarnations import Exit
from seatrial.text import signal_name


def lives(case: Case) -> str:
    """``each life 2.1 s, exit 1``; empty where no life after the stop has ended."""
    loop = case.loop
    if not loop.deaths:
        return ""
    short, long = loop.shortest / SECOND, loop.longest / SECOND
    span = f"{long:.1f} s" if long - short < 0.1 else f"{short:.1f} to {long:.1f} s"
    ends = " or ".join(sorted(_end(status) for status in loop.ends))
    return f"each life {span}, {ends}" if loop.deaths > 1 else f"its life {span}, {ends}"


def _end(status: int | None) -> str:
    end = Exit(0, status)
    number, code = signal_of(end), code_of(end)
    if number is not None:
        return signal_name(number)
    return "how it ended is not observable" if code is None else f"exit {code}"
