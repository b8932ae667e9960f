"""Where the fold meets work and streams: each line once past both, and each heartbeat."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from seatrial.records import Ask, Gpu, Line, LoadRow, Stop
from seatrial.verdict import stops_gateway, stops_streams, stops_streams_told, stops_work
from seatrial.verdict.limits import Limits
from seatrial.verdict.stops_state import Server, State
from seatrial.verdict.stops_work_seen import gpu_seen, seen


def lined(server: Server, line: Line, limits: Limits) -> Server:
    """A line about a server, after the rest of the fold has read it."""
    work = seen(server.work, line)
    if work is not server.work:
        before = server.work
        server = stops_work.narrowed(replace(server, work=work), before)
    if isinstance(line, LoadRow):
        server = stops_streams.row_seen(server, line, limits)
    elif isinstance(line, Ask):
        server = stops_streams.canary_seen(server, line, limits)
    return server


def gpu(state: State, line: Gpu) -> State:
    """A reading of a GPU bears on every server of the host."""
    return replace(state, servers={
        name: replace(server, work=gpu_seen(server.work, line)) for name, server in state.servers.items()
    })  # fmt: skip


def ticked(state: State, now: int, *, gap: bool) -> tuple[State, tuple[Stop, ...]]:
    """A heartbeat: open what has lasted long enough, and hand out the families told from traffic."""
    servers = {name: stops_work.ticked(s, now, state.limits, gap=gap) for name, s in state.servers.items()}
    if any(server.work.behind for server in servers.values()):
        servers |= stops_gateway.ticked(servers, now, state.limits)
    told: list[Stop] = []
    for name in servers:
        settled = stops_streams.settled(servers[name], now, state.limits)
        servers[name], due = stops_streams_told.given(settled, _behind(settled, servers), now)
        told += due
    return replace(state, servers=servers), tuple(told)


def finished(state: State) -> list[Stop]:
    """The families told from traffic, at the end of the record: nothing comes any more that would explain a stream."""
    found = []
    for server in state.servers.values():
        last = stops_streams.settled(server, state.last + state.limits.wedged_unseen * 2, state.limits)
        found += stops_streams_told.stops(last, _behind(last, state.servers))
    return found


def _behind(server: Server, servers: Mapping[str, Server]) -> list[Server]:
    """What stands behind a gateway, as far as it is watched."""
    return [servers[name] for name in server.work.behind if name in servers and name != server.name]
