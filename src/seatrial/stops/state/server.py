"""What the fold over stops remembers: one :class:`Server` per endpoint, one :class:`Case` per stop. All frozen."""

from __future__ import annotations

from typing import Literal

import msgspec

from seatrial.records import SECOND, Event, Fact, Family, Happening, Log, Stop, Threads
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.work import (
    Streams,
    Told,
    Work,
)

TICK = SECOND // 100
"""One start tick of field 22 of /proc/PID/stat: USER_HZ is 100 on every Linux we know."""


FINDS = frozenset({Happening.FOUND, Happening.START, Happening.REPLACED})
"""Events that bring the fingerprint of a process."""

By = Literal["process", "health", "token", "socket", "heartbeat", "found", "scheduler"]
"""What shows life: a sample of its process, /health, bytes or tokens of an answer, its LISTEN socket, the recorder's
heartbeat, the moment it was found, an answer of the engine's own loop."""


class Proof(msgspec.Struct, frozen=True, gc=False):
    """A moment at which the server was alive, and what showed it."""

    at: int
    text: str
    by: By = "found"

    @property
    def serves(self) -> bool:
        """Whether it shows more than that the process is there."""
        return self.by not in ("process", "found")


class Oom(msgspec.Struct, frozen=True, gc=False):
    """Counts of processes killed for want of memory, on the host and in the server's cgroup; None: not observable."""

    at: int
    host: int | None
    cgroup: int | None


class Main(msgspec.Struct, frozen=True, gc=False):
    """One incarnation of a server's main process. ``found_at``: when it was first seen."""

    pid: int
    found_at: int
    incarnation: str = ""
    started_ticks: int = 0
    generation: int = 0
    facts: dict[str, str] = {}
    parent: int = 0  # of a child: the process it belongs to

    @property
    def is_job(self) -> bool:
        """Whether it serves no port: its own end with status 0 is what it was started for."""
        return self.facts.get(Fact.JOB) == "yes"

    @classmethod
    def of(cls, event: Event) -> Main:
        """The incarnation an event speaks of; its fingerprint stands only in the event that found it."""
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
        """When it began, by its start ticks; without them, when it was first seen."""
        if self.started_ticks and boot_offset is not None:
            return self.started_ticks * TICK - boot_offset
        return self.found_at

    def is_of(self, event: Event) -> bool:
        """Whether an event speaks of this incarnation; the keeper knows the pid alone."""
        if event.incarnation and self.incarnation:
            return event.incarnation == self.incarnation
        return event.pid == self.pid


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
    """A child of the main process that has ended; a successor of it may come."""

    main: Main
    exit: Exit
    alive: Proof
    suspects: frozenset[str] = frozenset()
    waited: bool = False  # so long for a successor that, if it crashed, it is told as a stop
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


class Ended(msgspec.Struct, frozen=True, gc=False):
    """A request that is over."""

    id: str
    sent_at: int
    ended_at: int
    clean: bool


class Said(msgspec.Struct, frozen=True, gc=False):
    """What of a stop, when it changes, is told again."""

    family: Family
    over: bool
    status: int | None
    planned: bool

    @classmethod
    def of(cls, case: Case) -> Said:
        """As a case stands now."""
        return cls(case.family, case.until is not None, case.exit.status if case.exit else None, case.planned)


class Case(msgspec.Struct, frozen=True, gc=False):
    """A stop in the making. ``bad_at``: last proof that it still went on."""

    id: str
    family: Family
    alive: Proof
    dead_at: int
    opened_at: int
    main: Main | None = None
    exit: Exit | None = None
    until: int | None = None
    bad_at: int = 0
    successor: Main | None = None
    succeeded_at: int = 0  # the successor's process started: who answers from then on may be it
    suspects: frozenset[str] = frozenset()
    oom_before: Oom | None = None
    oom_after: Oom | None = None
    evidence: tuple[str, ...] = ()
    look: Sign | None = None  # the last sample of its process
    sizes: tuple[tuple[int, int], ...] = ()  # of its address space in the last looks: time, bytes
    threads: Threads | None = None
    log: tuple[str, ...] = ()  # the last lines, read at the stop or after it
    log_old: frozenset[str] = frozenset()  # lines that stood there before: of another moment
    log_at: int = 0
    log_note: str = ""
    gpu: tuple[Event, ...] = ()  # errors of the GPU's driver around it
    child: ChildEnd | None = None  # a child that ended shortly before it
    counters: str = ""  # that the server's own counters began anew
    planned: bool = False  # it is no stop: a job that was done
    of_child: bool = False  # its parent, the server's main process, lived on
    shown: str = ""  # in one word what it rests on: "stopped" (state T), "still"; by HTTP alone the probe's; "lost"
    told: Told = Told()  # of a WEDGED: what is said of it beside
    said: Said | None = None  # as it was handed out last


class Server(msgspec.Struct, frozen=True, gc=False):
    """One endpoint as the lines so far show it."""

    name: str
    main: Main | None = None
    lives: bool = False
    before: Main | None = None  # the incarnation before this one
    before_planned_at: int = 0
    planned_at: int = 0  # a stop was announced
    proofs: tuple[Proof, ...] = ()  # the latest, in order
    spoken_at: int = 0  # the first request to it was sent
    in_flight: dict[str, int] = {}
    ended: tuple[Ended, ...] = ()  # the latest requests that are over
    sign: Sign | None = None
    sizes: tuple[tuple[int, int], ...] = ()  # of its address space: each time it was another than before
    ooms: tuple[Oom, ...] = ()
    listened: Proof | None = None
    refused_at: int = 0  # first refused connection since it last listened
    unheard: int = 0  # probes in a row without a LISTEN socket
    unheard_since: int = 0
    answered: Proof | None = None  # the last answer of /health in this life
    afar: bool = False  # it answers though no LISTEN socket is seen: HTTP alone tells
    closed: int = 0  # probes since the last answer that prove that no server answers
    closed_since: int = 0
    closed_at: int = 0
    closed_by: frozenset[str] = frozenset()  # their words
    lost: int = 0  # probes since the last answer that found no way to it
    mute: int = 0  # probes in a row that /health did not answer in time
    remote: bool = False  # no process is observable
    socket: tuple[int, int] = (0, 0)  # inode and owner of the LISTEN socket, as last known together
    inode: int = 0  # of the LISTEN socket, as last seen, whoever owns it
    blind: bool = False  # nobody looked until now: what the next probe says was found before the gap
    children: dict[int, Main] = {}  # of the main process, by pid, that live as far as is known
    child_ends: tuple[ChildEnd, ...] = ()  # the latest, without a successor so far
    threads: Threads | None = None
    logs: tuple[Log, ...] = ()  # the latest readings
    gpu: tuple[Event, ...] = ()  # the latest errors of the GPU's driver on this host
    mark: str = ""  # the server's own mark of its start
    asleep: tuple[int, int] = (0, 0)  # the first and last reading of the latest time in which it had no model loaded
    awake_at: int = 0  # the latest reading by which it had one
    work: Work = Work()
    streams: Streams = Streams()
    cases: tuple[Case, ...] = ()
    opened: int = 0  # how many stops were ever opened: their ids are counted by it
    done: tuple[Stop, ...] = ()  # stops so long over that no line bears on them any more


class State(msgspec.Struct, frozen=True, gc=False):
    """All endpoints, and the clock of the fold: the recorder's heartbeat."""

    servers: dict[str, Server] = {}
    tick: int = 0
    boot_offset: int | None = None  # CLOCK_BOOTTIME minus CLOCK_MONOTONIC, ns
    drift: int | None = None  # the wall clock minus CLOCK_BOOTTIME, ns
    awake: int | None = None  # CLOCK_BOOTTIME minus CLOCK_MONOTONIC_RAW: it grows while the machine sleeps
    steps: tuple[Stop, ...] = ()  # steps of the wall clock
    gpus: dict[int, frozenset[str]] = {}  # GPU -> pids on it
    last: int = 0  # time of the last line, whoever wrote it
    limits: Limits = Limits()
