"""A stop in the making, as the fold remembers it."""

from __future__ import annotations

import msgspec

from seatrial.records import Event, Family, Threads
from seatrial.stops.state.incarnations import ChildEnd, Exit, Growth, Main, Oom, Proof, Sign
from seatrial.stops.state.limits import SETTLE_NS
from seatrial.stops.state.sights import Sight


class Statement(msgspec.Struct, frozen=True, gc=False):
    """What the reader of a server's work says of a stop: of a WEDGED, and of a gap because the way is lost."""

    kind: str = ""
    cause: str = ""
    hypotheses: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    need: int = 0  # how long the silence had to last, ns
    withdrawn: bool = False  # tokens that came to light later show that there was no stop


class Testimony(msgspec.Struct, frozen=True, gc=False):
    """What witnesses say of a stop: threads, the server's log and counters, the GPU's driver.

    Written by ``state.testimony``.
    """

    read: Threads | None = None
    log: tuple[str, ...] = ()  # the last lines, read at the stop or after it
    log_old: frozenset[str] = frozenset()  # lines that stood there before the stop
    log_at: int = 0
    log_note: str = ""
    log_ends: tuple[str, ...] | None = None  # lines by which its kind says that it ends in order; None: nobody told
    xids: tuple[Event, ...] = ()  # errors of the GPU's driver around the stop
    told: dict[str, str] = {}  # what else was said, once by each source


LOOPS = 3
"""So many ends in a row without an answer are a crash loop."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """What was said of a stop when it was handed out. Where the stop differs now, it is handed out again."""

    family: Family
    over: bool
    status: int | None
    planned: bool
    loops: int = 0

    @classmethod
    def of(cls, case: Case) -> Said:
        """What would be said of a case now. A crash loop is said at its third end, then at ten, a hundred of them."""
        status, ends = case.exit.status if case.exit else None, case.loop.deaths + 1
        return cls(case.family, case.until is not None, status, case.planned, len(str(ends)) if ends >= LOOPS else 0)


class Loop(msgspec.Struct, frozen=True, gc=False):
    """Lives after a stop that ended before they answered. Written by ``process.again``."""

    deaths: int = 0
    at: int = 0  # the latest end
    main: Main | None = None  # who ended so last
    shortest: int = 0  # ns
    longest: int = 0
    latest: int | None = None  # the raw wait status of the latest end; None: not known
    ends: frozenset[int | None] = frozenset()  # of all, as far as they differ


class Case(msgspec.Struct, frozen=True, gc=False):
    """A stop in the making. ``bad_at``: the last proof that the stop still went on."""

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
    succeeded_at: int = 0  # the successor's process started: who answers from then on may be the successor
    starts: int = 0  # how many successors there were
    loop: Loop = Loop()
    heir: Main | None = None  # who has the port now, and was there before the end: no successor
    followed: tuple[Main, ...] = ()  # heirs that ended too before they answered
    suspects: frozenset[str] = frozenset()
    oom_before: Oom | None = None
    oom_after: Oom | None = None
    evidence: tuple[str, ...] = ()
    look: Sign | None = None  # the last sample of the process
    sizes: tuple[tuple[int, int], ...] = ()  # sizes of the address space in the last looks: time, bytes
    growth: Growth | None = None  # of memory, shortly before
    child: ChildEnd | None = None  # a child that ended shortly before the stop
    planned: bool = False  # no stop: a job that was done
    of_child: bool = False  # a child ended; its parent, the server's main process, lived on
    shown: Sight = Sight.NONE
    testimony: Testimony = Testimony()
    statement: Statement = Statement()
    said: Said | None = None  # as the stop was handed out last

    def may_answer(self, now: int) -> bool:
        """Whether its first successor was found a moment ago: all is told at once, when that answers."""
        new = self.successor if self.starts == 1 and self.until is None else None
        return self.family == "RESTARTED" and new is not None and now - new.found_at < SETTLE_NS
