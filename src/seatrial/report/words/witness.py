"""What stood beside a stop: the last lines of the server's log, and what its threads were doing."""

from __future__ import annotations

from collections.abc import Iterable

from seatrial.records import SECOND, Line, Log, Stop, Threads
from seatrial.report.words.plain import count
from seatrial.text import visible

NEAR_NS = 15 * SECOND
"""A log or threads read so long before the first proof of death, or after the stop was over, are still of it."""


def log(stop: Stop, lines: Iterable[Line]) -> str:
    """The end of the log as read around a stop, with what was noted of the file; why there is none where none is."""
    read = [line for line in lines if isinstance(line, Log) and line.name == stop.name and _near(stop, line.at)]
    said = []
    for line in read:
        note = f" ({visible(line.note)})" if line.note else ""
        said += [f"{visible(line.file)}{note}:", *(f"  {visible(text)}" for text in line.text)]
    if stop.log and not any(line.text for line in read):
        said += [visible(text) for text in stop.log]
    return "\n".join(said) or "no log of this server is open to us"


def threads(stop: Stop, lines: Iterable[Line]) -> str:
    """The threads of the server's processes, as read nearest to the first proof of death; empty where none were."""
    nearest: dict[int, Threads] = {}
    for line in lines:
        if isinstance(line, Threads) and line.name == stop.name and _near(stop, line.t):
            known = nearest.get(line.pid)
            if known is None or abs(line.t - stop.dead_at) < abs(known.t - stop.dead_at):
                nearest[line.pid] = line
    return "\n".join(_table(line, stop) for line in nearest.values())


def _near(stop: Stop, at: int) -> bool:
    return stop.dead_at - NEAR_NS <= at <= max(stop.until or 0, stop.seen_at, stop.dead_at) + NEAR_NS


def _table(line: Threads, stop: Stop) -> str:
    after = (line.t - stop.dead_at) / SECOND
    shown = f", {len(line.threads)} of them read" if line.total > len(line.threads) else ""
    many = count(line.total or len(line.threads), "thread")
    rows = [f"pid {line.pid}: {many}{shown}, {after:+.2f} s from the first proof"]
    for tid, name, state, cpu, wait in line.threads:
        used = "CPU not readable" if cpu is None else f"{cpu / SECOND:.2f} s CPU"
        rows.append(f"  {tid:>8}  {state or '?'}  {used:>16}  {visible(wait) or '-':<20}  {visible(name)}")
    return "\n".join(rows)
