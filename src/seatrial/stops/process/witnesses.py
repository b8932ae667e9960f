"""The reader of witnesses: threads, log, counters, the GPU's driver. It keeps what they say, and tells the stops."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Event, Fact, Log, Meter, Threads
from seatrial.stops.state.cases import attested, change
from seatrial.stops.state.families import MARKED
from seatrial.stops.state.server import Server, State, Witnesses
from seatrial.stops.state.testimony import DRIVER_KEPT, with_error, with_log, with_threads, with_words

LOGS_KEPT = 2
COUNTERS = "counters"
"""The server's own counters, as a source that is heard of a stop."""


def threads(server: Server, line: Threads, _: State) -> Server:
    """What each thread does."""
    server = replace(server, witnesses=replace(server.witnesses, threads=line))
    return attested(server, lambda case: with_threads(case, line))


def log(server: Server, line: Log, _: State) -> Server:
    """The last lines of the server's log. Only those are new that the reading before did not show."""
    logs = (*server.witnesses.logs, line)[-LOGS_KEPT:]
    server = replace(server, witnesses=replace(server.witnesses, logs=logs))
    return attested(server, lambda case: with_log(case, line))


def meter(server: Server, line: Meter, _: State) -> Server:
    """Whether the server sleeps, and its own mark of its start: with another mark its counters began anew."""
    old = server.witnesses
    new = old if line.asleep is None else _slept(old, line.t, asleep=line.asleep)
    marked = bool(line.start) and line.start != old.mark
    if marked:
        new = replace(new, mark=line.start)
    if new is not old:
        server = replace(server, witnesses=new)
    return _restarted(server, old.mark, line.start) if marked and old.mark else server


def driver(state: State, event: Event) -> State:
    """An error of a GPU's driver bears on every server of this host, but for those that are on another GPU."""
    servers = {name: _with_driver(server, event, state) for name, server in state.servers.items()}
    return replace(state, servers=servers)


def _slept(witnesses: Witnesses, at: int, *, asleep: bool) -> Witnesses:
    if not asleep:
        return replace(witnesses, awake_at=at)
    since, until = witnesses.asleep
    return replace(witnesses, asleep=(since if since and witnesses.awake_at < until else at, at))


def _restarted(server: Server, old: str, new: str) -> Server:
    """The server's counters began anew: the latest stop that has a successor is told so, once."""
    last = next((c for c in reversed(server.cases) if c.family in MARKED and c.successor is not None), None)
    if last is None or COUNTERS in last.testimony.told:
        return server
    said = f"its own mark of its start changed: {old} -> {new}"
    return change(server, last, testimony=with_words(last.testimony, COUNTERS, said))


def _with_driver(server: Server, event: Event, state: State) -> Server:
    """A server with an error of a GPU's driver that may bear on it."""
    if server.address.remote or _on_another(server, event.facts.get(Fact.GPU, ""), state):
        return server
    errors = (*server.witnesses.driver, event)[-DRIVER_KEPT:]
    server = replace(server, witnesses=replace(server.witnesses, driver=errors))
    return attested(server, lambda case: with_error(case, event))


def _on_another(server: Server, index: str, state: State) -> bool:
    """Whether the server's processes are known to be on other GPUs than this one."""
    main = server.life.main
    pids = {str(pid) for pid in server.children.living} | ({str(main.pid)} if main else set())
    on = {str(gpu) for gpu, there in state.gpus.items() if there & pids}
    return bool(on) and index not in on
