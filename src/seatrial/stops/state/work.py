"""What the fold remembers of a server's work: who waits, what progressed, how busy it was. All frozen, times in ns."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from seatrial.records import Ask, Family, Meter, Threads

Fault = Literal["", "network or gateway", "engine"]
"""Whose fault a stalled stream is; empty: not known."""


ILL = 500
"""From this status on /health says that the server is not well."""

_Item = TypeVar("_Item")


def latest(row: tuple[_Item, ...], new: _Item, most: int) -> tuple[_Item, ...]:
    """A row with one more at its end; of more than ``most`` the oldest are dropped."""
    return row[1 - most :] + (new,)  # noqa: RUF005 - a line of a record comes through here: unpacking takes a third more


def without(flying: dict[str, int], name: str) -> dict[str, int]:
    """The requests under way without one that is over; the same object where it was none of them."""
    if name not in flying:
        return flying
    left = {**flying}
    del left[name]
    return left


class Look(msgspec.Struct, frozen=True, gc=False):
    """How busy a server's whole process tree was at one heartbeat; totals since the watch began.

    ``cpu`` is None where no process was read since the heartbeat before.
    """

    at: int
    cpu: int | None = None
    io: int | None = None
    disk: bool = False  # one of its processes slept uninterruptibly: for a disk, as far as is known
    waits: bool = False  # somebody waited for it


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One reading of the server's own counters: whether they had moved, and how many requests it worked on."""

    at: int
    moved: bool
    running: int | None
    live: bool  # they move with each token, not only at the end of a request


class Work(msgspec.Struct, frozen=True, gc=False):
    """The work of one endpoint, from its clients, the canary, its counters and its processes."""

    progress_at: int = 0  # the last token, or growth of a counter
    progress: str = ""  # what it was
    answered_at: int = 0  # the last answer without a token: empty, an error of the server, a request counted no more
    excused_at: int = 0  # until then nothing can be held against it: asleep, loading, stopped, unobserved
    waits_from: int = 0  # since when somebody waits, but for lulls
    waited_at: int = 0
    flying: dict[str, int] = {}  # requests to its engine that are under way, and when they were sent
    canary: Ask | None = None  # the one under way
    failed: tuple[Ask, ...] = ()  # canaries that failed in a row: the first of them, and the latest ones
    rights: tuple[tuple[int, int], ...] = ()  # the latest canaries that got their token: asked, over
    silence: tuple[int, int] = (0, 0)  # the longest stretch in which a request that is over got nothing
    silent_from: int = 0  # the scheduler was asked and has not answered since
    scheduler_at: int = 0  # last line about it
    answers_at: int = 0  # its last answer
    meters: dict[str, Meter] = {}  # the last reading of each source
    readings: tuple[Reading, ...] = ()
    marks: tuple[int, ...] = ()  # times of progress, in the order in which they came to light
    cpu: int = 0
    io: int = 0
    processes: dict[int, tuple[str, int | None, int | None]] = {}  # pid -> incarnation, CPU, bytes read and written
    sampled_at: int = 0
    disk: bool = False
    looked_at: int = 0  # the sample that the last look took in
    looks: tuple[Look, ...] = ()
    toiled: bool = False  # its processes once used CPU as an engine does, and no proxy
    gpu_at: int = 0  # a GPU was read
    gpu_busy_at: int = 0  # and was busy, with us as far as can be told
    gpu_joined: bool = False  # one of our processes was seen on a GPU
    threads: Threads | None = None
    health: int | None = None
    health_at: int = 0
    well_at: int = 0  # /health was no error, or a canary right, in this life
    ill_from: int = 0  # since then each answer of /health is an error of the server (5xx)
    child_gone: str = ""  # a process of its tree that ended, and how
    child_gone_at: int = 0
    behind: tuple[str, ...] = ()  # endpoints this one stands in front of, as the operator said
    who: str = ""  # the incarnation all this is of

    @property
    def engine_seen(self) -> bool:
        """Whether the engine is known to be among its processes: else that they idle says nothing of it."""
        return self.toiled or self.gpu_joined or bool(self.scheduler_at)


class Told(msgspec.Struct, frozen=True, gc=False):
    """What is said of a case beside the common facts."""

    kind: str = ""
    cause: str = ""
    hypotheses: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    need: int = 0  # how long the silence had to last, ns
    withdrawn: bool = False  # tokens that came to light later show that there was none


class Broken(msgspec.Struct, frozen=True, gc=False):
    """One stream that went wrong. ``alive_at``: its last token; ``dead_at``: first proof that it was broken."""

    family: Family
    id: str
    kind: str
    alive_at: int
    dead_at: int
    over_at: int  # when the stream ended
    seen_at: int
    until: int | None = None  # tokens came again
    fault: Fault = ""
    why: str = ""  # what shows whose fault it was
    text: str = ""  # what was seen
    proof: str = ""


class Trouble(msgspec.Struct, frozen=True, gc=False):
    """All streams of one family on one endpoint: the first, how many, and the first few ids."""

    first: Broken
    streams: int
    ids: tuple[str, ...]
    until: int | None
    kinds: dict[str, int] = {}
    faults: dict[str, int] = {}
    said: int = 0  # how many had been told when it was last handed out
    said_at: int = 0
    said_cause: str = ""


class Streams(msgspec.Struct, frozen=True, gc=False):
    """What is known of an endpoint's streams."""

    pending: tuple[Broken, ...] = ()  # it is not yet known whether a stop broke them
    troubles: dict[Family, Trouble] = {}
    reasons: int = 0  # streams that ended with a finish_reason
    unfinished: tuple[Broken, ...] = ()  # ended without, while it is not known whether this server sends any
    canary: str = ""  # the last canary that was counted
    works: bool = False  # a canary has been right
    whole_from: int = 0  # the latest stream that was in order was asked for then
