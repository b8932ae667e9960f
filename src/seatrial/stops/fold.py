"""Silent stops: a pure fold over the record, in order of time, with the recorder's heartbeat as its clock.

:func:`step` takes one line and gives the stops that it completes: a stop is handed out once its evidence is
complete, and again, under the same id, when it is over or has come to be of another family. :func:`finish` gives
every stop in its last form; :func:`fold` is both over a whole record. The live watch and the judging of a night are
the same code.

The families stand in one table (``state.families``), and who reads which line in another (``dispatch``). Each family
is found by one reader, whose module opens with an example record. A server is remembered in parts (``state.server``),
each written by one reader.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from msgspec import structs
from msgspec.structs import replace

from seatrial.records import OF_A_CARD, Clock, Event, Gpu, Line, Stop
from seatrial.stops import calm, dispatch, traffic
from seatrial.stops.clock import GAP_NS, never_observed, ticked, unobserved
from seatrial.stops.handing import handed_out
from seatrial.stops.process import children, witnesses
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Server, State
from seatrial.stops.telling.causes import aborted
from seatrial.stops.telling.hypotheses import ROUND_S
from seatrial.stops.telling.stop import NOBODY_LOOKED, stop_of

__all__ = [
    "GAP_NS",
    "RECORDER",
    "ROUND_S",
    "Limits",
    "State",
    "aborted",
    "finish",
    "fold",
    "in_quiet",
    "start",
    "step",
    "stop_of",
]

RECORDER = "recorder"
_CHILD_ENDS = attrgetter("children.child_ends")


def start(limits: Limits | None = None) -> State:
    """The state before the first line."""
    return State(limits=limits or Limits())


def step(state: State, line: Line) -> tuple[State, tuple[Stop, ...]]:
    """Take one line in; give the stops that are complete, or over, by it."""
    state, given = _taken(state, (line,))
    return state, tuple([in_quiet(stop, state) for stop in given])


def in_quiet(stop: Stop, state: State) -> Stop:
    """The stop; as planned, where it happened in planned maintenance and is over by its end, or the end is to come.

    That nobody looked is no maintenance of a server, and maintenance does not excuse what it leaves: another model.
    """
    until = state.limits.quiet_until
    if stop.cause == NOBODY_LOOKED or (stop.family == "OTHER MODEL" and stop.until is None):
        return stop
    over = state.last if stop.until is None else stop.until
    return structs.replace(stop, planned=True) if until and stop.dead_at <= until and over <= until else stop


def _taken(state: State, lines: Iterable[Line]) -> tuple[State, tuple[Stop, ...]]:
    """Take lines in, and give the stops likewise.

    Only a line of no one server makes the state anew. Between two such lines each server changes alone, and calm lines
    of it wait for the next that is not calm.
    """
    servers, last, limits = {**state.servers}, state.last, state.limits
    given: list[Stop] = []
    waiting: dict[str, list[calm.Calm]] = {}
    readers_of, may_be_calm, is_calm = dispatch.LINES.get, calm.KINDS, calm.is_calm
    for line in lines:
        if (t := line.t) > last:
            last = t
        kind = type(line)
        if kind in may_be_calm and is_calm(line, limits) and (name := line.endpoint):
            before = waiting.get(name)
            if before is not None:
                before.append(line)
                continue
            if calm.is_quiet(servers.get(name) or Server(name)):
                waiting[name] = [line]
                continue
        readers = readers_of(kind, dispatch.UNREAD)
        name = readers[0](line)
        if not name:
            if _is_of_all(line):
                _caught_up(servers, waiting, state)
                state, due = _of_all(replace(state, last=last, servers=servers), line)
                given.extend(due)
                servers = {**state.servers}
            continue
        if waiting:
            _caught_up(servers, waiting, state)
        old = servers.get(name) or Server(name)
        new = dispatch.read(old, line, readers, state)
        if new.cases is not old.cases and any(c.said is not None or c.successor is not None for c in new.cases):
            new, due = handed_out(new, state, line.t, told_only=True)
            given.extend(due)
        if new is not old:
            servers[name] = new
    _caught_up(servers, waiting, state)
    return replace(state, last=last, servers=servers), tuple(given)


def _caught_up(servers: dict[str, Server], waiting: dict[str, list[calm.Calm]], state: State) -> None:
    """Take in the calm lines that wait, of each server; afterwards none waits."""
    for name, lines in waiting.items():
        server = servers.get(name) or Server(name)
        if len(lines) > 1:
            servers[name] = calm.caught_up(server, lines)
        else:
            servers[name] = dispatch.read(server, lines[0], dispatch.LINES[type(lines[0])], state)
    waiting.clear()


def _is_of_all(line: Line) -> bool:
    """Whether a line that is of no one server says anything of all of them."""
    kind = type(line)
    return (kind is Clock and line.w == RECORDER) or kind is Gpu or kind is Event


def _of_all(state: State, line: Line) -> tuple[State, tuple[Stop, ...]]:
    """A line of no one server: the heartbeat, a reading of a GPU, an error of a card's driver."""
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
    """The state in which is said what is known by now of children that ended."""
    if not any(map(_CHILD_ENDS, state.servers.values())):
        return state
    servers = {name: children.ticked(server, now, state.boot_offset) for name, server in state.servers.items()}
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
        if not case.statement.withdrawn
    ]
    found += [stop for server in state.servers.values() for stop in server.done]
    found += [*state.steps, *traffic.finished(state)]
    return tuple(sorted((in_quiet(stop, state) for stop in found), key=lambda stop: (stop.dead_at, stop.id)))


def fold(lines: Iterable[Line], limits: Limits | None = None) -> tuple[Stop, ...]:
    """The stops of a whole record, whose lines are in order of time."""
    state, _ = _taken(start(limits), lines)
    return finish(state)
