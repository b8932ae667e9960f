"""RUNNER REPLACED: a child of the main process ended, and its parent, which lives on, started another in its place.

No probe of the parent shows it: the parent answered all the while. A child that ends without a successor is no stop
of the service by itself; it is kept as evidence for one that follows. Nor is one that was unloaded and is loaded again
on demand: its parent slept meanwhile, or had another model loaded, or it ended in order and broke no request.

A runner that crashed, or that the kernel killed for memory, is STOPPED until a successor comes: many a parent starts
one only with the next request.
"""

from __future__ import annotations

import signal

from msgspec.structs import replace

from seatrial.records import SECOND, Event, Fact
from seatrial.stops.evidence.ends import (
    CRASHES,
    code_of,
    killed_for_memory,
    number_in,
    signal_of,
)
from seatrial.stops.evidence.programs import (
    another,
    model_of,
    program_of,
)
from seatrial.stops.state.cases import (
    acquits,
    broken_at,
    change,
    in_flight_at,
    oom_before,
    open_case,
    proof_before,
)
from seatrial.stops.state.server import TICK, Case, ChildEnd, Ended, Exit, Main, Oom, Server

LIVED_NS = SECOND
"""A child that ended sooner was a helper, not a runner."""
WORKED_NS = 10 * SECOND
"""One that ended in order must have lived so long: helpers end in order all the time."""
SUCCESSOR_NS = 60 * SECOND
"""A runner may be started again only by the next request."""
WAIT_NS = 6 * SECOND
"""So long a crash waits for its successor before it is told alone: children are looked for every five seconds."""
KEPT = 8
CHILDREN_KEPT = 256


def born(server: Server, event: Event, boot_offset: int | None) -> Server:
    """A child was found: perhaps the successor of one that ended."""
    child = Main.of(event)
    if child.pid == (server.main.pid if server.main else 0):
        return server
    known = dict(list(server.children.items())[1 - CHILDREN_KEPT :])
    server = replace(server, children=known | {child.pid: child})
    for end in reversed(server.child_ends):
        if _succeeds(server, end, child, boot_offset):
            return _replaced(server, end, child, event.t, boot_offset)
    return server


def gone(server: Server, event: Event, boot_offset: int | None, *, planned: bool) -> Server:
    """A child has ended; of one whose life was long enough a successor may come, or was found before its end was."""
    child = server.children.get(event.pid)
    if child is None or not child.is_of(event):
        child = Main.of(event)
    left = {pid: main for pid, main in server.children.items() if pid != event.pid}
    server = replace(server, children=left)
    if planned:
        return server
    end = Exit.of(event)
    alive = proof_before(server, end.at, child.found_at, serving=True)
    one = ChildEnd(child, end, alive, in_flight_at(server, alive.at, end.at))
    server = replace(server, child_ends=(*server.child_ends, one)[-KEPT:])
    for other in reversed(server.children.values()):
        if _succeeds(server, one, other, boot_offset):
            return _replaced(server, one, other, event.t, boot_offset)
    return server


def settled(server: Server, now: int, boot_offset: int | None) -> Server:
    """A heartbeat: crashes that found no successor are told.

    That an end in order broke a request, or a kill was one for memory, may be known only after the successor was found.
    """
    for end in server.child_ends:
        if not end.waited and now - end.exit.at >= WAIT_NS:
            server = _waited(server, end, now, boot_offset)
    for end in server.child_ends:
        if not (end.stop or _in_order(end.exit)) or now - end.exit.at > SUCCESSOR_NS:
            continue
        child = next((c for c in server.children.values() if _succeeds(server, end, c, boot_offset)), None)
        if child is not None:
            server = _replaced(server, end, child, now, boot_offset)
    return server


def _waited(server: Server, end: ChildEnd, now: int, boot_offset: int | None) -> Server:
    """No successor came. Of a runner that is known, and crashed under a parent that lives, this is a stop."""
    stop = ""
    after = _counted_since(server, end)
    known = program_of(end.main.facts) is not None and _worked(end, boot_offset)
    if known and server.lives and not server.planned_at and _lives(server, end.main.parent) and _crashed(server, end):
        seen = (
            f"its child {end.main.pid} ended under its parent {end.main.parent}, which lives",
            f"no successor began within {WAIT_NS // SECOND} s",
        )
        suspects = end.suspects | in_flight_at(server, end.alive.at, end.exit.at)
        server = open_case(server, "STOPPED", end.exit.at, now, main=end.main, exit=end.exit, alive=end.alive,
                           suspects=suspects, evidence=seen, look=None, child=None, of_child=True,
                           oom_after=after)  # fmt: skip
        stop = server.cases[-1].id
    ends = tuple(replace(e, waited=True, stop=stop) if e is end else e for e in server.child_ends)
    return replace(server, child_ends=ends)


def _crashed(server: Server, end: ChildEnd) -> bool:
    """By a signal of its own making, or killed while the kernel counted a kill for memory."""
    number = signal_of(end.exit)
    if number != signal.SIGKILL:
        return number in CRASHES
    case = Case("", "STOPPED", end.alive, end.exit.at, end.exit.at, exit=end.exit,
                oom_before=oom_before(server.ooms, end.alive.at, end.exit.at),
                oom_after=_counted_since(server, end))  # fmt: skip
    return any((moved or 0) > 0 for moved in killed_for_memory(case))


def _counted_since(server: Server, end: ChildEnd) -> Oom | None:
    """Kills for memory as counted after an end, if they moved; its cgroup is taken for that of its parent."""
    return server.ooms[-1] if server.ooms and server.ooms[-1].at >= end.exit.at else None


def acquitted(server: Server, ended: Ended) -> Server:
    """A request is over: with a child that ended after it, it was not in flight."""
    ends = tuple(
        replace(end, suspects=end.suspects - {ended.id})
        if ended.id in end.suspects and acquits(ended, end.exit.at)
        else end
        for end in server.child_ends
    )
    return replace(server, child_ends=ends)


def _succeeds(server: Server, end: ChildEnd, child: Main, boot_offset: int | None) -> bool:
    old = end.main
    if (
        not server.lives
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
    """Whether its parent ended it in order, and started the same again only when that was asked for."""
    if _in_order(end.exit) and not broken_at(server, end.alive.at, end.exit.at):
        return True
    since, until = server.asleep
    return (0 < since <= started and until >= end.exit.at) or _made_room(server, end, started, boot_offset)


def _in_order(end: Exit) -> bool:
    """With status 0, or by the signal that asks for it."""
    return code_of(end) == 0 or signal_of(end) == signal.SIGTERM


def _made_room(server: Server, end: ChildEnd, started: int, boot_offset: int | None) -> bool:
    """Whether another model was loaded by the same parent between the end and the successor."""
    own, since = model_of(end.main.facts), _alive_until(end.exit) - TICK
    others = (*server.children.values(), *(other.main for other in server.child_ends))
    return bool(own) and any(
        other.parent == end.main.parent
        and model_of(other.facts) not in ("", own)
        and since <= other.started_at(boot_offset) <= started
        for other in others
    )


def _alive_until(end: Exit) -> int:
    """When it is last known to have run: its parent may have known of the end, and acted, before the recorder did."""
    return min(number_in(end.facts.get(Fact.ALIVE_AT, "")) or end.at, end.at)


def _lives(server: Server, pid: int) -> bool:
    return pid in server.children or (server.main is not None and server.main.pid == pid)


def _worked(end: ChildEnd, boot_offset: int | None) -> bool:
    """Whether it was a runner: it lived long enough for how it ended."""
    lived = end.exit.at - end.main.started_at(boot_offset)
    return lived >= (LIVED_NS if end.exit.status else WORKED_NS)


def _replaced(server: Server, end: ChildEnd, child: Main, now: int, boot_offset: int | None) -> Server:
    rest = tuple(other for other in server.child_ends if other is not end)
    server = replace(server, child_ends=rest)
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
    return open_case(server, "RUNNER REPLACED", end.exit.at, now, main=end.main, exit=end.exit, alive=end.alive,
                     successor=child, until=back, suspects=end.suspects | broken, evidence=seen, look=None,
                     child=None)  # fmt: skip
