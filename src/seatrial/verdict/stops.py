"""Silent stops: a pure fold over the record, in order of time, with the recorder's heartbeat as its clock.

:func:`step` takes one line and gives the stops that it completes: a stop is handed out once when the evidence about it
has had time to come in, and again, under the same id, when it is over. :func:`finish` gives every stop in its last
form; :func:`fold` is both over a whole record. The live watch and the judging of a night are the same code.

Families: STOPPED (its process ended), RESTARTED (and another took its place), DEAF (it lives, and listens no more),
FROZEN (it lives, and does not run), UNOBSERVED (we did not look: inconclusive, and no stop).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from seatrial.records import Clock, Event, Line, LoadRow, Noted, Probe, Received, Sample, Sent, Stop
from seatrial.verdict import noted
from seatrial.verdict import stops_deaths as deaths
from seatrial.verdict import stops_requests as requests
from seatrial.verdict import stops_signs as signs
from seatrial.verdict.limits import Limits
from seatrial.verdict.stops_clock import GAP_NS, never_observed, ticked, unobserved
from seatrial.verdict.stops_state import Server, State
from seatrial.verdict.stops_told import stop_of

__all__ = ["GAP_NS", "finish", "fold", "start", "step"]

RECORDER = "recorder"

NAMED: dict[type[Line], Callable[[Server, Any, State], Server]] = {
    Sample: lambda server, line, _: signs.sampled(server, line),
    Probe: lambda server, line, _: signs.probed(server, line),
    Event: lambda server, line, state: deaths.happened(server, line, state.boot_offset),
}
"""What a line does to the server it has as its ``name``; the others are of no endpoint."""
OF_ENDPOINT: dict[type[Line], Callable[[Server, Any, State], Server]] = {
    Sent: lambda server, line, _: requests.sent(server, line),
    Received: lambda server, line, _: requests.received(server, line),
    LoadRow: lambda server, line, _: requests.load_row(server, line),
}
"""What a line of traffic does to the server it has as its ``endpoint``."""


def start(limits: Limits | None = None) -> State:
    """The state before the first line."""
    return State(limits=limits or Limits())


def step(state: State, line: Line) -> tuple[State, tuple[Stop, ...]]:
    """Take one line in; give the stops that are complete, or over, by it."""
    last = max(state.last, line.t)
    kind = type(line)
    if kind in NAMED:
        read, name = NAMED[kind], line.name  # type: ignore[attr-defined]
    elif kind in OF_ENDPOINT:
        read, name = OF_ENDPOINT[kind], line.endpoint  # type: ignore[attr-defined]
    elif isinstance(line, Clock) and line.w == RECORDER:
        return ticked(replace(state, last=last), line)
    elif isinstance(line, Noted):
        return replace(state, last=last, noted=(*state.noted, line)), ()
    else:
        return replace(state, last=last), ()
    if not name:
        return replace(state, last=last), ()
    old = state.servers.get(name) or Server(name)
    new = read(old, line, state)
    if new is old:
        return replace(state, last=last), ()
    state = replace(state, last=last, servers={**state.servers, name: new})
    return state, () if new.cases is old.cases else _over(old, new, state)


def _over(old: Server, new: Server, state: State) -> tuple[Stop, ...]:
    """The stops that had been handed out and are over now."""
    over = {case.id for case in old.cases if case.until is None and case.said}
    return tuple(stop_of(case, new, state) for case in new.cases if case.id in over and case.until is not None)


def finish(state: State) -> tuple[Stop, ...]:
    """Every stop in its last form, in order of time, at the end of the record.

    The recorder's seal is no proof that it watched to the end: it seals also when the keeper dies in mid-run. In an
    orderly run nobody writes after it.
    """
    if not state.tick:
        state = never_observed(state)
    elif state.last - state.tick > GAP_NS:
        state = unobserved(state, state.tick, state.last, ended=False)
    found = [stop_of(case, server, state) for server in state.servers.values() for case in server.cases]
    found += noted.stops(state.noted)
    return tuple(sorted(found, key=lambda stop: (stop.dead_at, stop.id)))


def fold(lines: Iterable[Line], limits: Limits | None = None) -> tuple[Stop, ...]:
    """The stops of a whole record, whose lines are in order of time."""
    state = start(limits)
    for line in lines:
        state, _ = step(state, line)
    return finish(state)
