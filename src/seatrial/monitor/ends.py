"""Ends of processes, from the first sign to the written event: when it was seen, and what the kernel tells of it."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from seatrial.monitor.process import pidfd
from seatrial.monitor.process.tree import Member
from seatrial.monitor.target import Target
from seatrial.records import Event, Fact, Happening

WAIT_NS = 500_000_000
"""How long a parent may take to reap its child before the zombie's own word is taken."""


class Pending(msgspec.Struct):
    """An end that has been seen and not yet been written."""

    target: Target
    watched: Member
    at: int
    main: bool
    facts: dict[str, str]
    zombie: int | None = None  # the status its stat showed
    zombie_why: str = ""


class Ends:
    """Learns how processes ended and says it, once each.

    The kernel's own record is asked first (after the parent has reaped the process), then what its zombie shows;
    failing both, the event says why its status is not observable.

    Args:
        say: writes an event.
        drop: polls a pidfd no more, before it is closed.
    """

    def __init__(self, say: Callable[[Event], None], drop: Callable[[int], None]) -> None:
        self.pending: list[Pending] = []
        self._say, self._drop = say, drop

    def add(self, target: Target, watched: Member, now: int, oom_host: int | None, alive_at: int) -> None:
        """A process has ended at ``now``; look at once at what a moment later may be gone.

        Args:
            alive_at: when its pidfd was last silent and it was not dying yet; 0 where that is not known.
        """
        process = watched.process
        facts = process.relatives()
        kills = {Fact.OOM_HOST: oom_host, Fact.OOM_CGROUP: process.oom_kills(), Fact.ALIVE_AT: alive_at or None}
        facts |= {name: str(count) for name, count in kills.items() if count is not None}
        found = Pending(target, watched, now, target.main is watched, facts)
        if limit := process.size_limit_told():
            facts[Fact.SIZE_LIMIT] = limit
        if process.traceable and process.stat_file is not None:
            found.zombie, found.zombie_why = pidfd.status_from_zombie(process.stat_file)
        else:
            found.zombie_why = "its zombie may not be read by this user"
        if watched.pidfd is None:
            self._write(found, None, watched.why)
        else:
            self.pending.append(found)

    def reaped(self, watched: Member) -> None:
        """The parent has reaped it: the kernel tells the status now, if ever."""
        for found in [f for f in self.pending if f.watched is watched]:
            self._finish(found, *_told(watched))
        self._release(watched)

    def settle(self, now: int) -> None:
        """Write the ends that no pidfd has told of in time: of zombies, and on Linux before 6.9 of all.

        Those kernels do not say that a process has been reaped. Nothing is learned of it after its end is written: its
        pidfd is closed here, else one would stay open for each process that ended.
        """
        for found in [f for f in self.pending if now - f.at >= WAIT_NS]:
            waits = found.watched.process.is_zombie()
            self._finish(found, *((None, "its parent has not reaped it") if waits else _told(found.watched)))
            self._release(found.watched)

    def _finish(self, found: Pending, status: int | None, why: str) -> None:
        self.pending.remove(found)
        self._write(found, status, why)

    def _release(self, watched: Member) -> None:
        if watched.pidfd is not None:
            self._drop(watched.pidfd)
            os.close(watched.pidfd)
            watched.pidfd = None

    def _write(self, found: Pending, status: int | None, why: str) -> None:
        source = "pidfd-info"
        if status is None and found.zombie is not None:
            status, source = found.zombie, "zombie"
        elif status is None:
            source = f"unobservable: {why}; {found.zombie_why}"
        process = found.watched.process
        self._say(
            Event(
                what=Happening.EXIT if found.watched.why == "" else Happening.LOST,
                name=found.target.name,
                at=found.at,
                signalled_at=found.at,
                pid=process.pid,
                incarnation=process.incarnation,
                started_ticks=process.started_ticks,
                parent=0 if found.main else (found.watched.parent or process.parent),
                status=status,
                source=source,
                generation=found.target.tree.generation,
                facts=found.facts,
            )
        )
        found.target.tree.drop(found.watched)


def _told(watched: Member) -> tuple[int | None, str]:
    """What the kernel tells of a process that has been reaped."""
    return pidfd.status_from_info(watched.pidfd) if watched.pidfd is not None else (None, "it has no pidfd")
