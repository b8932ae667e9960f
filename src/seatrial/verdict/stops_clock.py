"""The part of the fold that reads the recorder's heartbeat: time passes only by it.

Gaps and steps of the wall clock come to light here, and stops whose evidence is complete are handed out.
"""

from __future__ import annotations

from operator import attrgetter

from msgspec.structs import replace

from seatrial.records import Clock, Stop
from seatrial.verdict.ends import killed_for_memory
from seatrial.verdict.stops_cases import change, open_case
from seatrial.verdict.stops_state import SECOND, Case, Proof, Said, Server, State
from seatrial.verdict.stops_told import stop_of

GAP_NS = 3 * SECOND
"""Longer without the recorder's heartbeat, and the time between is unobserved."""
SETTLE_NS = 3 * SECOND
"""How long a stop waits for late evidence: the keeper's word, the next probe, rows of the requests it broke."""
COMPLETE_NS = SECOND
"""How long one waits of which all is known but whether a successor comes at once."""
PAST_NS = 3600 * SECOND
"""So long after its end no line bears on a stop any more, and it is put away in its last form."""
OVER_NS = 120 * SECOND
CASES_KEPT = 32
"""A server in a crash loop has thousands of stops in a night: of more than these it is put away so long after its end.
"""
_CASES = attrgetter("cases")
SLEW = 0.001
"""Part of a time by which a clock may be slewed: twice what NTP does (500 ppm)."""


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
        servers[name] = _put_away(told, state, clock.t)
        given += due
    return replace(state, servers=servers), given


def handed_out(server: Server, state: State, now: int, *, told_only: bool = False) -> tuple[Server, tuple[Stop, ...]]:
    """The stops of a server that are due, or that changed in substance since they were told.

    Args:
        told_only: between heartbeats: only those that were told, and those with a successor.
    """
    given: list[Stop] = []
    for case in server.cases:
        said = Said.of(case)
        new = case.said is None and is_due(case, now) and (case.successor is not None or not told_only)
        if new or (case.said is not None and case.said != said):
            given.append(stop_of(case, server, state))
            server = change(server, case, said=said)
    return server, tuple(given)


def _put_away(server: Server, state: State, now: int) -> Server:
    """The server without the stops that are told and long over; they stand in ``done``."""
    before = now - (OVER_NS if len(server.cases) > CASES_KEPT else PAST_NS)
    over = [case for case in server.cases if _is_over(case, before)]
    if not over:
        return server
    done = tuple(stop_of(case, server, state) for case in over if not case.told.withdrawn)
    left = tuple(case for case in server.cases if not _is_over(case, before))
    return replace(server, cases=left, done=(*server.done, *done))


def _is_over(case: Case, before: int) -> bool:
    return case.said is not None and case.until is not None and max(case.until, case.opened_at) < before


def is_due(case: Case, now: int) -> bool:
    """Whether the evidence about a stop has had time to come in."""
    if case.family == "UNOBSERVED" or now - case.opened_at >= SETTLE_NS:
        return True
    if case.family in ("RESTARTED", "RUNNER REPLACED", "IMPOSTOR", "FROZEN", "WEDGED"):
        return now - case.opened_at >= COMPLETE_NS or (case.exit is not None and _known(case))
    return case.exit is not None and _known(case) and now - case.dead_at >= COMPLETE_NS


def _known(case: Case) -> bool:
    """Whether how it ended is known, and what the kernel counted."""
    return case.exit is not None and case.exit.status is not None and killed_for_memory(case)[0] is not None


def unobserved(state: State, since: int, until: int, *, ended: bool, slept: int = 0) -> State:
    """The state in which every endpoint has a gap. ``ended``: the heartbeat went on after it."""
    seen = f"no heartbeat of the recorder for {(until - since) / SECOND:.1f} s"
    if slept > GAP_NS:
        seen = f"the machine slept for {slept / SECOND:.1f} s"
    servers = {}
    for name, server in state.servers.items():
        beat = Proof(since, "the recorder's heartbeat", "heartbeat")
        marked = open_case(server, "UNOBSERVED", until, until, alive=beat, evidence=(seen,))
        marked = change(marked, marked.cases[-1], until=until if ended else None, suspects=frozenset())
        servers[name] = replace(marked, blind=True, unheard=0, mute=0, closed=0, lost=0)
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


def _stepped(state: State, clock: Clock, moved: int, slept: int) -> Stop:
    """The wall clock was set. It belongs to no endpoint, and no process started or ended by it."""
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
