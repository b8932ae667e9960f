"""A stop in the making, as the fold remembers it."""

from __future__ import annotations

import msgspec

from seatrial.records import Event, Family, Threads
from seatrial.stops.state.incarnations import ChildEnd, Exit, Main, Oom, Proof, Sign
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


class Said(msgspec.Struct, frozen=True, gc=False):
    """What was said of a stop when it was handed out. Where the stop differs now, it is handed out again."""

    family: Family
    over: bool
    status: int | None
    planned: bool

    @classmethod
    def of(cls, case: Case) -> Said:
        """What would be said of a case now."""
        return cls(case.family, case.until is not None, case.exit.status if case.exit else None, case.planned)


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
    heir: Main | None = None  # who has the port now, and was there before the end: no successor
    suspects: frozenset[str] = frozenset()
    oom_before: Oom | None = None
    oom_after: Oom | None = None
    evidence: tuple[str, ...] = ()
    look: Sign | None = None  # the last sample of the process
    sizes: tuple[tuple[int, int], ...] = ()  # sizes of the address space in the last looks: time, bytes
    child: ChildEnd | None = None  # a child that ended shortly before the stop
    planned: bool = False  # no stop: a job that was done
    of_child: bool = False  # a child ended; its parent, the server's main process, lived on
    shown: Sight = Sight.NONE
    testimony: Testimony = Testimony()
    statement: Statement = Statement()
    said: Said | None = None  # as the stop was handed out last
