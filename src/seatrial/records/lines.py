"""What a run directory holds, one JSON object a line, tagged by ``kind``."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from seatrial.records.words import Happening, NoteWord, Number, Outcome, Real, Whole

FILE, ROOT = "file", "root"
"""Marks that name a model: the file, or the folder or hub's name, from which it was loaded, without what is before."""


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """One model that a server offers.

    Attributes:
        aliases: other names that it answers to.
        marks: what the server tells of the model itself, whatever the model is called: its size, where its weights lie.
    """

    id: str
    aliases: tuple[str, ...] = ()
    marks: dict[str, str] = {}


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", gc=False):
    """Head of every line: version, writer, the writer's sequence number from 1, time of writing."""

    v: Whole = 0
    w: str = ""
    n: Number = 0
    t: Whole = 0


class Clock(Line, frozen=True, kw_only=True, tag="clock"):
    """The writer's clocks, each second: a heartbeat, and the witness of stepped clocks and of suspends."""

    wall_ns: Whole
    boot_ns: Whole
    raw_ns: Whole


class Planned(Line, frozen=True, kw_only=True, tag="planned"):
    """One case before it runs. ``rule`` with ``[scenario]`` and ``@endpoint`` make the case's name."""

    case: str
    endpoint: str
    rule: str
    scenario: str
    suite: str
    hazard: Whole = 0
    depth: Whole = 0
    within: Whole = 0  # the longest context of an endpoint to which it is sent; 0: any, known or not
    killer: bool = False  # its request has ended servers: sent alone, when all before it is judged
    requests: Whole = 1
    tokens: Whole = 0
    before: str = ""  # the scenario whose request is answered before it
    traits: tuple[str, ...] = ()  # of its scenario: what is sent, for those who have no scenarios
    of_run: str = ""  # the run in which it was asked; empty: it is asked in this one


class Sent(Line, frozen=True, kw_only=True, tag="sent"):
    """A request is about to leave. The exchange is named ``<w>-<n>`` after this line's head."""

    endpoint: str
    scenario: str
    method: str
    path: str
    request: tuple[Whole, Whole] = (0, 0)  # offset and length in bytes.bin
    generation: Whole = 0
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
    request: tuple[Whole, Whole]
    response: tuple[Whole, Whole]
    frames: tuple[tuple[Whole, Whole], ...] = ()
    sent_at: Whole = 0
    ended_at: Whole = 0
    error: str = ""  # a word of wire.decoding.errors.ERRORS; empty: the answer ended as its framing says
    detail: str = ""
    connection: Whole = 0  # counts requests on the same connection, from 0
    generation: Whole = 0
    retries: Whole = 0  # answers 429 or 503 waited out before this one
    dropped: bool = False  # no bytes stored: the byte budget of the run was used up, or they were not to be kept
    sums: tuple[Whole, Whole] = (0, 0)  # of the bytes of request and response, by run.sums; 0: none was made
    of_run: str = ""  # the run that it is copied from: its times are of that run's clock; empty: of this one


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What a case was judged to be while the bytes of its exchanges were there; they were not kept."""

    outcome: Outcome
    why: str = ""
    figures: dict[str, str] = {}
    answered: dict[str, bool] = {}  # way in which a chat of it was sent, plain or streamed: whether it was answered


class Judgement(Line, frozen=True, kw_only=True, tag="judgement"):
    """What a case was judged on. Replayed offline by ``seatrial judge``.

    ``exchanges`` maps the names of a scenario's requests to exchange ids. ``absent`` tells why there is nothing to
    judge (the server was gone, a fixture failed): such a case is INCONCLUSIVE. ``settled`` holds the outcome of a case
    that cannot be judged again, for its bytes were not kept.
    """

    case: str
    endpoint: str
    rule: str
    exchanges: dict[str, str] = {}
    expect: dict[str, Any] = {}
    absent: str = ""
    settled: Settled | None = None
    suite: str = ""  # of a case that could not be planned: what an operator's own test sends is not known beforehand


class Sample(Line, frozen=True, kw_only=True, tag="sample"):
    """What the recorder saw of one process of a server at ``t``. A field that could not be read is None, never zero."""

    name: str
    pid: Whole
    incarnation: str
    parent: Whole | None = None  # pid of the server's process it belongs to; None: it is the listener itself
    state: str | None = None  # R S D T t Z of /proc/PID/stat
    cpu_ns: Whole | None = None  # user and system time since its start
    memory: Whole | None = None  # RssAnon + VmSwap: what swapping cannot hide
    threads: Whole | None = None
    fds: Whole | None = None
    switches: Whole | None = None  # context switches since its start
    io: Whole | None = None  # bytes passed by its read and write calls since its start: files, pipes and sockets
    size: Whole | None = None  # address space (VmSize)
    size_limit: Whole | None = None  # soft RLIMIT_AS; None: unlimited, or not readable
    frozen: bool | None = None  # a freezer holds its cgroup; of the listener, where it used no CPU time; None: not told
    wchan: str = ""  # where in the kernel its main thread waits; of the listener, where it used no CPU time


class Threads(Line, frozen=True, kw_only=True, tag="threads"):
    """Each thread of a process, every ten seconds and at once when a rung breaks: (tid, name, state, CPU ns, wchan)."""

    name: str
    pid: Whole
    incarnation: str
    threads: tuple[tuple[Whole, str, str, Whole | None, str], ...] = ()
    total: Whole = 0  # how many there are; ``threads`` may hold the first of them only


class Probe(Line, frozen=True, kw_only=True, tag="probe"):
    """The rungs of the ladder of one endpoint, once a second. None: not observable here, and ``why`` says so."""

    name: str
    listens: bool | None = None
    inode: Whole | None = None
    queue: Whole | None = None  # connections waiting in the LISTEN socket
    owner: Whole | None = None  # pid that owns the socket
    health: Whole | None = None  # HTTP status of /health; None: no answer
    health_ns: Whole | None = None
    error: str = ""
    oom_host: Whole | None = None  # oom_kill of /proc/vmstat
    oom_cgroup: Whole | None = None
    why: str = ""
    owners: tuple[Whole, ...] = ()  # pids, where several LISTEN sockets or processes share the port
    strangers: tuple[Whole, ...] | None = ()  # those that are of another server than ``owner``; None: not known yet
    established: Whole | None = None  # connections still ESTABLISHED to the port; counted while nobody listens
    page: str = ""  # which page was asked for ``health``; empty: /health


class Ask(Line, frozen=True, kw_only=True, tag="ask"):
    """One question to an upper rung of the ladder: each second while it is under way, and once when it is over.

    ``scheduler`` asks what only the engine's own loop can answer; ``canary`` asks for one token.
    """

    name: str
    rung: Literal["scheduler", "canary"]
    id: str  # "canary-12": the same in every line about one question
    asked_at: Whole
    ended_at: Whole = 0  # 0: under way
    status: Whole | None = None
    first_at: Whole = 0  # of a canary: the first token
    last_at: Whole = 0  # the last token
    deltas: Whole = 0
    comments: Whole = 0  # keep-alive comments: bytes that are no token
    outcome: str = (
        ""  # of a canary that is over: a word of wire.transports.outcomes.OUTCOMES; of the scheduler: "ok" or an error
    )
    detail: str = ""
    right: bool | None = None  # a canary's answer is the one it gave before; None: not known
    retry_s: Real = 0  # of a canary that was turned away: seconds after which the server wants it again; 0: not told
    skipped: str = ""  # why it was not asked: held alone, asleep, would keep it awake, would end others' streams ...


class Meter(Line, frozen=True, kw_only=True, tag="meter"):
    """What a server counts of its own work. Totals only: windowed gauges are reset by who reads them."""

    name: str
    source: str  # "llama.cpp /slots", "llama.cpp /metrics", "vllm /metrics"
    running: Whole | None = None  # requests being worked on
    waiting: Whole | None = None
    tokens: int | None = None  # generated since its start
    prompt_tokens: int | None = None
    progress: Whole | None = None  # grows with each token worked on in mid-request, where the server tells
    begun: Whole | None = None  # requests that were seen to begin since it was first asked; some may be missed
    start: str = ""  # opaque mark of this start, where the server tells
    asleep: bool | None = None


class Identity(Line, frozen=True, kw_only=True, tag="identity"):
    """Who serves, as a server says of itself: asked once in each of its lives."""

    name: str
    at: Whole  # it answered
    model: str = ""  # that is asked for, where one is named
    models: tuple[Offered, ...] = ()
    build: str = ""


class Log(Line, frozen=True, kw_only=True, tag="log"):
    """The last lines of a server's own log, read when a rung breaks. Its words are a witness, not proof."""

    name: str
    file: str
    at: Whole
    text: tuple[str, ...] = ()
    note: str = ""  # rotated, binary, not readable: why
    ends: tuple[str, ...] | None = None  # its lines by which servers of this kind say that they end in order; None: of
    # an older record, which does not say


class LogRate(Line, frozen=True, kw_only=True, tag="log-rate"):
    """By how much a server's log grew: between two looks where that is fast, and once after it; else in a minute."""

    name: str
    file: str
    since: Whole  # the look before; this one is at ``t``
    lines: Whole  # reckoned from a part of them where they are many
    size: Whole  # bytes
    text: str = ""  # its last line


class Gpu(Line, frozen=True, kw_only=True, tag="gpu"):
    """One GPU, over its driver's last sample period; ``busy``: percent of it with a kernel running."""

    index: Whole
    uuid: str
    busy: Whole | None = None
    memory: Whole | None = None
    processes: dict[str, Whole | None] = {}  # pid -> bytes
    power_mw: Whole | None = None
    error: str = ""
    memory_total: Whole | None = None
    clock_mhz: Whole | None = None  # of the streaming multiprocessors, now
    throttle: tuple[str, ...] = ()  # what holds the clock down now, in NVML's words
    ecc: Whole | None = None  # uncorrected memory errors since the driver was loaded
    process_busy: dict[str, Whole] = {}  # pid -> percent of the samples since the last reading


class Event(Line, frozen=True, kw_only=True, tag="event"):
    """Something that happened once, seen by the recorder or the keeper. Keys of ``facts``: :class:`Fact`."""

    what: Happening
    name: str
    at: Whole
    pid: Whole = 0
    incarnation: str = ""
    started_ticks: Whole = 0
    parent: Whole = 0
    status: Whole | None = None  # raw wait status
    source: str = ""  # where the status comes from: waitid, pidfd-info, zombie, or why it is not observable
    signalled_at: Whole = 0  # the observer's first sign, before the status was read
    generation: Whole = 0
    text: str = ""
    facts: dict[str, str] = {}


class NotTested(Line, frozen=True, kw_only=True, tag="not-tested"):
    """What was not planned, by the user's choice or for want of a precondition, and why. No outcome."""

    what: str
    why: str
    endpoint: str = ""  # empty: of the whole run
    rule: str = ""  # of a probe that is asked after all where others leave time; a judgement of it takes this back


class Noted(Line, frozen=True, kw_only=True, tag="noted"):
    """One fact of a watch kept by hand, as it was written down; ``at`` is the note's own clock, ns since its midnight.

    A fact of no one process has no name.
    """

    name: str
    at: Whole
    what: NoteWord
    value: Real | None = None
    pid: Whole = 0
    label: str = ""
    text: str = ""
    dated: bool = True  # False: the entry bears no time, and ``at`` says nothing
