"""The part of the fold that reads events: incarnations found, ended, replaced, and stops that were announced."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Event, Happening
from seatrial.stops.process import children, impostor
from seatrial.stops.state.cases import (
    change,
    open_case,
    open_one,
    proof_before,
)
from seatrial.stops.state.server import Case, Exit, Main, Oom, Server
from seatrial.stops.state.witnesses import lately

PLANNED_FOR_NS = 60 * SECOND
"""How long an announced stop may take to happen; an end after that is a stop like any other."""
SOON_NS = 60 * SECOND
"""A successor whose process starts within this of the end makes it a restart; a later one ends a stop."""
MERGE_NS = 5 * SECOND
"""A process that ends this soon after it froze or went deaf was dying then: the stop is its death. One that ends so
soon after another was seen in its place had ended before."""


def happened(server: Server, event: Event, boot_offset: int | None) -> Server:
    """Take an event in; kinds that bear on no stop change nothing."""
    match event.what:
        case Happening.FOUND if event.pid and event.parent:
            return children.born(server, event, boot_offset)
        case Happening.FOUND | Happening.START | Happening.REPLACED if event.pid:
            return found(server, event, boot_offset)
        case Happening.EXIT | Happening.LOST:
            return ended(server, event, boot_offset)
        case Happening.PLANNED_STOP:
            return planned(server, event)
    return server


def found(server: Server, event: Event, boot_offset: int | None) -> Server:
    """A process is the main one now: the first, the same by another report, a replacement, or a successor."""
    main, old = Main.of(event), server.main
    if old is None:
        return _taken_up(server, main)
    if old.is_of(event) and (server.lives or not event.incarnation):
        return replace(server, main=_join(old, main)) if server.lives else server
    return _took_over(server, old, main, event, boot_offset)


def _took_over(server: Server, old: Main, main: Main, event: Event, boot_offset: int | None) -> Server:
    """Another process is the main one: planned, a recovery of ours, a successor, or a stranger."""
    fresh = _taken_up(server, main)
    ours = main.generation > old.generation or _is_planned(server, event.at)
    lasting = open_one(server)
    if lasting is not None and lasting.family == "IMPOSTOR":
        return impostor.followed(fresh, lasting, main, ours=ours)
    stranger = not ours and impostor.is_one(server, old, main)
    if event.what == Happening.REPLACED:  # the old one lives
        return impostor.usurped(fresh, lasting, old, main, event) if stranger else fresh
    if server.lives and not ours:
        end = Exit(at=event.at, source="unobservable: its end was not seen, only its successor")
        fresh = open_case(fresh, "STOPPED", event.at, event.t, main=old, exit=end, look=server.sign,
                          sizes=lately(server))  # fmt: skip
        lasting = fresh.cases[-1]
    if lasting is None or (server.lives and ours):
        return fresh  # all in order; or ours, and the end of the one before is still to be reported
    if stranger:
        return impostor.usurped(fresh, lasting, old, main, event)
    return _succeed(fresh, lasting, main, boot_offset, ours=ours)


def ended(server: Server, event: Event, boot_offset: int | None) -> Server:
    """A process has ended. Ends that were announced are no stops; two reports of one end are one."""
    told = _told_before(server, event)
    if told is not None:
        return told
    before = server.before
    if before is not None and before.is_of(event) and not (server.main and server.main.is_of(event)):
        return _predecessor_ended(server, before, event, boot_offset)
    if event.parent and not (server.main and server.main.is_of(event)):
        return children.gone(server, event, boot_offset, planned=_is_planned(server, event.at))
    main = server.main or Main.of(event)
    if main.is_of(event):
        return _main_ended(replace(server, main=_join(main, Main.of(event))), event)
    return server


def _told_before(server: Server, event: Event) -> Server | None:
    """An end that a stop already speaks of: of the one that stopped, or of an impostor. None: it is another one."""
    for case in reversed(server.cases):
        if case.main is not None and case.main.is_of(event):
            if case.exit is not None:
                return change(server, case, **_merged(case, event))
            if case.family == "IMPOSTOR":
                return change(server, case, exit=Exit.of(event), evidence=(*case.evidence, "the old one ended later"))
        if case.family == "IMPOSTOR" and case.successor is not None and case.successor.is_of(event):
            lives = server.lives and not (server.main and server.main.is_of(event))
            return impostor.ended(replace(server, lives=lives), case)
    return None


def planned(server: Server, event: Event) -> Server:
    """A stop is announced. Of two announcements of one stop the earlier counts."""
    if _announced(server.planned_at, event.at):
        return server
    return replace(server, planned_at=event.at)


def _taken_up(server: Server, main: Main) -> Server:
    """The server with another main process, of which nothing is known yet. Its cgroup may be another one."""
    known = {pid: child for pid, child in server.children.items() if pid != main.pid}
    last = server.ooms[-1:]
    return replace(
        server,
        main=main,
        lives=True,
        before=server.main,
        before_planned_at=server.planned_at,
        planned_at=0,
        sign=None,
        sizes=(),
        listened=None,
        answered=None,
        refused_at=0,
        unheard=0,
        closed=0,
        lost=0,
        mute=0,
        children=known,
        ooms=tuple(Oom(oom.at, oom.host, None) for oom in last),
    )


def _predecessor_ended(server: Server, before: Main, event: Event, boot_offset: int | None) -> Server:
    """The one before this one has ended, and it is told after its successor was found.

    One that lived on beside its successor, its parent or a process that took the port over in order, is no stop.
    """
    main = server.main
    if main is None or _announced(server.before_planned_at, event.at):
        return server
    if event.parent and (event.at - main.found_at > MERGE_NS or impostor.related(server, before, main)):
        return server
    stranger = impostor.is_one(server, before, main)
    ours = main.generation > before.generation
    server = open_case(server, "STOPPED", event.at, event.t, main=_join(before, Main.of(event)), exit=Exit.of(event),
                       look=None)  # fmt: skip
    if stranger and not ours:
        return impostor.usurped(server, server.cases[-1], before, main, event)
    return _succeed(server, server.cases[-1], main, boot_offset, ours=ours)


def _main_ended(server: Server, event: Event) -> Server:
    server = replace(server, lives=False)
    lasting, end = open_one(server), Exit.of(event)
    if _is_planned(server, event.at):
        return server if lasting is None else change(
            server, lasting, evidence=(*lasting.evidence, "it was then ended on purpose")
        )  # fmt: skip
    if lasting is not None and lasting.family == "IMPOSTOR":  # the one that came after the impostor
        return impostor.ended(server, lasting)
    if lasting is None or lasting.main is None or not lasting.main.is_of(event):
        done = server.main is not None and server.main.is_job and event.status == 0
        return open_case(server, "STOPPED", event.at, event.t, exit=end, planned=done)
    if event.at - lasting.dead_at > MERGE_NS:
        return change(server, lasting, exit=end, evidence=(*lasting.evidence, "its process ended later"))
    was = f"{lasting.family} for {(event.at - lasting.dead_at) / SECOND:.1f} s before"
    alive = lasting.alive if lasting.family == "FROZEN" else None
    reduced = replace(server, cases=tuple(c for c in server.cases if c.id != lasting.id))
    return open_case(reduced, "STOPPED", event.at, event.t, exit=end, alive=alive, id=lasting.id, evidence=(was,),
                     said=lasting.said)  # fmt: skip


def _succeed(server: Server, case: Case, main: Main, boot_offset: int | None, *, ours: bool) -> Server:
    """A successor is there. Started by us, it is a recovery; by another hand and soon, a restart."""
    if ours:
        return change(server, case, successor=main)
    started = main.started_at(boot_offset)
    alive = case.alive
    if started < alive.at:  # what served then may have been the successor already: while nobody looked
        alive = proof_before(server, started, case.main.found_at if case.main else started)
    restart = case.family == "STOPPED" and started - case.dead_at <= SOON_NS
    family = "RESTARTED" if restart else case.family
    return change(server, case, successor=main, succeeded_at=started, family=family, alive=alive,
                  until=max(main.found_at, case.dead_at))  # fmt: skip


def _merged(case: Case, event: Event) -> dict[str, object]:
    """A case's end joined with a second report: the earlier time, and waitid's word on the status."""
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
    if case.family in ("STOPPED", "RESTARTED") and joined.at < case.dead_at:
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
    return _announced(server.planned_at, at)


def _announced(planned_at: int, at: int) -> bool:
    return bool(planned_at) and 0 <= at - planned_at <= PLANNED_FOR_NS
