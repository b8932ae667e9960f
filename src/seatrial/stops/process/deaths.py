"""STOPPED and RESTARTED: the process ended. The reader of events about processes.

A process is found, ends, or is replaced; an end may be announced, and is no stop then. Two observers may report one
end: the recorder, which sees the process, and the keeper, which started it. A successor that begins within a minute
makes a RESTARTED of a STOPPED. A later successor only ends the STOPPED.

An example, told as STOPPED::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"probe","t":4.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"sample","t":5.1e9,"name":"a","pid":7,"incarnation":"i-7","state":"S","cpu_ns":100,"switches":9}
    {"kind":"probe","t":5.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"event","t":5.9e9,"what":"exit","name":"a","at":5.8e9,"pid":7,"incarnation":"i-7","status":9}
    {"kind":"probe","t":6.2e9,"name":"a","listens":false,"error":"refused"}

An example, told as RESTARTED::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"probe","t":4.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"probe","t":5.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"event","t":5.9e9,"what":"exit","name":"a","at":5.8e9,"pid":7,"incarnation":"i-7","status":9}
    {"kind":"event","t":6.1e9,"what":"found","name":"a","at":6e9,"pid":9,"incarnation":"i-9"}
    {"kind":"probe","t":6.2e9,"name":"a","listens":true,"owner":9,"health":200}
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Event, Family, Happening
from seatrial.stops.process import again, children, handover, impostor
from seatrial.stops.state.case import Case
from seatrial.stops.state.cases import change, open_case, open_one, proof_before, without
from seatrial.stops.state.families import ENDED_MAIN
from seatrial.stops.state.incarnations import Exit, Main
from seatrial.stops.state.limits import PLANNED_FOR_NS
from seatrial.stops.state.memory import of_the_host
from seatrial.stops.state.server import Life, Server, State

UNSEEN = "unobservable: its end was not seen, only its successor"
SOON_NS = 60 * SECOND
"""A successor whose process starts within this of the end makes it a restart; a later one ends a stop."""
HEIRS_TOLD = 3
"""Of so many who had the port for a moment after an end it is told that they ended too."""
MERGE_NS = 5 * SECOND
"""A process that ends this soon after it froze or went deaf was dying then: the stop is its death. A process that ends
this soon after another was seen in its place had ended before."""


def found(server: Server, event: Event, state: State) -> Server:
    """A process is found: a child, or the main one: the first, the same by another report, or a successor."""
    if not event.pid:
        return server
    if event.parent and event.what == Happening.FOUND:
        return children.born(server, event, state.boot_offset)
    main, life = Main.of(event), server.life
    old = life.main
    if old is None:
        return _taken_up(server, main)
    if old.is_of(event) and (life.lives or not event.incarnation):
        return _with_main(server, _join(old, main)) if life.lives else server
    return _took_over(server, old, main, event, state.boot_offset)


def _took_over(server: Server, old: Main, main: Main, event: Event, boot_offset: int | None) -> Server:
    """Another process is the main one: planned, a recovery of ours, a successor, or a stranger."""
    fresh, lived = _taken_up(server, main), server.life.lives
    ours = main.generation > old.generation or _is_planned(server, event.at)
    lasting = open_one(server)
    if lasting is not None and lasting.family == "IMPOSTOR":
        return impostor.followed(fresh, lasting, main, ours=ours)
    stranger = not ours and impostor.is_one(server, old, main)
    if event.what == Happening.REPLACED:  # the old one lives
        return impostor.usurped(fresh, lasting, old, main, event) if stranger else fresh
    loops = again.looping(server) if lived and not ours else None
    if loops is not None:
        unseen = Exit(at=event.at, source=UNSEEN)
        return _succeed(again.ended(fresh, loops, unseen, boot_offset), loops, main, boot_offset, ours=False)
    if lived and not ours and lasting is not None and lasting.heir is not None and lasting.heir.is_same(old):
        fresh = change(fresh, lasting, **_followed(lasting, old))
        lasting = open_one(fresh)
    elif lived and not ours:
        end, body = Exit(at=event.at, source=UNSEEN), server.life.body
        fresh = open_case(fresh, "STOPPED", event.at, event.t, main=old, exit=end, look=body.sign, sizes=body.lately())
        lasting = fresh.cases[-1]
    if lasting is None or (lived and ours):
        return fresh  # all in order; or ours, and the end of the one before is still to be reported
    if stranger:
        return impostor.usurped(fresh, lasting, old, main, event)
    known = server.children.living.get(main.pid)
    child = known is not None and known.is_of(event)
    return _succeed(fresh, lasting, main, boot_offset, ours=ours, child=child)


def ended(server: Server, event: Event, state: State) -> Server:
    """A process has ended. Ends that were announced are no stops; two reports of one end are one."""
    told = _told_before(server, event, state.boot_offset)
    if told is not None:
        return told
    main, before = server.life.main, server.life.before
    is_main = main is not None and main.is_of(event)
    if before is not None and before.is_of(event) and not is_main:
        return _predecessor_ended(server, before, event, state.boot_offset)
    if event.parent and not is_main:
        return children.gone(server, event, state.boot_offset, planned=_is_planned(server, event.at))
    main = main or Main.of(event)
    if main.is_of(event):
        return _main_ended(_with_main(server, _join(main, Main.of(event))), event, state.boot_offset)
    return server


def _told_before(server: Server, event: Event, boot_offset: int | None) -> Server | None:
    """The server with an end that a stop already speaks of: of who stopped, or of an impostor. None: another end."""
    for case in reversed(server.cases):
        if case.loop.main is not None and case.loop.main.is_of(event):
            return again.told_again(server, case, Exit.of(event))
        if any(heir.is_of(event) for heir in case.followed):
            return server
        if case.main is not None and case.main.is_of(event):
            if case.exit is not None:
                told = change(server, case, **_merged(case, event, shared=server.address.shared))
                return _reconsidered(told, case.id, boot_offset)
            if case.family == "IMPOSTOR":
                return change(server, case, exit=Exit.of(event), evidence=(*case.evidence, "the old one ended later"))
        if case.family == "IMPOSTOR" and case.successor is not None and case.successor.is_of(event):
            life = server.life
            lives = life.lives and not (life.main and life.main.is_of(event))
            return impostor.stranger_ended(replace(server, life=replace(life, lives=lives)), case)
    return None


def planned(server: Server, event: Event, _: State) -> Server:
    """A stop is announced. Of two announcements of one stop the earlier counts."""
    if _is_planned(server, event.at):
        return server
    return replace(server, life=replace(server.life, planned_at=event.at))


def _taken_up(server: Server, main: Main) -> Server:
    """The server with a new life, of whose process nothing is known yet. What is known of its host stays."""
    old = server.life
    life = Life(main=main, lives=True, before=old.main, before_planned_at=old.planned_at)
    left = children.but_for(server.children, main.pid)
    return replace(server, life=life, children=left, memory=of_the_host(server.memory))


def _with_main(server: Server, main: Main) -> Server:
    return replace(server, life=replace(server.life, main=main))


def _predecessor_ended(server: Server, before: Main, event: Event, boot_offset: int | None) -> Server:
    """The incarnation before this one has ended, and its end is told after its successor was found.

    A predecessor that lived on is no stop: beside a successor that is its parent, or that took the port over in order.
    """
    main = server.life.main
    if main is None or _announced(server.life.before_planned_at, event.at):
        return server
    if event.parent and (event.at - main.found_at > MERGE_NS or impostor.related(server, before, main)):
        return server
    stranger = impostor.is_one(server, before, main)
    ours = main.generation > before.generation
    was, end = _join(before, Main.of(event)), Exit.of(event)
    server = open_case(server, "STOPPED", event.at, event.t, main=was, exit=end, look=None)
    if stranger and not ours:
        return impostor.usurped(server, server.cases[-1], before, main, event)
    return _succeed(server, server.cases[-1], main, boot_offset, ours=ours)


def _main_ended(server: Server, event: Event, boot_offset: int | None) -> Server:
    """The main process has ended: a STOPPED begins, or the stop that lasts is the beginning of this death."""
    life = replace(server.life, lives=False)
    server = replace(server, life=life)
    lasting, end = open_one(server), Exit.of(event)
    if _is_planned(server, event.at):
        if lasting is None:
            return server
        return change(server, lasting, evidence=(*lasting.evidence, "it was then ended on purpose"))
    if lasting is not None and lasting.family == "IMPOSTOR":  # the one that came after the impostor
        return impostor.stranger_ended(server, lasting)
    if lasting is not None and lasting.heir is not None and lasting.heir.is_of(event):
        return change(server, lasting, **_followed(lasting, lasting.heir))
    if (loops := again.looping(server)) is not None:
        return again.ended(server, loops, end, boot_offset)
    return _opened_or_known(server, lasting, event, end)


def _opened_or_known(server: Server, lasting: Case | None, event: Event, end: Exit) -> Server:
    """A STOPPED that begins with an end, or the stop that lasts, which was the beginning of this death."""
    life = server.life
    if lasting is None or lasting.main is None or not lasting.main.is_of(event):
        done = life.main is not None and life.main.is_job and event.status == 0
        return open_case(server, "STOPPED", event.at, event.t, exit=end, planned=done)
    if event.at - lasting.dead_at > MERGE_NS:
        return change(server, lasting, exit=end, evidence=(*lasting.evidence, "its process ended later"))
    was = f"{lasting.family} for {(event.at - lasting.dead_at) / SECOND:.1f} s before"
    alive = lasting.alive if lasting.family == "FROZEN" else None
    return open_case(
        without(server, lasting),
        "STOPPED",
        event.at,
        event.t,
        exit=end,
        alive=alive,
        id=lasting.id,
        evidence=(was,),
        said=lasting.said,
    )


def _succeed(
    server: Server, case: Case, main: Main, boot_offset: int | None, *, ours: bool, child: bool = False
) -> Server:
    """A successor is there. A successor that we started is a recovery; by another hand and soon, a restart.

    Args:
        child: it was known before as a child of the one that ended.
    """
    if ours:
        return change(server, case, successor=main, starts=case.starts + 1)
    if child or _serves_on(server, case, main, boot_offset):
        return change(server, case, **_inherited(case, main))
    started = main.started_at(boot_offset)
    alive = case.alive
    if started < alive.at:  # what served then may have been the successor already: while nobody looked
        alive = proof_before(server, started, case.main.found_at if case.main else started)
    restart = case.family == "STOPPED" and started - case.dead_at <= SOON_NS
    family: Family = "RESTARTED" if restart else case.family
    back = max(main.found_at, case.dead_at) if main.is_job else None  # what has a port is back once it answers
    return change(
        server,
        case,
        successor=main,
        succeeded_at=case.succeeded_at or started,
        starts=case.starts + 1,
        family=family,
        alive=alive,
        until=back,
    )


def _serves_on(server: Server, case: Case, main: Main, boot_offset: int | None) -> bool:
    """Whether who has the port after an end is no new server."""
    worker = handover.recycled(case, main, shared=server.address.shared) and handover.in_order(case.exit)
    return worker or handover.was_there(case, main, boot_offset)


def _inherited(case: Case, main: Main) -> dict[str, object]:
    """What is changed in a stop by an heir."""
    said = f"pid {main.pid} has its port, and is no new server: it was there before, or is a worker of its family"
    return {"heir": main, "evidence": (*case.evidence, said)}


def _followed(case: Case, heir: Main) -> dict[str, object]:
    """What is changed in a stop whose heir ended too before it answered: a family that is killed ends one by one."""
    said = (f"pid {heir.pid} ended too, before it answered",) if len(case.followed) < HEIRS_TOLD else ()
    return {"heir": None, "followed": (*case.followed, heir), "evidence": (*case.evidence, *said)}


def _reconsidered(server: Server, number: str, boot_offset: int | None) -> Server:
    """The server whose stop has been told more of its end: who was taken for a successor may be an heir."""
    case = next(case for case in server.cases if case.id == number)
    main = case.successor if case.starts == 1 and case.said is None and case.until is None else None
    if main is None or not _serves_on(server, case, main, boot_offset):
        return server
    server = change(server, case, family="STOPPED", successor=None, succeeded_at=0, starts=0)
    return change(server, case, **_inherited(case, main))


def _merged(case: Case, event: Event, *, shared: bool) -> dict[str, object]:
    """A case's end joined with a second report: the earlier time, and waitid's word on the status.

    Args:
        shared: others had LISTEN sockets at the port.
    """
    old, new = case.exit, Exit.of(event)
    assert old is not None
    better = old if old.source == "waitid" or (old.status is not None and new.source != "waitid") else new
    joined = Exit(
        at=min(old.at, new.at),
        status=better.status if better.status is not None else (old.status if old.status is not None else new.status),
        source=better.source,
        pidfd_at=min((p for p in (old.pidfd_at, new.pidfd_at) if p is not None), default=None),
        facts={**old.facts, **new.facts},
    )
    changes: dict[str, object] = {"exit": joined}
    worker = case.successor is not None and handover.recycled(case, case.successor, shared=shared)
    if (worker or case.heir is not None) and case.until and handover.quiet(replace(case, exit=joined)):
        changes["statement"] = replace(case.statement, withdrawn=True)
    if case.family in ENDED_MAIN and joined.at < case.dead_at:
        changes |= {"dead_at": max(joined.at, case.alive.at)}
    if case.main is not None:
        changes["main"] = _join(case.main, Main.of(event))
    return changes


def _join(old: Main, new: Main) -> Main:
    """One incarnation from two reports: the keeper knows the generation first, the recorder the identity."""
    return replace(
        old,
        found_at=min(old.found_at, new.found_at),
        incarnation=old.incarnation or new.incarnation,
        started_ticks=old.started_ticks or new.started_ticks,
        generation=max(old.generation, new.generation),
        facts={**new.facts, **old.facts},
    )


def _is_planned(server: Server, at: int) -> bool:
    return _announced(server.life.planned_at, at)


def _announced(planned_at: int, at: int) -> bool:
    return bool(planned_at) and 0 <= at - planned_at <= PLANNED_FOR_NS
