"""Where the fold meets work and streams: each line once past both, and each heartbeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from seatrial.records import Ask, Gpu, Line, LoadRow, Stop
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Server, State
from seatrial.stops.state.work import Streams, Work
from seatrial.stops.streams import broken
from seatrial.stops.streams import told as stops_streams_told
from seatrial.stops.work import (
    gateway,
    seen,
    wedged,
)
from seatrial.stops.work.seen import gpu_seen

OfStreams = Callable[[Streams, Any, Work, Limits], Streams]
Of = tuple[Callable[[Work, Any], Work], OfStreams | None]
STREAMS: dict[type[Line], OfStreams] = {LoadRow: broken.row_seen, Ask: broken.canary_seen}
READ: dict[type[Line], Of] = {kind: (read, STREAMS.get(kind)) for kind, read in seen.READ.items()}
"""What a line tells of a server's work, and of its streams."""
NOTHING: Of = (lambda work, _: work, None)
_BEHIND = attrgetter("work.behind")


def lined(server: Server, line: Line, limits: Limits) -> Server:
    """A line about a server, after the rest of the fold has read it."""
    before = server.work
    read, judge = READ.get(type(line), NOTHING)
    work = read(before, line)
    if judge is not None:
        server = replace(server, work=work, streams=judge(server.streams, line, work, limits))
    elif work is not before:
        server = replace(server, work=work)
    return wedged.narrowed(server, before) if server.cases else server


def gpu(state: State, line: Gpu) -> State:
    """A reading of a GPU bears on every server of the host."""
    return replace(state, servers={
        name: replace(server, work=gpu_seen(server.work, line)) for name, server in state.servers.items()
    })  # fmt: skip


def ticked(state: State, now: int, *, gap: bool) -> tuple[State, tuple[Stop, ...]]:
    """A heartbeat: open what has lasted long enough, and hand out the families told from traffic."""
    servers = {name: wedged.ticked(s, now, state.limits, gap=gap) for name, s in state.servers.items()}
    if any(map(_BEHIND, servers.values())):
        servers |= gateway.ticked(servers, now, state.limits)
    told: list[Stop] = []
    for name, server in servers.items():
        if not (server.streams.pending or server.streams.troubles):
            continue
        settled = broken.settled(server, now, state.limits)
        servers[name], due = stops_streams_told.given(settled, _behind(settled, servers), now)
        told += due
    return replace(state, servers=servers), tuple(told)


def finished(state: State) -> list[Stop]:
    """The families told from traffic, at the end of the record: nothing comes any more that would explain a stream."""
    found = []
    for server in state.servers.values():
        last = broken.settled(server, state.last + state.limits.wedged_unseen * 2, state.limits)
        found += stops_streams_told.stops(last, _behind(last, state.servers))
    return found


def _behind(server: Server, servers: Mapping[str, Server]) -> list[Server]:
    """What stands behind a gateway, as far as it is watched."""
    return [servers[name] for name in server.work.behind if name in servers and name != server.name]
