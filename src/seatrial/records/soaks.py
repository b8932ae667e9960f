"""What a soak leaves behind: a line before each phase, a row after each request, and the server's own totals."""

from __future__ import annotations

from typing import Literal

import msgspec

from seatrial.records.facts import Fact
from seatrial.records.lines import Line
from seatrial.records.words import CrewWord, PhaseSort, Stage, Whole


class LoadRow(Line, frozen=True, kw_only=True, tag="load"):
    """One soak request. Times are absolute; 0: it never came. ``outcome`` is of wire.transports.outcomes.OUTCOMES."""

    id: str
    endpoint: str
    outcome: str
    intended_at: Whole
    sent_at: Whole
    ended_at: Whole
    first_at: Whole = 0  # first content, reasoning or tool delta: TTFT = first_at - sent_at
    last_at: Whole = 0  # last delta: E2E = last_at - sent_at
    gap_from: Whole = 0  # the longest silence between deltas
    gap_to: Whole = 0
    prompt_tokens: int | None = None
    tokens: int | None = None  # usage of the server
    deltas: Whole = 0
    finish_reason: str = ""
    named: tuple[str, ...] = ()  # what its chunks call the model
    status: Whole = 0
    detail: str = ""
    findings: tuple[str, ...] = ()  # ids of single rules that found something on this stream
    draining: bool = False
    phase: str = ""  # in which it was meant to be sent, by the name of its Phase; empty: of an older record
    workload: str = ""  # which part of the traffic it is: "chat", "agent" ...
    canary: bool = False  # one of the small fixed requests that are sent in every phase alike
    cap: Whole = 0  # tokens that it asked for at most; 0: it said none
    cached: int | None = None  # of the prompt, as the server's usage tells; None: not told
    drafted: int | None = None  # tokens proposed by a draft, and those taken of them, as the server tells
    accepted: int | None = None
    byte_at: Whole = 0  # first byte of the answer: TTFB = byte_at - sent_at
    content_at: Whole = 0  # first delta that is no thought: TTFO = content_at - intended_at
    generation: Whole = 0  # of a server that we start: the one that answered, or to which it was sent


class Dropped(Line, frozen=True, kw_only=True, tag="dropped"):
    """A request of a soak whose time came and that was never sent: as many as we hold were under way."""

    endpoint: str
    intended_at: Whole
    phase: str
    workload: str


class Counters(Line, frozen=True, kw_only=True, tag="counters"):
    """The server's own totals at one moment of a soak (llama.cpp ``/metrics``, the golden server's truth)."""

    endpoint: str
    phase: Literal["before", "after"]
    requests: Whole | None = None
    prompt_tokens: int | None = None
    tokens: int | None = None
    prompt_read: int | None = None  # of prompts, without what was cached
    source: str = ""
    moving: bool = False  # they did not come to rest, though nothing of ours was under way


class Phase(Line, frozen=True, kw_only=True, tag="phase"):
    """A soak's phases; ``facts`` holds its settings or how it ended. ``name`` and ``sort`` are of a ``Stage.PHASE``."""

    endpoint: str
    what: Stage
    at: Whole
    facts: dict[str, str] = msgspec.field(default_factory=dict)
    name: str = ""
    sort: PhaseSort | None = None


class LoadPulse(Line, frozen=True, kw_only=True, tag="pulse"):
    """How a process of a load did its own work from ``since`` to the time of this line."""

    endpoint: str
    since: Whole
    looks: Whole  # how often its event loop was asked to wake us
    lag_ns: Whole  # by how much later than asked it did: the median, and the most
    lag_most_ns: Whole
    cpu_ns: Whole  # that all its threads used


class Crew(Line, frozen=True, kw_only=True, tag="crew"):
    """A worker of a load that is spread over several processes, as their master knows it."""

    endpoint: str
    worker: str  # the ``w`` of its lines
    what: CrewWord
    at: Whole
    first: Whole = 0  # of a gap: the first number that is missing
    last: Whole = 0  # of a gap the last one, 0: nobody knows; else the number of its last line that is here
    offset_ns: Whole = 0  # what is added to its clock to come to ours
    error_ns: Whole = 0  # by how much that may be wrong: half of the smallest round trip
    facts: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it says that the worker joined from another host: the wall clock in its lines is not ours."""
        return self.what == CrewWord.JOINED and self.facts.get(Fact.WRITES) == "elsewhere"
