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
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from seatrial.records import (
    OF_A_CARD,
    Ask,
    Clock,
    Event,
    Gpu,
    Line,
    LoadRow,
    Log,
    Meter,
    Probe,
    Received,
    Sample,
    Sent,
    Stop,
    Threads,
)
from seatrial.stops import traffic
from seatrial.stops.clock import (
    GAP_NS,
    never_observed,
    ticked,
    unobserved,
)
from seatrial.stops.handing import handed_out
from seatrial.stops.process import children, deaths, requests, signs
from seatrial.stops.state import witnesses
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Server, State
from seatrial.stops.telling.causes import aborted
from seatrial.stops.telling.hypotheses import ROUND_S
from seatrial.stops.telling.stop import stop_of

__all__ = ["GAP_NS", "ROUND_S", "Limits", "State", "aborted", "finish", "fold", "start", "step", "stop_of"]

RECORDER = "recorder"

_NAME: Callable[[Any], str] = attrgetter("name")
_ENDPOINT: Callable[[Any], str] = attrgetter("endpoint")
_CHILD_ENDS = attrgetter("child_ends")


def _of_event(line: Event) -> str:
    return "" if line.what in OF_A_CARD else line.name


def _of_none(_: Line) -> str:
    return ""


Read = Callable[[Server, Any, State], Server]
READ: dict[type[Line], tuple[Callable[[Any], str], Read | None]] = {
    Sample: (_NAME, lambda server, line, state: signs.sampled(server, line, state.limits)),
    Probe: (_NAME, lambda server, line, state: signs.probed(server, line, state.tick, state.limits)),
    Ask: (_NAME, None),
    Meter: (_NAME, lambda server, line, _: witnesses.meter(server, line)),
    Threads: (_NAME, lambda server, line, _: witnesses.threads(server, line)),
    Log: (_NAME, lambda server, line, _: witnesses.log(server, line)),
    Event: (_of_event, lambda server, line, state: deaths.happened(server, line, state.boot_offset)),
    Sent: (_ENDPOINT, lambda server, line, _: requests.sent(server, line)),
    Received: (_ENDPOINT, lambda server, line, _: requests.received(server, line)),
    LoadRow: (_ENDPOINT, lambda server, line, _: requests.load_row(server, line)),
}
"""Which server a line is of, and what it does to it beside its work and its streams."""
NOT_READ: tuple[Callable[[Line], str], None] = (_of_none, None)


def start(limits: Limits | None = None) -> State:
    """The state before the first line."""
    return State(limits=limits or Limits())


def step(state: State, line: Line) -> tuple[State, tuple[Stop, ...]]:
    """Take one line in; give the stops that are complete, or over, by it."""
    return _taken(state, (line,))


def _taken(state: State, lines: Iterable[Line]) -> tuple[State, tuple[Stop, ...]]:
    """Take lines in, and give the stops likewise.

    Between two lines that are of no one server the state is not made anew: what a server does then is its own.
    """
    servers, last = {**state.servers}, state.last
    given: list[Stop] = []
    for line in lines:
        last = max(last, line.t)
        server_of, read = READ.get(type(line), NOT_READ)
        name = server_of(line)
        if not name:
            state, due = _of_all(replace(state, last=last, servers=servers), line)
            given.extend(due)
            servers = {**state.servers}
            continue
        old = servers.get(name) or Server(name)
        new = traffic.lined(old if read is None else read(old, line, state), line, state.limits)
        if new.cases is not old.cases and any(c.said is not None or c.successor is not None for c in new.cases):
            new, due = handed_out(new, state, line.t, told_only=True)
            given.extend(due)
        if new is not old:
            servers[name] = new
    return replace(state, last=last, servers=servers), tuple(given)


def _of_all(state: State, line: Line) -> tuple[State, tuple[Stop, ...]]:
    """A line that is of no one server: the heartbeat, a GPU."""
    match line:
        case Clock() if line.w == RECORDER:
            return _ticked(state, line)
        case Gpu():
            if state.gpus.get(line.index) != line.processes.keys():
                state = replace(state, gpus={**state.gpus, line.index: frozenset(line.processes)})
            return traffic.gpu(state, line), ()
        case Event() if line.what in OF_A_CARD:
            return witnesses.driver(state, line), ()
    return state, ()


def _ticked(state: State, clock: Clock) -> tuple[State, tuple[Stop, ...]]:
    """A heartbeat: what is complete by it; then what of work and streams has lasted long enough."""
    gap = bool(state.tick) and clock.t - state.tick > GAP_NS
    state, given = ticked(_settled(state, clock.t), clock)
    state, more = traffic.ticked(state, clock.t, gap=gap)
    return state, (*given, *more)


def _settled(state: State, now: int) -> State:
    """The state with what is to be said by now of children that ended."""
    if not any(map(_CHILD_ENDS, state.servers.values())):
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
    return tuple(sorted(found, key=lambda stop: (stop.dead_at, stop.id)))


def fold(lines: Iterable[Line], limits: Limits | None = None) -> tuple[Stop, ...]:
    """The stops of a whole record, whose lines are in order of time."""
    state, _ = _taken(start(limits), lines)
    return finish(state)
