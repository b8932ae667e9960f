"""What the fold remembers of a server's work: who waits, what progressed, how busy it was. All frozen, times in ns.

Each part is written by one reader, which the part names. A new incarnation of the main process begins its work anew
(``work.waits.of_this_life``): what waited for the old one is over.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from seatrial.records import Ask, Meter, Probe, Threads

ILL = 500
"""From this status on /health says that the server is not well."""

_Item = TypeVar("_Item")


def latest(row: tuple[_Item, ...], new: _Item, most: int) -> tuple[_Item, ...]:
    """A row with one more item at its end; of more than ``most`` the oldest are dropped."""
    return row[1 - most :] + (new,)  # noqa: RUF005 - a line of a record comes through here: unpacking takes a third more


def landed(flying: dict[str, int], name: str) -> dict[str, int]:
    """The requests under way without one that is over; the same object where the request was none of them."""
    if name not in flying:
        return flying
    left = {**flying}
    del left[name]
    return left


class Flow(msgspec.Struct, frozen=True, gc=False):
    """What is asked of the engine, and what comes of it. Written by ``work.flow``."""

    flying: dict[str, int] = {}  # requests to the engine that are under way, and when they were sent
    progress_at: int = 0  # the last token, or growth of a counter
    progress: str = ""  # what the progress was
    answered_at: int = 0  # the last answer without a token: empty, an error of the server, a request counted no more
    marks: tuple[int, ...] = ()  # times of progress, in the order in which they came to light
    silence: tuple[int, int] = (0, 0)  # the longest stretch in which a request that is over got nothing
    failed: tuple[Ask, ...] = ()  # canaries that failed in a row: the first of them, and the latest ones


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What the recorder asks the engine: the canary, and the engine's own loop. Written by ``work.asked``."""

    canary: Ask | None = None  # the canary under way
    rights: tuple[tuple[int, int], ...] = ()  # the latest canaries that got their token: asked, over
    silent_from: int = 0  # the scheduler was asked and has not answered since
    scheduler_at: int = 0  # the last line about the scheduler
    answers_at: int = 0  # the scheduler's last answer


class Once(msgspec.Struct, frozen=True, gc=False):
    """A canary that was answered, or failed."""

    asked_at: int
    over_at: int
    failed: bool


class Canaries(msgspec.Struct, frozen=True, gc=False):
    """What came of the canaries of this life. Written by ``work.canaries``."""

    known: bool = False  # one was answered, in this life or one before it
    row: int = 0  # those since the last answer that failed or were turned away
    latest: tuple[Once, ...] = ()  # the latest that were answered or failed
    failed: Ask | None = None  # the latest that failed
    busy: tuple[Ask, ...] = ()  # those turned away (429, 503) since the last answer: the first, and the latest
    promised: int = 0  # until then the server asked to wait when it turned the first one away
    skipped_at: int = 0  # one was due, and was not sent


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One reading of the server's own counters: whether they had moved, and how many requests it worked on."""

    at: int
    moved: bool
    running: int | None
    live: bool  # they move with each token, not only at the end of a request


class Counted(msgspec.Struct, frozen=True, gc=False):
    """The server's own counters. Written by ``work.counters``."""

    meters: dict[str, Meter] = {}  # the last reading of each source
    readings: tuple[Reading, ...] = ()


class Machine(msgspec.Struct, frozen=True, gc=False):
    """The processes of the server's tree and the GPUs. Written by ``work.machine``."""

    cpu: int = 0
    io: int = 0
    processes: dict[int, tuple[str, int | None, int | None]] = {}  # pid -> incarnation, CPU, bytes read and written
    sampled_at: int = 0
    sleeps: int = 0  # how many samples showed a process that slept uninterruptibly: for a disk, as far as is known
    gpu_at: int = 0  # a GPU was read
    gpu_busy_at: int = 0  # and was busy, with us as far as can be told
    gpu_joined: bool = False  # one of our processes was seen on a GPU
    last_threads: Threads | None = None
    held: dict[int, int] = {}  # pid -> since when every sample shows it in state T
    child_gone: str = ""  # a process of the tree that ended, and how
    child_gone_at: int = 0


class Look(msgspec.Struct, frozen=True, gc=False):
    """How busy a server's whole process tree was at one heartbeat; totals since the watch began.

    ``cpu`` is None where no process was read since the heartbeat before.
    """

    at: int
    cpu: int | None = None
    io: int | None = None
    disk: bool = False  # a process of the tree slept uninterruptibly: for a disk, as far as is known
    waits: bool = False  # somebody waited for the server


class Looks(msgspec.Struct, frozen=True, gc=False):
    """How busy the server was from heartbeat to heartbeat. Written by ``evidence.looks``."""

    looks: tuple[Look, ...] = ()
    looked_at: int = 0  # the sample that the last look took in
    slept: int = 0  # the count of uninterruptible sleeps that the last look took in
    toiled: bool = False  # the processes once used CPU as an engine does, and no proxy


class Wellness(msgspec.Struct, frozen=True, gc=False):
    """What /health says of itself. Written by ``work.wellness``."""

    health: int | None = None
    health_at: int = 0
    well_at: int = 0  # /health was no error, or a canary right, in this life
    ill_from: int = 0  # since then each answer of /health is an error of the server (5xx)
    look: Probe | None = None  # the last one


class Waits(msgspec.Struct, frozen=True, gc=False):
    """Who waits, and since when. Written by ``work.waits``."""

    who: str = ""  # the incarnation all this is of
    waits_from: int = 0  # since when somebody waits, but for lulls
    waited_at: int = 0
    excused_at: int = 0  # until then nothing can be held against the server: asleep, loading, stopped, unobserved


class Work(msgspec.Struct, frozen=True, gc=False):
    """The work of one endpoint, from its clients, the canary, its counters and its processes."""

    flow: Flow = Flow()
    asked: Asked = Asked()
    canaries: Canaries = Canaries()
    counted: Counted = Counted()
    machine: Machine = Machine()
    busy: Looks = Looks()
    wellness: Wellness = Wellness()
    waits: Waits = Waits()
    behind: tuple[str, ...] = ()  # endpoints this one stands in front of, as the operator said. By ``work.gateway``

    @property
    def engine_seen(self) -> bool:
        """Whether the engine is known to be among the processes: else idle processes say nothing of the engine."""
        return self.busy.toiled or self.machine.gpu_joined or bool(self.asked.scheduler_at)
