"""UNOBSERVED and CLOCK STEPPED: the reader of the recorder's heartbeat. Time passes only by the heartbeat.

A gap of the heartbeat is a time in which nobody looked. A step of the wall clock shows against the monotonic clock.
Stops whose evidence is complete are handed out at a heartbeat.

An example, told as UNOBSERVED where the heartbeat paused from 5 s to 12 s::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"clock","t":4e9,"wall_ns":1004e9,"boot_ns":4e9,"raw_ns":4e9}
    {"kind":"clock","t":5e9,"wall_ns":1005e9,"boot_ns":5e9,"raw_ns":5e9}
    {"kind":"clock","t":12e9,"wall_ns":1012e9,"boot_ns":12e9,"raw_ns":12e9}
    {"kind":"probe","t":12.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"clock","t":13e9,"wall_ns":1013e9,"boot_ns":13e9,"raw_ns":13e9}

An example, told as CLOCK STEPPED::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"clock","t":4e9,"wall_ns":1004e9,"boot_ns":4e9,"raw_ns":4e9}
    {"kind":"clock","t":5e9,"wall_ns":1005e9,"boot_ns":5e9,"raw_ns":5e9}
    {"kind":"clock","t":6e9,"wall_ns":1246e9,"boot_ns":6e9,"raw_ns":6e9}
    {"kind":"clock","t":7e9,"wall_ns":1247e9,"boot_ns":7e9,"raw_ns":7e9}
    {"kind":"probe","t":7.2e9,"name":"a","listens":true,"owner":7,"health":200}
"""

from __future__ import annotations

from operator import attrgetter

from msgspec.structs import replace

from seatrial.records import SECOND, Clock, Stop
from seatrial.stops.handing import handed_out, put_away
from seatrial.stops.process.deaf import blinded
from seatrial.stops.state.cases import change, open_case
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.server import State

GAP_NS = 3 * SECOND
"""If the recorder's heartbeat is missing for longer than this, the time between is unobserved."""
_CASES = attrgetter("cases")
SLEW = 0.001
"""A clock may be slewed by this part of a time: twice what NTP does (500 ppm)."""


def ticked(state: State, clock: Clock) -> tuple[State, tuple[Stop, ...]]:
    """A heartbeat of the recorder; the stops that are complete by it."""
    awake = clock.boot_ns - (clock.raw_ns or clock.t)  # both are read at once; t is when the line was written
    slept = 0 if state.awake is None else awake - state.awake
    gap = clock.t - state.tick if state.tick else 0
    given: tuple[Stop, ...] = ()
    drift = clock.wall_ns - clock.boot_ns if clock.wall_ns else None
    if drift is not None and state.drift is not None:
        moved = drift - state.drift
        if abs(moved) >= state.limits.clock + max(0, gap + slept) * SLEW:
            given = (_stepped(state, clock, moved, slept),)
    if gap > GAP_NS or slept > GAP_NS:
        state = unobserved(state, state.tick, clock.t, ended=True, slept=slept)
    offset = max(clock.boot_ns - clock.t, state.boot_offset or 0)  # a late t makes it smaller, and nothing larger
    state = replace(state, tick=clock.t, boot_offset=offset, drift=drift, awake=awake, steps=(*state.steps, *given))
    if not any(map(_CASES, state.servers.values())):
        return state, given
    servers = dict(state.servers)
    for name, server in state.servers.items():
        told, due = handed_out(server, state, clock.t)
        servers[name] = put_away(told, state, clock.t)
        given += due
    return replace(state, servers=servers), given


def unobserved(state: State, since: int, until: int, *, ended: bool, slept: int = 0) -> State:
    """The state in which every endpoint has a gap. ``ended``: the heartbeat went on after the gap."""
    seen = f"no heartbeat of the recorder for {(until - since) / SECOND:.1f} s"
    if slept > GAP_NS:
        seen = f"the machine slept for {slept / SECOND:.1f} s"
    servers = {}
    for name, server in state.servers.items():
        beat = Proof(since, "the recorder's heartbeat", "heartbeat")
        marked = open_case(server, "UNOBSERVED", until, until, alive=beat, evidence=(seen,))
        marked = change(marked, marked.cases[-1], until=until if ended else None, suspects=frozenset())
        servers[name] = blinded(marked)
    return replace(state, servers=servers)


def never_observed(state: State) -> State:
    """Without any heartbeat, each server was unobserved from the first request to it to the last line."""
    servers = dict(state.servers)
    for name, server in state.servers.items():
        if server.requests.spoken_at:
            first = Proof(server.requests.spoken_at, "the first request, before which nobody looked", "token")
            seen = "no heartbeat of the recorder at all"
            marked = open_case(server, "UNOBSERVED", state.last, state.last, alive=first, evidence=(seen,))
            servers[name] = change(marked, marked.cases[-1], suspects=frozenset())
    return replace(state, servers=servers)


def _stepped(state: State, clock: Clock, moved: int, slept: int) -> Stop:
    """The wall clock was set. The clock belongs to no endpoint, and no process started or ended by the step."""
    gap = (clock.t - state.tick) / SECOND
    return Stop(
        id=f"clock-{len(state.steps) + 1}",
        name="",
        family="CLOCK STEPPED",
        alive_at=state.tick,
        dead_at=clock.t,
        until=clock.t,
        seen_at=clock.t,
        proof="the recorder's heartbeat",
        step_ns=moved,
        evidence=(
            f"wall clock minus monotonic moved by {moved / SECOND:+.3f} s between two heartbeats {gap:.1f} s apart",
        ),
        excluded=(
            f"a suspend (the boot clock moved by {slept / SECOND:+.3f} s against the monotonic one)",
            "a slew (NTP moves it by 0.5 ms in a second at most)",
            "a restart (start times in ticks since boot do not move with the wall clock)",
        ),
        cause="UNKNOWN: who set the clock is not observable without audit rights",
        hypotheses=(
            "a time service stepped it; would show: a line in its journal (needs rights)",
            "a virtual machine was set right after a pause; would show: the host's log (not observable here)",
        ),
    )
