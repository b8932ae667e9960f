"""The shared words: what every room writes, reads and hands on.

Two families stand here. *Lines* (subclasses of :class:`Line`) are what a run directory holds, one JSON object a
line, tagged by ``kind``; :mod:`seatrial.run` stamps their head and reads them back. *Views* (:class:`Exchange`
and its parts) are what rules read: one request and its answer, assembled from recorded bytes by
:mod:`seatrial.wire.decoding.assemble`. Both are frozen.

Every time is CLOCK_MONOTONIC in nanoseconds unless its name says otherwise (``wall_ns``, ``_s``, ``_ms``): the wall
clock steps, and a duration must not. Sizes are bytes. No field may hold the API key: the transports mask it before
anything is written.

A new optional field needs no version step; a changed or removed one does (``VERSION``).
"""

from seatrial.records.facts import Fact
from seatrial.records.lines import (
    LINES,
    Ask,
    Clock,
    Counters,
    Event,
    Gpu,
    Judgement,
    Line,
    LoadRow,
    Log,
    Meter,
    Noted,
    NotTested,
    Phase,
    Planned,
    Probe,
    Received,
    Sample,
    Sent,
    Threads,
)
from seatrial.records.record import Record
from seatrial.records.verdicts import (
    NO_STOP,
    NOTICES,
    STREAMS,
    Conclusion,
    EndpointVerdict,
    Family,
    Judged,
    Reason,
    Stop,
    Verdict,
    Waived,
)
from seatrial.records.views import Chunk, Earlier, Endpoint, Exchange, Expect, Request, RunInfo, Scenario, SoakRun
from seatrial.records.words import (
    BUSY,
    NAME_SHOWN,
    OF_A_CARD,
    SECOND,
    VERSION,
    Finding,
    Happening,
    Hazard,
    Level,
    NoteWord,
    Outcome,
    Ready,
    Stage,
)

__all__ = [
    "BUSY",
    "LINES",
    "NAME_SHOWN",
    "NOTICES",
    "NO_STOP",
    "OF_A_CARD",
    "SECOND",
    "STREAMS",
    "VERSION",
    "Ask",
    "Chunk",
    "Clock",
    "Conclusion",
    "Counters",
    "Earlier",
    "Endpoint",
    "EndpointVerdict",
    "Event",
    "Exchange",
    "Expect",
    "Fact",
    "Family",
    "Finding",
    "Gpu",
    "Happening",
    "Hazard",
    "Judged",
    "Judgement",
    "Level",
    "Line",
    "LoadRow",
    "Log",
    "Meter",
    "NotTested",
    "NoteWord",
    "Noted",
    "Outcome",
    "Phase",
    "Planned",
    "Probe",
    "Ready",
    "Reason",
    "Received",
    "Record",
    "Request",
    "RunInfo",
    "Sample",
    "Scenario",
    "Sent",
    "SoakRun",
    "Stage",
    "Stop",
    "Threads",
    "Verdict",
    "Waived",
]
