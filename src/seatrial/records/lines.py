"""What a run directory holds, one JSON object a line, tagged by ``kind``."""

from __future__ import annotations

from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """Head of every line: version, writer, the writer's sequence number from 1, time of writing."""

    v: int = 0
    w: str = ""
    n: int = 0
    t: int = 0


class Clock(Line, frozen=True, kw_only=True, tag="clock"):
    """The writer's clocks, each second: a heartbeat, and the witness of stepped clocks and of suspends."""

    wall_ns: int
    boot_ns: int
    raw_ns: int


class Planned(Line, frozen=True, kw_only=True, tag="planned"):
    """One case before it runs. ``rule`` with ``[scenario]`` and ``@endpoint`` make the case's name."""

    case: str
    endpoint: str
    rule: str
    scenario: str
    suite: str
    hazard: int = 0
    killer: bool = False  # its request has ended servers: sent alone, when all before it is judged
    requests: int = 1
    tokens: int = 0


class Sent(Line, frozen=True, kw_only=True, tag="sent"):
    """A request is about to leave. The exchange is named ``<w>-<n>`` after this line's head."""

    endpoint: str
    scenario: str
    method: str
    path: str
    request: tuple[int, int] = (0, 0)  # offset and length in bytes.bin
    generation: int = 0
    load: bool = False  # of a soak: its row is a LoadRow

    @property
    def id(self) -> str:
        """The exchange's name."""
        return f"{self.w}-{self.n}"


class Received(Line, frozen=True, kw_only=True, tag="received"):
    """How a request ended. Frames are (time, length) of each read; their bytes follow each other in bytes.bin."""

    id: str
    endpoint: str
    scenario: str
    method: str
    path: str
    request: tuple[int, int]
    response: tuple[int, int]
    frames: tuple[tuple[int, int], ...] = ()
    sent_at: int = 0
    ended_at: int = 0
    error: str = ""  # a word of wire.errors.ERRORS; empty: the answer ended as its framing says
    detail: str = ""
    connection: int = 0  # counts requests on the same connection, from 0
    generation: int = 0
    retries: int = 0  # answers 429 or 503 waited out before this one
    dropped: bool = False  # the byte budget of the run was used up; no bytes stored


class Judgement(Line, frozen=True, kw_only=True, tag="judgement"):
    """What a case was judged on. Replayed offline by ``seatrial judge``.

    ``exchanges`` maps the names of a scenario's requests to exchange ids. ``absent`` tells why there is nothing to
    judge (the server was gone, a fixture failed): such a case is INCONCLUSIVE.
    """

    case: str
    endpoint: str
    rule: str
    exchanges: dict[str, str] = {}
    expect: dict[str, Any] = {}
    absent: str = ""


class Sample(Line, frozen=True, kw_only=True, tag="sample"):
    """What the recorder saw of one process of a server at ``t``. A field that could not be read is None, never zero."""

    name: str
    pid: int
    incarnation: str
    parent: int | None = None  # pid of the server's process it belongs to; None: it is the listener itself
    state: str | None = None  # R S D T t Z of /proc/PID/stat
    cpu_ns: int | None = None  # user and system time since its start
    memory: int | None = None  # RssAnon + VmSwap: what swapping cannot hide
    threads: int | None = None
    fds: int | None = None
    switches: int | None = None  # context switches since its start


class Probe(Line, frozen=True, kw_only=True, tag="probe"):
    """The rungs of the ladder of one endpoint, once a second. None: not observable here, and ``why`` says so."""

    name: str
    listens: bool | None = None
    inode: int | None = None
    queue: int | None = None  # connections waiting in the LISTEN socket
    owner: int | None = None  # pid that owns the socket
    health: int | None = None  # HTTP status of /health; None: no answer
    health_ns: int | None = None
    error: str = ""
    oom_host: int | None = None  # oom_kill of /proc/vmstat
    oom_cgroup: int | None = None
    why: str = ""


class Gpu(Line, frozen=True, kw_only=True, tag="gpu"):
    """One GPU, over its driver's last sample period; ``busy``: percent of it with a kernel running."""

    index: int
    uuid: str
    busy: int | None = None
    memory: int | None = None
    processes: dict[str, int | None] = {}  # pid -> bytes
    power_mw: int | None = None
    error: str = ""


class Event(Line, frozen=True, kw_only=True, tag="event"):
    """Something that happened once, seen by the recorder or the keeper.

    what: ``found`` (an incarnation of a server), ``exit``, ``lost`` (a process is gone and how it ended was not seen),
    ``replaced``, ``planned-stop``, ``ready``, ``start``, ``phase`` (of the load), ``seal`` (the end of the record),
    ``trouble`` (an evidence source fails; said once).
    """

    what: str
    name: str
    at: int
    pid: int = 0
    incarnation: str = ""
    started_ticks: int = 0
    parent: int = 0
    status: int | None = None  # raw wait status
    source: str = ""  # where the status comes from: waitid, pidfd-info, zombie, or why it is not observable
    signalled_at: int = 0  # the observer's first sign, before the status was read
    generation: int = 0
    text: str = ""
    facts: dict[str, str] = {}  # the fingerprint: exe, arguments without secrets, session, limits


class LoadRow(Line, frozen=True, kw_only=True, tag="load"):
    """One soak request. Times are absolute; 0 means it never came. ``outcome`` is of load.outcomes.OUTCOMES."""

    id: str
    endpoint: str
    outcome: str
    intended_at: int
    sent_at: int
    ended_at: int
    first_at: int = 0  # first content, reasoning or tool delta: TTFT = first_at - sent_at
    last_at: int = 0  # last delta: E2E = last_at - sent_at
    gap_from: int = 0  # the longest silence between deltas
    gap_to: int = 0
    prompt_tokens: int | None = None
    tokens: int | None = None  # usage of the server
    deltas: int = 0
    finish_reason: str = ""
    status: int = 0
    detail: str = ""
    findings: tuple[str, ...] = ()  # ids of single rules that found something on this stream
    draining: bool = False


class Counters(Line, frozen=True, kw_only=True, tag="counters"):
    """The server's own totals at one moment of a soak (llama.cpp ``/metrics``, the golden server's truth)."""

    endpoint: str
    phase: str  # before, after
    requests: int | None = None
    prompt_tokens: int | None = None
    tokens: int | None = None
    source: str = ""


class NotTested(Line, frozen=True, kw_only=True, tag="not-tested"):
    """What was not planned, by the user's choice or for want of a precondition, and why. No outcome."""

    what: str
    why: str
    endpoint: str = ""  # empty: of the whole run


class Phase(Line, frozen=True, kw_only=True, tag="phase"):
    """A soak's phases: ``start``, ``drain``, ``end``; ``facts`` holds its settings or how it ended."""

    endpoint: str
    what: str
    at: int
    facts: dict[str, str] = {}


LINES = (
    Clock
    | Planned
    | Sent
    | Received
    | Judgement
    | Sample
    | Probe
    | Gpu
    | Event
    | LoadRow
    | Counters
    | NotTested
    | Phase
)
