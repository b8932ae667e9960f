"""Silent stops: a pure fold over the record, in order of time, with the recorder's heartbeat as its clock.

:func:`step` takes one line and gives the stops that it completes: a stop is handed out once when the evidence about it
has had time to come in, and again, under the same id, when it is over. :func:`finish` gives every stop in its last
form; :func:`fold` is both over a whole record. The live watch and the judging of a night are the same code.

Families: STOPPED (its process ended), RESTARTED (and another took its place), DEAF (it lives, and listens no more),
FROZEN (it lives, and does not run), UNOBSERVED (we did not look: inconclusive, and no stop).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from seatrial.records import Clock, Event, Line, LoadRow, Probe, Received, Sample, Sent, Stop
from seatrial.verdict import stops_deaths as deaths
from seatrial.verdict import stops_signs as signs
from seatrial.verdict.hypotheses import (
    cause,
    code_of,
    excluded,
    hypotheses,
    killed_for_memory,
    kind_of,
    number_in,
    signal_of,
    uptime_s,
)
from seatrial.verdict.limits import Limits
from seatrial.verdict.stops_cases import ENDED_KEPT, acquits, change, lived, open_case
from seatrial.verdict.stops_state import SECOND, Case, Ended, Proof, Server, State

RECORDER = "recorder"
GAP_NS = 3 * SECOND
"""Longer without the recorder's heartbeat, and the time between is unobserved."""
SETTLE_NS = 3 * SECOND
"""How long a stop waits for late evidence: the keeper's word, the next probe, rows of the requests it broke."""

NEAR_NS = 200_000_000
"""A token or an answer this near to the end is the last sign of life, though the process was there a little longer."""


def start(limits: Limits | None = None) -> State:
    """The state before the first line."""
    return State(limits=limits or Limits())


def step(state: State, line: Line) -> tuple[State, tuple[Stop, ...]]:
    """Take one line in; give the stops that are complete, or over, by it."""
    state = replace(state, last=max(state.last, line.t))
    if isinstance(line, Clock):
        return _ticked(state, line) if line.w == RECORDER else (state, ())
    if isinstance(line, Event) and line.what == "seal":
        return state, ()
    name = line.name if isinstance(line, Sample | Probe | Event) else getattr(line, "endpoint", "")
    if not name:
        return state, ()
    old = state.servers.get(name) or Server(name)
    new = _read(old, line, state.boot_offset)
    if new is old:
        return state, ()
    over = [c.id for c in old.cases if c.until is None and c.said]
    ended = tuple(stop_of(c, new, state) for c in new.cases if c.id in over and c.until is not None)
    return replace(state, servers={**state.servers, name: new}), ended


def finish(state: State) -> tuple[Stop, ...]:
    """Every stop in its last form, in order of time, at the end of the record.

    The recorder's seal is no proof that it watched to the end: it seals also when the keeper dies in mid-run. In an
    orderly run nobody writes after it.
    """
    if not state.tick:
        state = _never_observed(state)
    elif state.last - state.tick > GAP_NS:
        state = _unobserved(state, state.tick, state.last, ended=False)
    found = [stop_of(case, server, state) for server in state.servers.values() for case in server.cases]
    return tuple(sorted(found, key=lambda stop: (stop.dead_at, stop.id)))


def fold(lines: Iterable[Line], limits: Limits | None = None) -> tuple[Stop, ...]:
    """The stops of a whole record, whose lines are in order of time."""
    state = start(limits)
    for line in lines:
        state, _ = step(state, line)
    return finish(state)


def stop_of(case: Case, server: Server, state: State) -> Stop:
    """A case in the words of the record."""
    unobserved = case.family == "UNOBSERVED"
    uptime = None if unobserved else uptime_s(case, state.boot_offset)
    main, end, alive = case.main, case.exit, _last_life(case)
    dies = end is not None or case.family in ("STOPPED", "RESTARTED")
    return Stop(
        id=case.id,
        name=server.name,
        family=case.family,
        alive_at=alive.at,
        dead_at=case.dead_at,
        seen_at=case.opened_at,
        kind=kind_of(case) if dies else "",
        until=case.until,
        proof=alive.text,
        rung=signs.rung_of(case),
        pid=main.pid if main else 0,
        incarnation=main.incarnation if main else "",
        successor=case.successor.incarnation or f"pid {case.successor.pid}" if case.successor else "",
        signal=signal_of(end),
        code=code_of(end),
        source=end.source if end else ("" if not dies else "unobservable: its process is not observable from here"),
        pidfd_at=end.pidfd_at if end else None,
        uptime_s=uptime,
        evidence=(*case.evidence, *_evidence(case)),
        excluded=() if unobserved else tuple(excluded(case, kept=server.main is not None)),
        cause="the recorder did not run" if unobserved else cause(case),
        hypotheses=() if unobserved else tuple(hypotheses(case, uptime)),
        suspects=tuple(sorted(case.suspects)),
    )


def _last_life(case: Case) -> Proof:
    """The last proof of life: of its service where that is near, else what its silent pidfd proves."""
    seen = (number_in(case.exit.facts.get("alive_at", "")) if case.exit else None) or 0
    near = case.dead_at - case.alive.at <= NEAR_NS
    if near or case.evidence or case.family not in ("STOPPED", "RESTARTED") or not case.alive.at < seen <= case.dead_at:
        return case.alive
    return Proof(
        seen, f"its process ran ({case.alive.text}, {(seen - case.alive.at) / SECOND:.2f} s earlier)", "process"
    )


def _read(server: Server, line: Line, boot_offset: int | None) -> Server:
    match line:
        case Sample():
            server = signs.sampled(server, line)
        case Probe():
            server = signs.probed(server, line)
        case Event():
            server = deaths.happened(server, line, boot_offset)
        case Sent():
            flying = {**server.in_flight, line.id: line.t}
            server = replace(server, in_flight=flying, spoken_at=server.spoken_at or line.t)
        case Received():
            server = _received(server, line)
        case LoadRow():
            server = _load_row(server, line)
    return server


def _received(server: Server, line: Received) -> Server:
    text = f"bytes of the answer to {line.id}"
    last = [at for at, _ in line.frames[-2:]]
    bounds = [case.dead_at for case in server.cases if case.dead_at < (last[-1] if last else 0)]
    for bound in bounds:  # the bytes that came before a stop, and the first that came after it
        before = [at for at, _ in line.frames if at <= bound]
        after = [at for at, _ in line.frames if at > bound]
        last += [*before[-1:], *after[:1]]
    return _over(server, Ended(line.id, line.sent_at, line.ended_at, not line.error), sorted(set(last)), text,
                 refused=line.error == "refused")  # fmt: skip


def _load_row(server: Server, line: LoadRow) -> Server:
    times = sorted({at for at in (line.first_at, line.gap_from, line.gap_to, line.last_at) if at})
    clean = bool(line.finish_reason)
    return _over(server, Ended(line.id, line.sent_at, line.ended_at, clean), times, f"a token of {line.id}",
                 refused=line.outcome == "refused")  # fmt: skip


def _over(server: Server, ended: Ended, times: list[int], text: str, *, refused: bool) -> Server:
    """A request is over: its bytes were proofs of life, and it is in flight no longer."""
    for at in times:
        server = lived(server, at, text, "token")
    flying = {name: at for name, at in server.in_flight.items() if name != ended.id}
    server = replace(server, in_flight=flying, ended=(*server.ended, ended)[-ENDED_KEPT:])
    if refused and not server.refused_at:
        server = replace(server, refused_at=ended.ended_at)
    for case in server.cases:
        if ended.id in case.suspects and acquits(ended, case):
            server = change(server, case, suspects=case.suspects - {ended.id})
    return server


def _ticked(state: State, clock: Clock) -> tuple[State, tuple[Stop, ...]]:
    """A heartbeat: time passes only by it. Gaps come to light, and stops that have waited long enough are given."""
    offset = clock.boot_ns - clock.t
    slept = 0 if state.boot_offset is None else offset - state.boot_offset
    gap = clock.t - state.tick if state.tick else 0
    if gap > GAP_NS or slept > GAP_NS:
        state = _unobserved(state, state.tick, clock.t, ended=True, slept=slept)
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


def _unobserved(state: State, since: int, until: int, *, ended: bool, slept: int = 0) -> State:
    seen = f"no heartbeat of the recorder for {(until - since) / SECOND:.1f} s"
    if slept > GAP_NS:
        seen = f"the machine slept for {slept / SECOND:.1f} s"
    servers = {}
    for name, server in state.servers.items():
        beat = Proof(since, "the recorder's heartbeat", "heartbeat")
        marked = open_case(server, "UNOBSERVED", until, until, alive=beat, evidence=(seen,))
        servers[name] = change(marked, marked.cases[-1], until=until if ended else None, suspects=frozenset())
    return replace(state, servers=servers)


def _never_observed(state: State) -> State:
    """Without any heartbeat, whoever was spoken to was unobserved from the first request to the last line."""
    servers = dict(state.servers)
    for name, server in state.servers.items():
        if server.spoken_at:
            first = Proof(server.spoken_at, "the first request, before which nobody looked", "token")
            servers[name] = open_case(server, "UNOBSERVED", state.last, state.last, alive=first,
                                      evidence=("no heartbeat of the recorder at all",))  # fmt: skip
            servers[name] = change(servers[name], servers[name].cases[-1], suspects=frozenset())
    return replace(state, servers=servers)


def _evidence(case: Case) -> tuple[str, ...]:
    end = case.exit
    if end is None:
        return ()
    found = []
    if end.status is not None:
        found.append(f"exit status told by {end.source}")
    host, cgroup = killed_for_memory(case)
    if host or cgroup:
        counts = [f"+{n} {where}" for n, where in ((host, "on the host"), (cgroup, "in its cgroup")) if n is not None]
        found.append(f"oom_kill {', '.join(counts)}")
    return tuple(found)
