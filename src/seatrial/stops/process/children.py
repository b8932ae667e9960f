"""RUNNER REPLACED: a child of the main process ended, and its parent, which lives on, started another in its place.

No probe of the parent shows the change: the parent answered all the while. A child that ends without a successor is
no stop of the service by itself; the child's end is kept as evidence for a stop that follows. A child that was
unloaded and is loaded again on demand is no stop either: its parent slept meanwhile, or had another model loaded, or
the child ended in order and broke no request. So it is with a helper, without which chats are answered (``helpers``).

A runner that crashed, or that the kernel killed for memory, is STOPPED until a successor comes: many a parent starts
a runner only with the next request. A runner that ended otherwise may have been unloaded, which some parents do by
SIGKILL. It is STOPPED once no token comes any more: a WEDGED becomes the end of the engine's process.

An example, told as RUNNER REPLACED::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7","facts":{"exe":"/ollama"}}
    {"kind":"event","t":2e9,"what":"found","name":"a","pid":8,"incarnation":"i-8","parent":7,"facts":{"exe":"/run"}}
    {"kind":"probe","t":4.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"event","t":5e9,"what":"exit","name":"a","pid":8,"incarnation":"i-8","parent":7,"status":11}
    {"kind":"event","t":6e9,"what":"found","name":"a","pid":9,"incarnation":"i-9","parent":7,"facts":{"exe":"/run"}}
    {"kind":"probe","t":6.2e9,"name":"a","listens":true,"owner":7,"health":200}
"""

from __future__ import annotations

import signal
from typing import Any

from msgspec.structs import replace

from seatrial.records import SECOND, Event, Fact
from seatrial.stops.evidence.ends import CRASHES, killed_for_memory, number_in, signal_of
from seatrial.stops.evidence.programs import another, model_of, program_of
from seatrial.stops.process import helpers
from seatrial.stops.process.handover import in_order
from seatrial.stops.state.case import Case, Statement
from seatrial.stops.state.cases import (
    CHILD_NS,
    acquits,
    broken_at,
    change,
    in_flight_at,
    newest,
    open_case,
    proof_before,
)
from seatrial.stops.state.incarnations import TICK, ChildEnd, Ended, Exit, Main, Oom
from seatrial.stops.state.limits import ON_THE_WAY_NS
from seatrial.stops.state.memory import oom_before
from seatrial.stops.state.server import Children, Server
from seatrial.stops.state.sights import Sight

LIVED_NS = SECOND
"""A child that ended sooner than this was a helper, and no runner."""
WORKED_NS = 10 * SECOND
"""A child that ended in order must have lived so long to count as a runner: helpers end in order all the time."""
SUCCESSOR_NS = 60 * SECOND
"""A runner may be started again only by the next request."""
WAIT_NS = 6 * SECOND
"""A crash waits so long for its successor before it is told alone: children are looked for every five seconds."""
KEPT = 8
CHILDREN_KEPT = 256


def born(server: Server, event: Event, boot_offset: int | None) -> Server:
    """A child was found: perhaps the successor of one that ended."""
    child = Main.of(event)
    if child.pid == (server.life.main.pid if server.life.main else 0):
        return server
    known = dict(list(server.children.living.items())[1 - CHILDREN_KEPT :])
    helping = helpers.with_proof(server, child, boot_offset)
    server = _with(server, living=known | {child.pid: child}, helpers=helping)
    for end in reversed(server.children.child_ends):
        if _succeeds(server, end, child, boot_offset):
            return _replaced(server, end, child, event.t, boot_offset)
    return server


def gone(server: Server, event: Event, boot_offset: int | None, *, planned: bool) -> Server:
    """A child has ended. Its successor may come, or was found before the end was."""
    child = server.children.living.get(event.pid)
    if child is None or not child.is_of(event):
        child = Main.of(event)
    server = replace(server, children=but_for(server.children, event.pid))
    server = _with(server, gone=helpers.with_end(server.children, child, event.at))
    if planned:
        return server
    end = Exit.of(event)
    alive = proof_before(server, end.at, child.found_at, serving=True)
    ended = ChildEnd(child, end, alive, in_flight_at(server, alive.at, end.at))
    server = _with(server, child_ends=(*server.children.child_ends, ended)[-KEPT:])
    for other in reversed(server.children.living.values()):
        if _succeeds(server, ended, other, boot_offset):
            return _replaced(server, ended, other, event.t, boot_offset)
    return server


def but_for(children: Children, pid: int) -> Children:
    """The children without the one of a pid."""
    left = {other: main for other, main in children.living.items() if other != pid}
    return replace(children, living=left)


def _with(server: Server, **fields: Any) -> Server:
    return replace(server, children=replace(server.children, **fields))


def ticked(server: Server, now: int, boot_offset: int | None) -> Server:
    """A heartbeat: crashes that found no successor are told.

    An end in order may be known to have broken a request, and a kill to be for memory, only after the successor came.
    """
    for end in server.children.child_ends:
        if not end.waited and now - end.exit.at >= WAIT_NS:
            server = _waited(server, end, now, boot_offset)
    for case in newest(server):
        engine = _engine_of(server, case, boot_offset)
        if engine is not None:
            server = _blamed(server, case, engine, now)
    for end in server.children.child_ends:
        if not (end.stop or in_order(end.exit)) or now - end.exit.at > SUCCESSOR_NS:
            continue
        child = next((c for c in server.children.living.values() if _succeeds(server, end, c, boot_offset)), None)
        if child is not None:
            server = _replaced(server, end, child, now, boot_offset)
    return server


def _waited(server: Server, end: ChildEnd, now: int, boot_offset: int | None) -> Server:
    """No successor came. The end is a stop if a known runner crashed under a parent that lives."""
    stop = ""
    after = _counted_since(server, end)
    if _is_runner(server, end, boot_offset) and _crashed(server, end):
        seen = _seen(server, end, now)
        suspects = end.suspects | in_flight_at(server, end.alive.at, end.exit.at)
        server = open_case(
            server,
            "STOPPED",
            end.exit.at,
            now,
            main=end.main,
            exit=end.exit,
            alive=end.alive,
            suspects=suspects,
            evidence=seen,
            look=None,
            child=None,
            of_child=True,
            oom_after=after,
        )
        stop = server.cases[-1].id
    ends = server.children.child_ends
    return _with(server, child_ends=tuple(replace(e, waited=True, stop=stop) if e is end else e for e in ends))


def _is_runner(server: Server, end: ChildEnd, boot_offset: int | None) -> bool:
    """Whether a child was a known runner under a parent that lives and that nobody is about to end."""
    life = server.life
    known = program_of(end.main.facts) is not None and _worked(end, boot_offset)
    return known and life.lives and not life.planned_at and _lives(server, end.main.parent)


def _seen(server: Server, end: ChildEnd, now: int) -> tuple[str, ...]:
    """That the parent lives, with what /health says of it, and that nobody took the child's place."""
    health = server.work.wellness.health
    well = f", /health {health}" if health is not None else ", /health silent"
    waited = max(WAIT_NS, now - end.exit.at) // SECOND
    return f"child of {end.main.parent}, which lives{well}", f"no successor began within {waited} s"


def _engine_of(server: Server, case: Case, boot_offset: int | None) -> ChildEnd | None:
    """The child whose end is behind a WEDGED: a runner that did not end in order, and after whom no token came."""
    if case.family != "WEDGED" or case.until is not None or case.shown in (Sight.GATEWAY, Sight.BEHIND):
        return None
    for end in reversed(server.children.child_ends):
        near = case.dead_at - CHILD_NS <= end.exit.at <= case.opened_at
        silent = case.alive.at <= end.exit.at + ON_THE_WAY_NS
        ours = near and silent and not (end.stop or in_order(end.exit) or helpers.is_one(server, end.main))
        if ours and end.exit.status is not None and _is_runner(server, end, boot_offset):
            return end
    return None


def _blamed(server: Server, case: Case, end: ChildEnd, now: int) -> Server:
    """A WEDGED that becomes the end of the child that did the work."""
    server = change(
        server,
        case,
        family="STOPPED",
        main=end.main,
        exit=end.exit,
        alive=end.alive,
        dead_at=end.exit.at,
        suspects=case.suspects | end.suspects,
        child=None,
        of_child=True,
        shown=Sight.NONE,
        statement=Statement(),
        oom_after=_counted_since(server, end),
        evidence=(*_seen(server, end, now), *case.evidence),
    )
    ends = server.children.child_ends
    return _with(server, child_ends=tuple(replace(e, waited=True, stop=case.id) if e is end else e for e in ends))


def _crashed(server: Server, end: ChildEnd) -> bool:
    """Whether a child ended by a signal of its own making, or was killed while the kernel counted a kill for memory."""
    number = signal_of(end.exit)
    if number != signal.SIGKILL:
        return number in CRASHES
    before = oom_before(server.memory.ooms, end.alive.at, end.exit.at)
    after = _counted_since(server, end)
    case = Case("", "STOPPED", end.alive, end.exit.at, end.exit.at, exit=end.exit, oom_before=before, oom_after=after)
    return any((moved or 0) > 0 for moved in killed_for_memory(case))


def _counted_since(server: Server, end: ChildEnd) -> Oom | None:
    """Kills for memory as counted after an end, if they moved. The child's cgroup is taken for that of its parent."""
    ooms = server.memory.ooms
    return ooms[-1] if ooms and ooms[-1].at >= end.exit.at else None


def acquitted(server: Server, ended: Ended) -> Server:
    """A request is over: it was not in flight when a child ended after that."""
    ends = tuple(
        replace(end, suspects=end.suspects - {ended.id})
        if ended.id in end.suspects and acquits(ended, end.exit.at)
        else end
        for end in server.children.child_ends
    )
    return _with(server, child_ends=ends)


def _succeeds(server: Server, end: ChildEnd, child: Main, boot_offset: int | None) -> bool:
    """Whether a child is the successor of one that ended: of its program and model, at once, and not on demand."""
    old = end.main
    if (
        not server.life.lives
        or old.parent != child.parent
        or not _lives(server, old.parent)
        or not _worked(end, boot_offset)
    ):
        return False
    if another(old.facts, child.facts) is not False:
        return False
    if model_of(old.facts) != model_of(child.facts):  # another model was asked for: the parent's own doing
        return False
    started = child.started_at(boot_offset)
    if started < _alive_until(end.exit) - TICK or (not end.stop and started > end.exit.at + SUCCESSOR_NS):
        return False
    return end.stop != "" or _crashed(server, end) or not _unloaded(server, end, started, boot_offset)


def _unloaded(server: Server, end: ChildEnd, started: int, boot_offset: int | None) -> bool:
    """Whether a child ended in order or only helped, and the parent started it again only when it was asked for."""
    expected = in_order(end.exit) or helpers.is_one(server, end.main)
    if expected and not broken_at(server, end.alive.at, end.exit.at):
        return True
    since, until = server.witnesses.asleep
    return (0 < since <= started and until >= end.exit.at) or _made_room(server, end, started, boot_offset)


def _made_room(server: Server, end: ChildEnd, started: int, boot_offset: int | None) -> bool:
    """Whether another model was loaded by the same parent between the end and the successor."""
    own, since = model_of(end.main.facts), _alive_until(end.exit) - TICK
    others = (*server.children.living.values(), *(other.main for other in server.children.child_ends))
    return bool(own) and any(
        other.parent == end.main.parent
        and model_of(other.facts) not in ("", own)
        and since <= other.started_at(boot_offset) <= started
        for other in others
    )


def _alive_until(end: Exit) -> int:
    """When a child is last known to have run: its parent may have known of the end before the recorder did."""
    return min(number_in(end.facts.get(Fact.ALIVE_AT, "")) or end.at, end.at)


def _lives(server: Server, pid: int) -> bool:
    main = server.life.main
    return pid in server.children.living or (main is not None and main.pid == pid)


def _worked(end: ChildEnd, boot_offset: int | None) -> bool:
    """Whether a child was a runner: it lived long enough for how it ended."""
    lived = end.exit.at - end.main.started_at(boot_offset)
    return lived >= (LIVED_NS if end.exit.status else WORKED_NS)


def _replaced(server: Server, end: ChildEnd, child: Main, now: int, boot_offset: int | None) -> Server:
    """A child is the successor of one that ended: the stop that was told becomes this, or a stop begins and is over."""
    server = _with(server, child_ends=tuple(other for other in server.children.child_ends if other is not end))
    broken = in_flight_at(server, end.alive.at, end.exit.at)
    started = child.started_at(boot_offset)
    back = max(min(started, child.found_at), end.exit.at)
    seen = (
        f"child {end.main.pid} -> {child.pid} under its parent {child.parent}, which lives",
        f"the successor began {max(0, started - end.exit.at) / SECOND:.2f} s after the end",
    )
    told = next((case for case in server.cases if end.stop and case.id == end.stop), None)
    if told is not None:
        return change(server, told, family="RUNNER REPLACED", successor=child, until=back, evidence=seen)
    return open_case(
        server,
        "RUNNER REPLACED",
        end.exit.at,
        now,
        main=end.main,
        exit=end.exit,
        alive=end.alive,
        successor=child,
        until=back,
        suspects=end.suspects | broken,
        evidence=seen,
        look=None,
        child=None,
    )
