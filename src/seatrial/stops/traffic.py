"""Heartbeats and GPUs, past the work and the streams of all servers."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from msgspec.structs import replace

from seatrial.records import Gpu, Stop
from seatrial.stops.state.server import Server, State
from seatrial.stops.streams import broken, told
from seatrial.stops.work import gateway, machine, wedged

_BEHIND = attrgetter("work.behind")


def gpu(state: State, line: Gpu) -> State:
    """A reading of a GPU bears on every server of the host."""
    servers = {name: replace(server, work=machine.gpu(server.work, line)) for name, server in state.servers.items()}
    return replace(state, servers=servers)


def ticked(state: State, now: int, *, gap: bool) -> tuple[State, tuple[Stop, ...]]:
    """A heartbeat: open what has lasted long enough, and hand out the families told from traffic."""
    servers = {name: wedged.ticked(s, now, state.limits, gap=gap) for name, s in state.servers.items()}
    if any(map(_BEHIND, servers.values())):
        servers |= gateway.ticked(servers, now, state.limits)
    given: list[Stop] = []
    for name, server in servers.items():
        if not (server.streams.pending or server.streams.troubles):
            continue
        settled = broken.settled(server, now, state.limits)
        servers[name], due = told.handed_out(settled, _behind(settled, servers), now)
        given += due
    return replace(state, servers=servers), tuple(given)


def finished(state: State) -> list[Stop]:
    """The families told from traffic, at the end of the record: no stop comes any more that would explain a stream."""
    found = []
    for server in state.servers.values():
        last = broken.settled(server, state.last + state.limits.wedged_unseen * 2, state.limits)
        found += told.all_stops(last, _behind(last, state.servers))
    return found


def _behind(server: Server, servers: Mapping[str, Server]) -> list[Server]:
    """The servers behind a gateway, as far as they are watched."""
    return [servers[name] for name in server.work.behind if name in servers and name != server.name]
