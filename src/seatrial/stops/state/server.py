"""What the fold remembers of each endpoint. All frozen: a line makes a new :class:`Server` of the old one.

A server is made of parts. Each field of a part is written by one reader, which the part names; everybody may read.
A new incarnation of the main process begins a new :class:`Life`: what the old life knew of its process, its socket and
its answers is gone with it.
"""

from __future__ import annotations

import msgspec

from seatrial.records import SECOND, Event, Log, Offered, Stop, Threads
from seatrial.stops.state.case import Case
from seatrial.stops.state.incarnations import ChildEnd, Ended, Main, Oom, Proof, Sign
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.streams import Streams
from seatrial.stops.state.work import Work

LOOKS_NS = 5 * SECOND
"""The last looks at an address space: what grew before them is no sign of how the process ended."""


class Body(msgspec.Struct, frozen=True, gc=False):
    """The main process as its samples show it. Written by ``process.frozen``."""

    sign: Sign | None = None
    sizes: tuple[tuple[int, int], ...] = ()  # of its address space: each time it was another than before

    def lately(self) -> tuple[tuple[int, int], ...]:
        """The sizes of the last looks: the size at their beginning, and each that followed."""
        if self.sign is None:
            return ()
        since = self.sign.at - LOOKS_NS
        return (*[size for size in self.sizes if size[0] <= since][-1:], *[s for s in self.sizes if s[0] > since])


class Ear(msgspec.Struct, frozen=True, gc=False):
    """The LISTEN socket in this life. Written by ``process.deaf``."""

    listened: Proof | None = None
    refused_at: int = 0  # first refused connection since it last listened
    unheard: int = 0  # probes in a row without a LISTEN socket
    unheard_since: int = 0


class Pulse(msgspec.Struct, frozen=True, gc=False):
    """What became of the questions to /health in this life. Written by ``process.afar``."""

    answered: Proof | None = None  # the last answer
    closed: int = 0  # probes since the last answer that prove that no server answers
    closed_since: int = 0
    closed_at: int = 0
    closed_by: frozenset[str] = frozenset()  # their words
    lost: int = 0  # probes since the last answer that found no way to the server
    mute: int = 0  # probes in a row that /health did not answer in time
    mute_since: int = 0  # the first of them


class Life(msgspec.Struct, frozen=True, gc=False):
    """One incarnation of the main process. Written by ``process.deaths``, but for its parts."""

    main: Main | None = None
    lives: bool = False
    before: Main | None = None  # the incarnation before this one
    before_planned_at: int = 0
    planned_at: int = 0  # a stop was announced
    body: Body = Body()
    ear: Ear = Ear()
    pulse: Pulse = Pulse()


class Address(msgspec.Struct, frozen=True, gc=False):
    """The endpoint's address, whoever serves there. Written by ``process.deaf``."""

    socket: tuple[int, int] = (0, 0)  # inode and owner of the LISTEN socket, as last known together
    inode: int = 0  # of the LISTEN socket, as last seen, whoever owns it
    afar: bool = False  # the server answers though no LISTEN socket is seen: HTTP alone tells
    remote: bool = False  # no process is observable
    shared: bool = False  # several processes have LISTEN sockets at the port
    blind: bool = False  # nobody looked until now: what the next probe says was found before the gap


class Memory(msgspec.Struct, frozen=True, gc=False):
    """Counts of kills for want of memory, and who used how much of late. Written by ``state.memory``."""

    ooms: tuple[Oom, ...] = ()
    used: dict[str, tuple[tuple[int, int], ...]] = {}  # incarnation -> time, bytes: each time it had changed
    pids: dict[str, int] = {}  # incarnation -> pid


class Children(msgspec.Struct, frozen=True, gc=False):
    """The processes below the main one. Written by ``process.children``."""

    living: dict[int, Main] = {}  # by pid, as far as is known
    child_ends: tuple[ChildEnd, ...] = ()  # the latest, without a successor so far
    gone: dict[str, int] = {}  # program -> when a child of it ended last
    helpers: frozenset[str] = frozenset()  # programs of children without which a canary was answered


class Requests(msgspec.Struct, frozen=True, gc=False):
    """The requests of clients. Written by ``process.requests``."""

    in_flight: dict[str, int] = {}
    ended: tuple[Ended, ...] = ()  # the latest requests that are over
    spoken_at: int = 0  # the first request to the server was sent


class Witnesses(msgspec.Struct, frozen=True, gc=False):
    """What witnesses said last, of whatever stop. Written by ``process.witnesses``."""

    threads: Threads | None = None
    logs: tuple[Log, ...] = ()  # the latest readings
    driver: tuple[Event, ...] = ()  # the latest errors of the GPU's driver on this host
    mark: str = ""  # the server's own mark of its start
    asleep: tuple[int, int] = (0, 0)  # the first and last reading of the latest time in which no model was loaded
    awake_at: int = 0  # the latest reading by which a model was loaded


class Storm(msgspec.Struct, frozen=True, gc=False):
    """What a log grew by while it grew fast. Written by ``process.storms``."""

    since: int = 0  # 0: it does not
    until: int = 0
    lines: int = 0
    size: int = 0


class Served(msgspec.Struct, frozen=True, gc=False):
    """What the server said that it serves, in its first life that told it. Written by ``identity.models``."""

    at: int = 0
    models: tuple[Offered, ...] = ()
    build: str = ""  # as last told


class Rivals(msgspec.Struct, frozen=True, gc=False):
    """Another server that owns the port too. Written by ``identity.owners``."""

    since: int = 0  # 0: there is none
    alone: Proof | None = None  # the last look at which there was none; None: there has been none since


class Server(msgspec.Struct, frozen=True, gc=False):
    """One endpoint as the lines so far show it. Proofs and stops are written by ``state.cases``, all else in parts."""

    name: str
    life: Life = Life()
    address: Address = Address()
    memory: Memory = Memory()
    children: Children = Children()
    requests: Requests = Requests()
    witnesses: Witnesses = Witnesses()
    storm: Storm = Storm()
    served: Served = Served()
    rivals: Rivals = Rivals()
    work: Work = Work()
    streams: Streams = Streams()
    proofs: tuple[Proof, ...] = ()  # of life: the latest, in order
    cases: tuple[Case, ...] = ()
    opened: int = 0  # how many stops were ever opened: their ids are counted by it
    done: tuple[Stop, ...] = ()  # stops so long over that no line bears on them any more


class State(msgspec.Struct, frozen=True, gc=False):
    """All endpoints, and the clock of the fold: the recorder's heartbeat. The clocks are written by ``clock``."""

    servers: dict[str, Server] = {}
    tick: int = 0
    boot_offset: int | None = None  # CLOCK_BOOTTIME minus CLOCK_MONOTONIC, ns
    drift: int | None = None  # the wall clock minus CLOCK_BOOTTIME, ns
    awake: int | None = None  # CLOCK_BOOTTIME minus CLOCK_MONOTONIC_RAW: it grows while the machine sleeps
    steps: tuple[Stop, ...] = ()  # steps of the wall clock
    gpus: dict[int, frozenset[str]] = {}  # GPU -> pids on it
    last: int = 0  # time of the last line, whoever wrote it
    limits: Limits = Limits()
