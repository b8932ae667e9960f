"""Who reads what: one table from the type of a line to the readers of it.

A line of one server changes up to three things: the server's life and what is around it, its work, and its streams.
An event is read by what it says. A line that is in no table, or that has no server, is of all servers or of none.

Readers of one line bear one name in their modules: ``sampled`` reads a sample, be it for FROZEN or for CPU time.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec.structs import replace

from seatrial.records import (
    OF_A_CARD,
    Ask,
    Event,
    Happening,
    Identity,
    Line,
    LoadRow,
    Log,
    LogRate,
    Meter,
    Probe,
    Received,
    Sample,
    Sent,
    Threads,
)
from seatrial.stops.identity import models
from seatrial.stops.process import deaf, deaths, frozen, requests, storms, witnesses
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Server, State
from seatrial.stops.state.streams import Streams
from seatrial.stops.state.work import Work
from seatrial.stops.streams import broken
from seatrial.stops.work import asked, counters, flow, gateway, machine, wedged, wellness

OfLife = Callable[[Server, Any, State], Server]
OfWork = Callable[[Work, Any], Work]
OfStreams = Callable[[Streams, Any, Work, Limits], Streams]


class Readers(NamedTuple):
    """Which server a line is of, and who reads the line, in this order."""

    server_of: Callable[[Any], str]
    life: OfLife | None = None
    work: OfWork | None = None
    streams: OfStreams | None = None


_NAME: Callable[[Any], str] = attrgetter("name")
_ENDPOINT: Callable[[Any], str] = attrgetter("endpoint")


def _of_event(line: Event) -> str:
    """The server of an event. What happened to a card is of no one server."""
    return "" if line.what in OF_A_CARD else line.name


def _of_answer(line: Received) -> str:
    """The server of an answer. One that is copied from another run tells nothing of the time of this one."""
    return "" if line.of_run else line.endpoint


def _of_none(_: Line) -> str:
    """The server of a line that nobody reads here: none."""
    return ""


def _happened(server: Server, event: Event, state: State) -> Server:
    """A server after an event, read by what the event says."""
    read = EVENTS.get(event.what, UNREAD).life
    return server if read is None else read(server, event, state)


def _happened_to_work(work: Work, event: Event) -> Work:
    """A server's work after an event."""
    read = EVENTS.get(event.what, UNREAD).work
    return work if read is None else read(work, event)


LINES: dict[type[Line], Readers] = {
    Sample: Readers(_NAME, frozen.sampled, machine.sampled),
    Probe: Readers(_NAME, deaf.probed, wellness.probed),
    Ask: Readers(_NAME, None, asked.asked, broken.canary_seen),
    Meter: Readers(_NAME, witnesses.meter, counters.metered),
    Threads: Readers(_NAME, witnesses.threads, machine.threads),
    Log: Readers(_NAME, witnesses.log),
    LogRate: Readers(_NAME, storms.paced),
    Identity: Readers(_NAME, models.identified),
    Event: Readers(_of_event, _happened, _happened_to_work),
    Sent: Readers(_ENDPOINT, requests.sent, flow.sent),
    Received: Readers(_of_answer, requests.received, flow.received),
    LoadRow: Readers(_ENDPOINT, requests.load_row, flow.load_row, broken.row_seen),
}
"""Who reads a line of one server. The heartbeat, GPUs and events of cards are of all servers: see ``fold``."""
EVENTS: dict[Happening, Readers] = {
    Happening.FOUND: Readers(_of_event, deaths.found),
    Happening.START: Readers(_of_event, deaths.found),
    Happening.REPLACED: Readers(_of_event, deaths.found),
    Happening.EXIT: Readers(_of_event, deaths.ended, machine.ended),
    Happening.LOST: Readers(_of_event, deaths.ended, machine.ended),
    Happening.PLANNED_STOP: Readers(_of_event, deaths.planned),
    Happening.BEHIND: Readers(_of_event, None, gateway.behind),
}
"""Who reads an event, by what it says."""
UNREAD = Readers(_of_none)


def read(server: Server, line: Line, readers: Readers, state: State) -> Server:
    """A server after a line of it."""
    _, of_life, of_work, of_streams = readers
    if of_life is not None:
        server = of_life(server, line, state)
    before = server.work
    work = before if of_work is None else of_work(before, line)
    if of_streams is not None:
        server = replace(server, work=work, streams=of_streams(server.streams, line, work, state.limits))
    elif work is not before:
        server = replace(server, work=work)
    return wedged.sharpened(server, before) if server.cases else server
