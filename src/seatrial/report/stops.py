"""A silent stop in words: what happened and when, the last sign of life, what is excluded, and what is not known."""

from __future__ import annotations

import signal

from seatrial.records import Stop
from seatrial.report.plain import SECOND, Wall, count, duration, visible

_SUSPECTS_SHOWN = 4


def stop_rows(stop: Stop, wall: Wall, end: int) -> list[tuple[str, str]]:
    """Label and text of each line about a stop; the first label is empty.

    Args:
        end: the time of the last record, monotonic ns: until when a successor was waited for.
    """
    rows = [("", headline(stop, wall, end)), ("last sign of life", _life(stop, wall))]
    rows.append(("first broken rung", visible(stop.rung) or "not told by the record"))
    if stop.evidence:
        rows.append(("evidence", visible("; ".join(stop.evidence))))
    rows.append(("excluded", visible("; ".join(stop.excluded)) or "nothing could be excluded"))
    rows.append(("cause", visible(stop.cause)))
    rows.extend((f"  {n}", visible(text)) for n, text in enumerate(stop.hypotheses, start=1))
    rows.append(("log", f"last line: {visible(stop.log[-1], 200)}" if stop.log else "no log is open to us"))
    return rows


def headline(stop: Stop, wall: Wall, end: int) -> str:
    """``STOPPED by SIGKILL between A and B UTC; pid 1, up 3 s; no successor in 40 min``."""
    interval = f"between {wall.label(stop.alive_at)} and {wall.label(stop.dead_at)} UTC"
    parts = [f"{stop.family}{_how(stop)} {interval}"]
    if stop.pid:
        up = f", up {duration(stop.uptime_s)}" if stop.uptime_s is not None else ""
        parts.append(f"pid {stop.pid}{up}")
    parts.append(_after(stop, wall, end))
    return "; ".join(parts)


def _how(stop: Stop) -> str:
    if stop.signal is not None:
        return f" by {signal_name(stop.signal)}"
    if stop.code is not None:
        return f" with exit status {stop.code}"
    if stop.family == "STOPPED":
        return f", how is not observable ({visible(stop.source)})" if stop.source else ", how is not observable"
    return ""


def signal_name(number: int) -> str:
    """``SIGKILL``; ``signal 77`` for a number without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _after(stop: Stop, wall: Wall, end: int) -> str:
    if stop.until is not None:
        return f"back at {wall.label(stop.until)} after {duration((stop.until - stop.alive_at) / SECOND)}"
    if stop.successor:
        return f"followed by {visible(stop.successor)}"
    watched = duration(max(end - stop.dead_at, 0) / SECOND)
    return f"no successor in {watched}" if stop.family == "STOPPED" else f"not back in the {watched} watched since"


def _life(stop: Stop, wall: Wall) -> str:
    proof = visible(stop.proof) or "a sample of the recorder"
    return f"{proof} at {wall.label(stop.alive_at)} ({in_flight(stop)})"


def in_flight(stop: Stop) -> str:
    """``no request was in flight``, or how many were, with the names of the first ones."""
    if not stop.suspects:
        return "no request was in flight"
    number = len(stop.suspects)
    names = ", ".join(_suspect(stop, name) for name in stop.suspects[:_SUSPECTS_SHOWN])
    more = ", ..." if number > _SUSPECTS_SHOWN else ""
    return f"{count(number, 'request')} {'was' if number == 1 else 'were'} in flight: {names}{more}"


def _suspect(stop: Stop, name: str) -> str:
    scenario = stop.sent.get(name, "")
    return visible(f"{name} ({scenario})" if scenario else name, 80)
