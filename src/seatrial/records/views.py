"""Who is on trial, what is sent, and what rules read of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, Literal, TypeVar

import msgspec

from seatrial.records.lines import Clock, Event, Gpu, LogRate, Meter, Probe, Sample, Sent
from seatrial.records.nights import NightFigure
from seatrial.records.record import Record
from seatrial.records.soaks import Counters, Crew, Dropped, LoadPulse, LoadRow, Phase
from seatrial.records.words import OF_LIVES, VERSION, CrewWord, Depth, Hazard, Leaving, PhaseSort, Stage, Width


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


FILE_SUM = "file sha256"
"""The fact of an endpoint that holds the hash of the file of its weights."""


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
    template_sum: str = ""  # of its text; empty: not told
    file: str = ""  # from which its model was loaded, where the server tells
    marks: dict[str, str] = {}  # of the model itself, whatever it is called, where the server tells: size, file
    pid: int | None = None
    generation: int = 0
    embedded: bool = False
    demo: bool = False
    thinking: bool = False  # reasoning was seen at identity
    named: str = ""  # what its first answer of the run called the model
    cap_factor: float = 1.0  # every cap is multiplied by it where thinking has no off-switch
    speed: float | None = None  # tokens a second of all its slots together, as the plan measured it; None: it did not
    extra_body: dict[str, Any] = {}
    facts: dict[str, str] = {}
    capabilities: dict[str, bool] = {}


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What the last run of an endpoint came to: previous.json of the run after it holds one by endpoint."""

    run: str  # name of its directory
    verdict: str
    kind: str = ""
    model: str = ""
    build: str = ""
    outcomes: dict[str, str]  # case without its endpoint -> word
    measured: dict[str, NightFigure] = {}
    stopped: tuple[str, ...] = ()  # families of its silent stops


class Words(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Stands in a body for a text of short words: as many as a share of the endpoint's context has tokens, and more.

    No tokenizer in use makes fewer tokens than words of it. With ``after``, so many words more as the context has
    tokens left beside the prompt of that earlier request.
    """

    share: float = 0.0
    after: str = ""
    more: int = 0
    first: int = 0  # the word it begins with: texts with other first words have no prefix in common


class TokensLeft(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Stands in a body for the tokens that the context leaves beside the prompt of an earlier request, and more."""

    after: str  # of the same scenario; its answer says how long its prompt was
    more: int = 0


class Quoted(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Stands in a body for a piece of what an earlier answer said, or for its call's id; else for a text of our own."""

    after: str  # the earlier request, of the same scenario
    of: Literal["content", "words", "thought", "call"] = "content"  # of words from the next on; of a call its id, whole
    first: int = 0  # characters before the piece
    length: int = 8
    spelt: Literal["", "in the other case", "between line ends"] = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Stands in a body for a model by its place in an earlier list of models; where there is none, the endpoint's."""

    after: str  # the request of the same scenario that was answered with the list
    place: int = 0  # from the end where it is below 0


class Marked(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Stands in a body for a text with a mark in the place of ``{mark}``: a word that no other request of the run has.

    With ``of``, the mark of the request that has the same number in an earlier wave (``first-1``): its next turn.
    """

    text: str = "{mark}"
    of: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a scenario.

    The body's ``model: None`` and ``"{model}"`` in raw bytes stand for the endpoint's. So do, in the path, ``{model}``
    (its reserved characters encoded), ``{+model}`` (these as they are) and ``{%model}`` (all of it encoded).
    """

    method: str = "POST"
    path: str = "/chat/completions"  # below the base URL
    body: Any = None  # JSON, or
    raw: bytes | None = None  # bytes as they are
    headers: dict[str, str | None] = {}  # beside ours, and the operator's; None leaves one of these out
    authorization: str | None = None  # not the operator's; {key}, {key-}, {key+}: his key, cut, or more; empty: none
    exact: bool = False  # its caps are sent as they are, also to a model that thinks
    held: bool = False  # of requests at once: its body's last byte waits for the answers to the others
    leaves: Leaving = Leaving.NEVER  # when our client leaves, before the answer's end


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that leave at the same time: those of these names in turn, as many as the width says.

    Each is sent under its name, the number of the wave and its own in it: ``after-3.2``.
    """

    of: tuple[str, ...]
    width: Width = Width.SLOTS
    later: tuple[str, ...] = ()  # each once, a moment after the others, which have the slots by then
    if_kept: bool = False  # only where some of the wave before it were kept waiting
    after_s: float = 0.0  # what is waited before it


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, once per endpoint: requests by name, in order. Rules choose scenarios by ``traits``.

    ``apart`` holds the parts of a request, each by its name and the part's (``texts: pattern``): they are sent after
    all others, and only where the whole was refused.
    """

    requests: dict[str, Request]
    traits: frozenset[str]
    apart: dict[str, Request] = {}
    hazard: Hazard = Hazard.POLITE
    depth: Depth = Depth.SMALL
    within: int = 0  # tokens: sent only where the context is known, and is no longer unless all is asked; 0: anywhere
    at_once: bool = False  # its requests leave at the same time: one more than the endpoint has slots, where it tells
    waves: tuple[Wave, ...] = ()  # its requests are sent as these say, wave after wave, in place of once each in order
    enough: int = (
        0  # the waves after the first are sent again until so many have left, or, where none leaves, were sent
    )
    one_connection: bool = False  # all requests on one connection, where the server keeps it
    alone: bool = False  # holds the endpoint alone: text is compared
    deadline_s: float | None = None
    tokens: int = 0  # the most it may generate, for the plan
    settings: dict[str, Any] = {}  # what the rules must know beside the bytes, and no endpoint says
    before: tuple[str, Request] | None = None  # scenario and request whose answer, asked for once, comes before it


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
    framing: str = ""  # how the body breaks what its head announces: its length, its chunks, its coding

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
    named: str = ""  # what the endpoint's first answer of the run called the model; empty where it called it nothing
    context: int | None = None  # tokens a slot, as the endpoint announces them
    kind: str = "generic"
    strict: bool = False  # the strict reading: every field the OpenAPI document calls required
    settings: dict[str, Any] = {}  # of a probe: n, interval, planned size

    @classmethod
    def of(cls, endpoint: Endpoint, *, strict: bool = False, settings: dict[str, Any] | None = None) -> Expect:
        """What an endpoint's page says of it, with what the run adds."""
        return cls(
            models=endpoint.models,
            model=endpoint.model,
            named=endpoint.named,
            context=endpoint.context,
            kind=endpoint.kind,
            strict=strict,
            settings=settings or {},
        )


class PhaseSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A phase of a soak and its time: monotonic ns, from its beginning to that of the next one or of the drain."""

    name: str
    sort: PhaseSort
    since: int
    until: int | None  # None: no end was written
    facts: dict[str, str] = {}


UNBOUND = frozenset({Stage.START, Stage.MEASURED, Stage.ASKED})
"""Lines of a soak with which no phase of it begins or ends."""

_Counted = TypeVar("_Counted", LoadRow, Sent, Dropped)


def _counting(lines: Iterable[_Counted], given_up: Mapping[str, int]) -> list[_Counted]:
    """Lines without those that a worker wrote after it was given up: by writer, the number of its last that counts."""
    return [line for line in lines if line.w not in given_up or line.n <= given_up[line.w]]


class SoakRun(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint's soak, as its rules read it: rows in order of sending, counters and phases in order of time."""

    rows: tuple[LoadRow, ...]
    counters: tuple[Counters, ...]
    phases: tuple[Phase, ...]
    dropped: tuple[Dropped, ...] = ()
    unfinished: tuple[str, ...] = ()  # ids with a sent line and no row
    unfinished_at: tuple[int, ...] = ()  # when these were sent
    meters: tuple[Meter, ...] = ()  # what the server told of its own work, as the recorder read it
    probes: tuple[Probe, ...] = ()  # the recorder's looks at its socket and its health page
    samples: tuple[Sample, ...] = ()  # of its main process
    children: tuple[Sample, ...] = ()  # of its other processes
    gpus: tuple[Gpu, ...] = ()  # all cards of the host, whoever uses them
    logs: tuple[LogRate, ...] = ()  # of its log, where that grew fast
    clocks: tuple[Clock, ...] = ()  # of all writers of the run
    pulses: tuple[LoadPulse, ...] = ()  # of the processes of the load
    crew: tuple[Crew, ...] = ()  # its workers, where there are any
    events: tuple[Event, ...] = ()  # how processes of the server began and ended

    @classmethod
    def of(cls, endpoint: str, record: Record) -> SoakRun:
        """The load of one endpoint, from the record of a run."""
        crew = tuple(line for line in record.of(Crew) if line.endpoint == endpoint)
        given_up = {line.worker: line.last for line in crew if line.what == CrewWord.LOST}
        rows = _counting((row for row in record.of(LoadRow) if row.endpoint == endpoint), given_up)
        ended = {row.id for row in rows}
        sent = _counting((line for line in record.of(Sent) if line.endpoint == endpoint and line.load), given_up)
        unfinished = [line for line in sent if line.id not in ended]
        return cls(
            rows=tuple(sorted(rows, key=lambda row: row.sent_at)),
            counters=tuple(line for line in record.of(Counters) if line.endpoint == endpoint),
            phases=tuple(line for line in record.of(Phase) if line.endpoint == endpoint),
            dropped=tuple(_counting((line for line in record.of(Dropped) if line.endpoint == endpoint), given_up)),
            unfinished=tuple(line.id for line in unfinished),
            unfinished_at=tuple(line.t for line in unfinished),
            meters=tuple(line for line in record.of(Meter) if line.name == endpoint),
            probes=tuple(line for line in record.of(Probe) if line.name == endpoint),
            samples=tuple(line for line in record.of(Sample) if line.name == endpoint and line.parent is None),
            children=tuple(line for line in record.of(Sample) if line.name == endpoint and line.parent is not None),
            gpus=tuple(record.of(Gpu)),
            logs=tuple(line for line in record.of(LogRate) if line.name == endpoint),
            clocks=tuple(record.of(Clock)),
            pulses=tuple(line for line in record.of(LoadPulse) if line.endpoint == endpoint),
            crew=crew,
            events=tuple(line for line in record.of(Event) if line.name == endpoint and line.what in OF_LIVES),
        )

    @property
    def spans(self) -> tuple[PhaseSpan, ...]:
        """The phases with their times, in order; none of a record that is older than phases."""
        bounds = [line for line in self.phases if line.what not in UNBOUND]
        return tuple(
            PhaseSpan(name=line.name, sort=line.sort, since=line.at, until=end, facts=line.facts)
            for line, end in zip_longest(bounds, (line.at for line in bounds[1:]))
            if line.what == Stage.PHASE and line.sort is not None
        )
