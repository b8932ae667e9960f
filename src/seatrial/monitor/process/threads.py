"""The threads of a process: what each does, and how often they changed places on a CPU.

A look at one thread opens three files and costs 50 microseconds: all of them are looked at every ten seconds, and at
once when a rung breaks.
"""

from __future__ import annotations

import os
import re

from seatrial.monitor.process.procfiles import read, tasks
from seatrial.records import Threads

SHOWN = 64
"""Threads of a process that are written down, and whose context switches are counted: its first."""

Row = tuple[int, str, str, int | None, str]

_SWITCHES = re.compile(rb"(?m)^(?:non)?voluntary_ctxt_switches:\s*(\d+)")


def look(name: str, pid: int, incarnation: str) -> Threads | None:
    """A line about every thread of a process, its first ``SHOWN``; None when it is gone or may not be read."""
    tids = tasks(pid)
    rows = [row for row in (_row(pid, tid) for tid in tids[:SHOWN]) if row is not None]
    if not rows:
        return None
    return Threads(name=name, pid=pid, incarnation=incarnation, threads=tuple(rows), total=len(tids))


def switches(pid: int) -> int | None:
    """Context switches of its first ``SHOWN`` threads together: of one alone they may rest while the process works."""
    total: int | None = None
    for tid in tasks(pid)[:SHOWN]:
        text = read(f"/proc/{pid}/task/{tid}/status")
        if text is not None:
            total = (total or 0) + sum(int(n) for n in _SWITCHES.findall(text))
    return total


def _row(pid: int, tid: int) -> Row | None:
    folder = f"/proc/{pid}/task/{tid}"
    stat = read(f"{folder}/stat")
    if stat is None:
        return None
    head, _, rest = stat.rpartition(b")")
    fields = rest.split()
    comm = head.partition(b"(")[2].decode("utf-8", "replace")
    return tid, comm, fields[0].decode(), _cpu(folder, fields), _wchan(folder)


def _cpu(folder: str, fields: list[bytes]) -> int:
    """CPU time in ns, by the scheduler's own count where the kernel gives it, else by ticks."""
    text = read(f"{folder}/schedstat")
    if text is not None and text.split()[0] != b"0":
        return int(text.split()[0])
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _wchan(folder: str) -> str:
    """Where in the kernel it waits; empty: it runs, or this user may not know."""
    text = read(f"{folder}/wchan")
    return "" if text is None or text == b"0" else text.decode("ascii", "replace")
