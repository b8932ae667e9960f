"""Silent stops: a pure fold over the record, in order of time, with the recorder's heartbeat as its clock.

:func:`step` takes one line and gives the stops that it completes: a stop is handed out once its evidence is
complete, and again, under the same id, when it is over or has come to be of another family. :func:`finish` gives
every stop in its last form; :func:`fold` is both over a whole record. The live watch and the judging of a night are
the same code.

Families: STOPPED (its process ended), RESTARTED (and another took its place), RUNNER REPLACED (so for its child),
IMPOSTOR (another program owns its port), DEAF (it lives, and listens no more), FROZEN (it lives, and does not run),
WEDGED (it runs, and its work does not). No stops are CLOCK STEPPED and UNOBSERVED (we did not look, or there was no
way to it: inconclusive).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from seatrial.records import (
    Ask,
    Clock,
    Event,
    Gpu,
    Line,
    LoadRow,
    Log,
    Meter,
    Noted,
    Probe,
    Received,
    Sample,
    Sent,
    Stop,
    Threads,
)
from seatrial.verdict import noted
from seatrial.verdict import stops_children as children
from seatrial.verdict import stops_deaths as deaths
from seatrial.verdict import stops_requests as requests
from seatrial.verdict import stops_signs as signs
from seatrial.verdict import stops_traffic as traffic
from seatrial.verdict import stops_witness as witness
from seatrial.verdict.limits import Limits
from seatrial.verdict.stops_clock import GAP_NS, handed_out, never_observed, ticked, unobserved
from seatrial.verdict.stops_state import Server, State
from seatrial.verdict.stops_told import stop_of

__all__ = ["GAP_NS", "finish", "fold", "start", "step"]

RECORDER = "recorder"
DRIVER = frozenset({"xid", "gpu-lost"})
"""Events of the GPU's driver: they are of a device, not of an endpoint."""

NAMED: dict[type[Line], Callable[[Server, Any, State], Server]] = {
    Sample: lambda server, line, state: witness.sized(signs.sampled(server, line, state.limits)),
    Probe: lambda server, line, state: signs.probed(server, line, state.tick, state.limits),
    Ask: lambda server, *_: server,
    Meter: lambda server, line, _: witness.meter(server, line),
    Threads: lambda server, line, _: witness.threads(server, line),
    Log: lambda server, line, _: witness.log(server, line),
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
    kind = type(line)
    last = max(state.last, line.t)
    name = ""
    if kind in NAMED:
        read, name = NAMED[kind], line.name  # type: ignore[attr-defined]
    elif kind in OF_ENDPOINT:
        read, name = OF_ENDPOINT[kind], line.endpoint  # type: ignore[attr-defined]
    if not name or (kind is Event and line.what in DRIVER):  # type: ignore[attr-defined]
        return _of_all(replace(state, last=last), line)
    old = state.servers.get(name) or Server(name)
    new = traffic.lined(read(old, line, state), line, state.limits)
    if new is old:
        return replace(state, last=last), ()
    given: tuple[Stop, ...] = ()
    if new.cases is not old.cases and any(case.said is not None or case.successor is not None for case in new.cases):
        new, given = handed_out(new, state, line.t, told_only=True)
    return replace(state, last=last, servers={**state.servers, name: new}), given


def _of_all(state: State, line: Line) -> tuple[State, tuple[Stop, ...]]:
    """A line that is of no one server: the heartbeat, a GPU, a note."""
    match line:
        case Clock() if line.w == RECORDER:
            return _ticked(state, line)
        case Gpu():
            on = frozenset(line.processes)
            if state.gpus.get(line.index) != on:
                state = replace(state, gpus={**state.gpus, line.index: on})
            return traffic.gpu(state, line), ()
        case Event() if line.what in DRIVER:
            return witness.driver(state, line), ()
        case Noted():
            return replace(state, noted=(*state.noted, line)), ()
    return state, ()


def _ticked(state: State, clock: Clock) -> tuple[State, tuple[Stop, ...]]:
    """A heartbeat: what is complete by it; then what of work and streams has lasted long enough."""
    gap = bool(state.tick) and clock.t - state.tick > GAP_NS
    state, given = ticked(_settled(state, clock.t), clock)
    state, more = traffic.ticked(state, clock.t, gap=gap)
    return state, (*given, *more)


def _settled(state: State, now: int) -> State:
    """The state with what is to be said by now of children that ended."""
    if not any(server.child_ends for server in state.servers.values()):
        return state
    servers = {name: children.settled(server, now, state.boot_offset) for name, server in state.servers.items()}
    return replace(state, servers=servers)


def finish(state: State) -> tuple[Stop, ...]:
    """Every stop in its last form, in order of time, at the end of the record.

    The recorder's seal is no proof that it watched to the end: it seals also when the keeper dies in mid-run. In an
    orderly run nobody writes after it.
    """
    if not state.tick:
        state = never_observed(state)
    elif state.last - state.tick > GAP_NS:
        state = unobserved(state, state.tick, state.last, ended=False)
    found = [
        stop_of(case, server, state)
        for server in state.servers.values()
        for case in server.cases
        if not case.told.withdrawn
    ]
    found += [stop for server in state.servers.values() for stop in server.done]
    found += [*state.steps, *traffic.finished(state)]
    found += noted.stops(state.noted)
    return tuple(sorted(found, key=lambda stop: (stop.dead_at, stop.id)))


def fold(lines: Iterable[Line], limits: Limits | None = None) -> tuple[Stop, ...]:
    """The stops of a whole record, whose lines are in order of time."""
    state = start(limits)
    for line in lines:
        state, _ = step(state, line)
    return finish(state)
