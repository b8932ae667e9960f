"""Whether two processes that own one port are one server: workers of a master, a launcher and its child, a fleet.

Nothing but /proc is asked. What cannot be read makes nobody a stranger.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from seatrial.monitor.process import proc
from seatrial.monitor.process.procfiles import read

TOGETHER_TICKS = 2 * os.sysconf("SC_CLK_TCK")
"""Processes of one program that one parent started within this time are meant to share the port: as the two that Docker
has hand on one port's connections, of IPv4 and of IPv6."""
SPAWNED = b"multiprocessing"
"""Stands in the arguments of a worker that Python's own module of this name has started."""


def strangers(first: int, others: Iterable[int]) -> tuple[int, ...]:
    """Those of the other owners of a port that belong to another server than the first one does."""
    return tuple(pid for pid in dict.fromkeys(others) if pid != first and not related(first, pid))


def related(one: int, other: int) -> bool:
    """Whether two processes are of one server, as far as is seen."""
    above, beside = proc.ancestors(one), proc.ancestors(other)
    if one in beside or other in above or not above or not beside:
        return True
    image, same = _image(one), _image(other)
    if not image or not same or image == same:  # forked from one program that was started once
        return True
    parent = above[0]
    if parent != beside[0] or parent <= 1:
        return False
    if abs(_started(one) - _started(other)) <= TOGETHER_TICKS:
        return _program(one) == _program(other)
    words, others = _words(one), _words(other)
    if words != others:
        return SPAWNED in b" ".join(words) and SPAWNED in b" ".join(others)
    return words == _words(parent)


def _image(pid: int) -> bytes:
    """What the kernel told a program when it was started: the same in all that were forked of it, and in no other."""
    return read(f"/proc/{pid}/auxv") or b""


def _program(pid: int) -> str:
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/exe").readlink())
    return ""


def _words(pid: int) -> list[bytes]:
    return (read(f"/proc/{pid}/cmdline") or b"").rstrip(b"\0").split(b"\0")


def _started(pid: int) -> int:
    fields = (read(f"/proc/{pid}/stat") or b"").rpartition(b")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[19].isdigit() else 0
