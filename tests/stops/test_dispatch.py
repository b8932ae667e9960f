"""The table of readers is whole: of each type of line, and of each thing that happens, it is decided who reads it."""

from __future__ import annotations

from typing import get_args

from seatrial.records import (
    LINES,
    OF_A_CARD,
    Clock,
    Counters,
    Crew,
    Dropped,
    Gpu,
    Happening,
    Judgement,
    LoadPulse,
    Noted,
    NotTested,
    Phase,
    Planned,
)
from seatrial.stops import dispatch

OF_ALL = {Clock, Gpu}
"""Of all servers: the fold reads them itself."""
NO_EVIDENCE = {Counters, Crew, Dropped, Judgement, LoadPulse, NotTested, Noted, Phase, Planned}
"""What was planned, judged or noted, and what the load says of itself, is no evidence of a stop."""
NO_STOP = {Happening.READY, Happening.REPEATED, Happening.PHASE, Happening.TROUBLE, Happening.SEAL}
NO_STOP |= {Happening.SHORTENED, Happening.QUEUED, Happening.PRICE, Happening.LOG_CUT}


def test_of_each_type_of_line_it_is_decided_who_reads_it():
    assert set(get_args(LINES)) == {*dispatch.LINES, *OF_ALL, *NO_EVIDENCE}
    assert not set(dispatch.LINES) & (OF_ALL | NO_EVIDENCE)


def test_of_each_thing_that_happens_it_is_decided_who_reads_it():
    assert set(Happening) == {*dispatch.EVENTS, *OF_A_CARD, *NO_STOP}
    assert not set(dispatch.EVENTS) & (OF_A_CARD | NO_STOP)


def test_each_entry_has_a_reader():
    for readers in (*dispatch.LINES.values(), *dispatch.EVENTS.values()):
        assert any(read is not None for read in readers[1:])
