"""The part of the fold that reads the recorder's heartbeat: time passes only by it.

Gaps come to light here, and stops whose evidence has had time to come in are handed out.
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Clock, Stop
from seatrial.verdict.stops_cases import change, open_case
from seatrial.verdict.stops_state import SECOND, Proof, State
from seatrial.verdict.stops_told import stop_of

GAP_NS = 3 * SECOND
"""Longer without the recorder's heartbeat, and the time between is unobserved."""
SETTLE_NS = 3 * SECOND
"""How long a stop waits for late evidence: the keeper's word, the next probe, rows of the requests it broke."""


def ticked(state: State, clock: Clock) -> tuple[State, tuple[Stop, ...]]:
    """A heartbeat of the recorder; the stops that are complete by it."""
    offset = clock.boot_ns - clock.t
    slept = 0 if state.boot_offset is None else offset - state.boot_offset
    gap = clock.t - state.tick if state.tick else 0
    if gap > GAP_NS or slept > GAP_NS:
        state = unobserved(state, state.tick, clock.t, ended=True, slept=slept)
    given: list[Stop] = []
    servers = dict(state.servers)
    state = replace(state, tick=clock.t, boot_offset=offset)
    for name, server in state.servers.items():
        due = [c for c in server.cases if not c.said and clock.t - c.opened_at >= SETTLE_NS]
        if due:
            given += [stop_of(case, server, state) for case in due]
            said = {case.id for case in due}
            cases = tuple(replace(c, said=True) if c.id in said else c for c in server.cases)
            servers[name] = replace(server, cases=cases)
    return (replace(state, servers=servers) if given else state), tuple(given)


def unobserved(state: State, since: int, until: int, *, ended: bool, slept: int = 0) -> State:
    """The state in which every endpoint has a gap. ``ended``: the heartbeat went on after it."""
    seen = f"no heartbeat of the recorder for {(until - since) / SECOND:.1f} s"
    if slept > GAP_NS:
        seen = f"the machine slept for {slept / SECOND:.1f} s"
    servers = {}
    for name, server in state.servers.items():
        beat = Proof(since, "the recorder's heartbeat", "heartbeat")
        marked = open_case(server, "UNOBSERVED", until, until, alive=beat, evidence=(seen,))
        servers[name] = change(marked, marked.cases[-1], until=until if ended else None, suspects=frozenset())
    return replace(state, servers=servers)


def never_observed(state: State) -> State:
    """Without any heartbeat, whoever was spoken to was unobserved from the first request to the last line."""
    servers = dict(state.servers)
    for name, server in state.servers.items():
        if server.spoken_at:
            first = Proof(server.spoken_at, "the first request, before which nobody looked", "token")
            servers[name] = open_case(server, "UNOBSERVED", state.last, state.last, alive=first,
                                      evidence=("no heartbeat of the recorder at all",))  # fmt: skip
            servers[name] = change(servers[name], servers[name].cases[-1], suspects=frozenset())
    return replace(state, servers=servers)
