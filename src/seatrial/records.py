"""The shared words: what every room writes, reads and hands on.

Two families stand here. *Lines* (subclasses of :class:`Line`) are what a run directory holds, one JSON object a
line, tagged by ``kind``; :mod:`seatrial.rundir` stamps their head and reads them back. *Views* (:class:`Exchange`
and its parts) are what rules read: one request and its answer, assembled from recorded bytes by
:mod:`seatrial.wire.assemble`. Both are frozen.

Every time is CLOCK_MONOTONIC in nanoseconds unless its name says otherwise (``wall_ns``, ``_s``, ``_ms``): the wall
clock steps, and a duration must not. Sizes are bytes. No field may hold the API key: the transports mask it before
anything is written.

A new optional field needs no version step; a changed or removed one does (``VERSION``).
"""

from __future__ import annotations

import enum
from typing import Any, Literal

import msgspec

VERSION = 1


class Outcome(enum.StrEnum):
    """What became of a case. The only words; ARCHITECTURE.md has the table of their effects."""

    PASS = "PASS"  # noqa: S105 - a word, no password
    FAIL = "FAIL"
    ADVISORY = "ADVISORY"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNSUPPORTED = "UNSUPPORTED"
    WAIVED = "WAIVED"
    NOT_EXECUTED = "NOT_EXECUTED"


class Ready(enum.StrEnum):
    """The verdict over an endpoint or a run."""

    READY = "READY"
    NOT_READY = "NOT READY"
    NOT_PROVEN = "NOT PROVEN"


class Level(enum.StrEnum):
    """How binding a rule is: the specification or an SDK crash (MUST), prose or named clients (SHOULD), or neither."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Hazard(enum.IntEnum):
    """How dangerous a request is to the server. Sent in this order; HEAVY and above hold the endpoint alone."""

    POLITE = 0
    CARELESS = 1
    HEAVY = 2
    HOSTILE = 3


class Finding(msgspec.Struct, frozen=True):
    """One diagnosis of a rule: what, where, expected, got, and what it does to a client."""

    kind: Literal["violation", "refusal", "no-evidence"]
    where: str
    expected: str
    got: str
    consequence: str = ""
    grave: bool = False  # FAIL whatever the rule's level: "200 and ignored", no answer within the deadline
    optional: bool = False  # of a refusal: of a request for an optional capability; UNSUPPORTED whatever the rule


# lines of a run directory


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

# files of a run directory


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """run.json: what this run is. Arguments stand here without secrets."""

    v: int = VERSION
    id: str
    started: str  # ISO 8601, UTC: a label, and the day against which waivers expire
    started_ns: int  # monotonic
    boot_id: str
    arguments: tuple[str, ...]
    versions: dict[str, str]
    seed: int
    options: dict[str, Any] = {}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """endpoints/NAME.json: who answers, found out before the plan and after each restart."""

    v: int = VERSION
    name: str
    url: str  # base URL that ends in /v1 (or what the operator's prefix makes of it); never holds credentials
    kind: str  # a profile's name
    model: str
    models: tuple[str, ...]
    build: str = ""
    slots: int | None = None
    context: int | None = None  # tokens a slot
    template: str = ""  # in words, where the server tells
    pid: int | None = None
    generation: int = 0
    embedded: bool = False
    demo: bool = False
    thinking: bool = False  # reasoning was seen at identity
    cap_factor: float = 1.0  # every cap is multiplied by it where thinking has no off-switch
    extra_body: dict[str, Any] = {}
    facts: dict[str, str] = {}
    capabilities: dict[str, bool] = {}


# what is sent


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a scenario. ``{model}`` in the path and the body's ``model: None`` stand for the endpoint's."""

    method: str = "POST"
    path: str = "/chat/completions"  # below the base URL
    body: Any = None  # JSON, or
    raw: bytes | None = None  # bytes as they are
    headers: dict[str, str] = {}


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, once per endpoint: requests by name, in order. Rules choose scenarios by ``traits``."""

    requests: dict[str, Request]
    traits: frozenset[str]
    hazard: Hazard = Hazard.POLITE
    one_connection: bool = False  # all requests on one connection, where the server keeps it
    alone: bool = False  # holds the endpoint alone: text is compared
    deadline_s: float | None = None
    tokens: int = 0  # the most it may generate, for the plan


# what rules read


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One SSE event. ``json`` is what its data decodes to; where it does not, it is None and ``fault`` says why."""

    index: int  # position among the events, from 0
    at: int  # arrival of its last byte
    data: str
    event: str = ""  # the event's type field
    json: Any = None
    fault: str = ""
    done: bool = False  # data is exactly [DONE]

    @property
    def choices(self) -> tuple[dict[str, Any], ...]:
        """The objects in ``choices``; anything else in it is left out."""
        listed = self.json.get("choices") if isinstance(self.json, dict) else None
        return tuple(c for c in listed if isinstance(c, dict)) if isinstance(listed, list) else ()


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer, as recorded. A rule's only source of facts."""

    id: str
    endpoint: str
    scenario: str
    method: str
    path: str
    request_headers: tuple[tuple[str, str], ...]
    request_body: bytes
    request_json: Any
    sent_at: int
    ended_at: int
    status: int | None  # None: no complete status line and headers came
    reason: str
    http_version: str
    headers: tuple[tuple[str, str], ...]  # names in lower case, in order of arrival
    raw: bytes  # the answer as received, framing and all
    body: bytes  # de-chunked, inflated
    json: Any  # of a body that is not a stream; None where it does not decode
    fault: str  # why the body does not decode, or its framing is broken
    chunks: tuple[Chunk, ...]  # events of a text/event-stream answer, in order
    comments: int  # comment lines of the stream
    tail: bytes  # bytes after the last complete event
    error: str = ""
    detail: str = ""
    connection: int = 0
    generation: int = 0
    retries: int = 0
    chunked: bool = False
    last_chunk: bool = False  # the terminating chunk of a chunked body came
    dropped: bool = False  # not stored: the run's byte budget was used up

    def header(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters; empty where none was sent."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_stream(self) -> bool:
        return self.content_type == "text/event-stream"


class Expect(msgspec.Struct, frozen=True, kw_only=True):
    """What rules must know of the endpoint beside the bytes. Written with each judgement."""

    models: tuple[str, ...] = ()
    model: str = ""
    kind: str = "generic"
    thinking: bool = False
    cap_factor: float = 1.0
    wall_s: float = 0.0  # the client's wall clock at the start of the run
    strict: bool = False  # the strict reading: every field the OpenAPI document calls required
    settings: dict[str, Any] = {}  # of a probe: n, interval, planned size


class SoakRun(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint's soak, as its rules read it: rows in order of sending, counters and phases in order of time."""

    rows: tuple[LoadRow, ...]
    counters: tuple[Counters, ...]
    phases: tuple[Phase, ...]
    unfinished: tuple[str, ...] = ()  # ids with a sent line and no row


# verdicts


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """One silent stop, from the fold over the record. Times are monotonic; ``*_wall`` are labels."""

    id: str = ""  # name and number: an update of a stop (its end, sharper times) keeps it
    name: str
    family: Literal["STOPPED", "RESTARTED", "DEAF", "FROZEN", "WEDGED", "UNOBSERVED"]
    alive_at: int  # last proof of life
    dead_at: int  # first proof of death
    kind: str = ""  # signal, exit, crash, oom, unknown
    until: int | None = None  # it came back; None: it did not while we watched
    proof: str = ""  # what the last proof of life was
    rung: str = ""  # first broken rung
    pid: int = 0
    incarnation: str = ""
    successor: str = ""
    signal: int | None = None
    code: int | None = None
    source: str = ""  # how the exit status was learned, or why it was not
    pidfd_at: int | None = None
    uptime_s: float | None = None
    evidence: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    cause: str = "UNKNOWN"
    hypotheses: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()  # exchange ids in flight
    sent: dict[str, str] = {}  # what they were: id -> scenario
    log: tuple[str, ...] = ()  # the last lines
    planned: bool = False


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A case with its outcome, its findings and what stands behind them."""

    case: str
    endpoint: str
    rule: str
    scenario: str
    suite: str
    outcome: Outcome
    level: str = ""
    findings: tuple[Finding, ...] = ()
    exchanges: dict[str, str] = {}
    known: str = ""  # the profile's word on a known deviation
    waiver: str = ""
    figures: dict[str, str] = {}
    why: str = ""  # of INCONCLUSIVE and NOT_EXECUTED


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why an endpoint is not READY, in the words the first screen prints."""

    word: str  # SILENT STOP, FAIL, INCONCLUSIVE, NOT_EXECUTED
    text: str
    case: str = ""
    level: str = ""


class EndpointVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint's part of verdict.json. ``figures`` maps a line's name (conformance, behaviour ...) to its text."""

    verdict: Ready
    reasons: tuple[Reason, ...]
    counts: dict[str, int]
    figures: dict[str, str]


class Waived(msgspec.Struct, frozen=True, kw_only=True):
    """A FAIL that the operator's own word covers."""

    case: str
    who: str
    why: str
    until: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """verdict.json, the one authority: terminal, Allure's gate and the Markdown page repeat it."""

    v: int = VERSION
    run: str
    exit: int
    endpoints: dict[str, EndpointVerdict]
    outcomes: dict[str, Outcome]  # "rule[scenario]@NAME" -> word
    stops: tuple[Stop, ...] = ()
    not_tested: tuple[tuple[str, str], ...] = ()  # what, why
    waived: tuple[Waived, ...] = ()
    notices: tuple[str, ...] = ()
