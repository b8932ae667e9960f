"""Incarnations of processes as lines tell of them: who they were, how they ended, and what shows that they lived."""

from __future__ import annotations

from typing import Literal

import msgspec

from seatrial.records import SECOND, Event, Fact, Happening

TICK = SECOND // 100
"""One start tick of field 22 of /proc/PID/stat: USER_HZ is 100 on every Linux we know."""
FINDS = frozenset({Happening.FOUND, Happening.START, Happening.REPLACED})
"""Events that bring the fingerprint of a process."""

By = Literal["process", "health", "token", "socket", "heartbeat", "found", "scheduler"]
"""What shows life: a sample of the process, /health, bytes or tokens of an answer, the LISTEN socket, the recorder's
heartbeat, the moment the process was found, an answer of the engine's own loop."""
SERVING: frozenset[By] = frozenset({"health", "token", "socket", "heartbeat", "scheduler"})
"""These show service. A sample, or the moment a process was found, shows only that the process is there."""


class Proof(msgspec.Struct, frozen=True, gc=False):
    """A moment at which the server was alive, and what showed it."""

    at: int
    text: str
    by: By = "found"
    ready: bool = True  # no answer by which the server says that it is not well: it may load

    @property
    def serves(self) -> bool:
        """Whether the proof shows more than that the process is there."""
        return self.by in SERVING


class Oom(msgspec.Struct, frozen=True, gc=False):
    """Counts of processes killed for want of memory, on the host and in the server's cgroup; None: not observable."""

    at: int
    host: int | None
    cgroup: int | None


class Growth(msgspec.Struct, frozen=True, gc=False):
    """How the memory of a process grew, bytes: from when on, until when, and how much it used then."""

    pid: int
    since: int
    until: int
    before: int
    after: int


class Main(msgspec.Struct, frozen=True, gc=False):
    """One incarnation of a server's main process, or of a child. ``found_at``: when it was first seen."""

    pid: int
    found_at: int
    incarnation: str = ""
    started_ticks: int = 0
    generation: int = 0
    facts: dict[str, str] = {}
    parent: int = 0  # of a child: the process it belongs to

    @property
    def is_job(self) -> bool:
        """Whether the process serves no port: its own end with status 0 is what it was started for."""
        return self.facts.get(Fact.JOB) == "yes"

    @classmethod
    def of(cls, event: Event) -> Main:
        """The incarnation an event speaks of. Only the event that found a process bears the process's fingerprint."""
        return cls(
            pid=event.pid,
            found_at=event.at,
            incarnation=event.incarnation,
            started_ticks=event.started_ticks,
            generation=event.generation,
            facts=event.facts if event.what in FINDS else {},
            parent=event.parent,
        )

    def started_at(self, boot_offset: int | None) -> int:
        """When the process began, by its start ticks; without them, when it was first seen."""
        if self.started_ticks and boot_offset is not None:
            return self.started_ticks * TICK - boot_offset
        return self.found_at

    def is_of(self, event: Event) -> bool:
        """Whether an event speaks of this incarnation. The keeper knows the pid alone."""
        if event.incarnation and self.incarnation:
            return event.incarnation == self.incarnation
        return event.pid == self.pid

    def is_same(self, other: Main) -> bool:
        """Whether two reports speak of one incarnation."""
        return (self.pid, self.incarnation, self.started_ticks) == (other.pid, other.incarnation, other.started_ticks)


class Exit(msgspec.Struct, frozen=True, gc=False):
    """What is known of a process's end, from one report or several."""

    at: int
    status: int | None = None
    source: str = ""
    pidfd_at: int | None = None
    facts: dict[str, str] = {}

    @classmethod
    def of(cls, event: Event) -> Exit:
        """The end that an event reports."""
        seen = event.signalled_at or event.at
        return cls(seen, event.status, event.source, seen if event.what == Happening.EXIT else None, event.facts)


class ChildEnd(msgspec.Struct, frozen=True, gc=False):
    """A child of the main process that has ended. A successor may come. Written by ``process.children``."""

    main: Main
    exit: Exit
    alive: Proof
    suspects: frozenset[str] = frozenset()
    waited: bool = False  # the wait for a successor is over: a child that crashed was told as a stop
    stop: str = ""  # the id of that stop


class Sign(msgspec.Struct, frozen=True, gc=False):
    """The main process as last sampled, and since when it has not moved."""

    at: int
    state: str | None
    cpu_ns: int | None
    switches: int | None
    size: int | None = None
    size_limit: int | None = None
    stopped_since: int = 0  # first sample of a run of samples in state T
    still_since: int = 0  # first sample of a run of samples without CPU time and context switches
    held_since: int = 0  # first sample of a run of samples that show that a freezer holds it


class Ended(msgspec.Struct, frozen=True, gc=False):
    """A request that is over."""

    id: str
    sent_at: int
    ended_at: int
    clean: bool
