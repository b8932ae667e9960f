"""The part of the fold that reads events: incarnations found, ended, replaced, and stops that were announced."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Event
from seatrial.verdict.stops_cases import change, open_case, open_one, proof_before
from seatrial.verdict.stops_state import SECOND, TICK, Case, Exit, Main, Server

PLANNED_FOR_NS = 60 * SECOND
"""How long an announced stop may take to happen; an end after that is a stop like any other."""
SOON_NS = 60 * SECOND
"""A successor whose process starts within this of the end makes it a restart; a later one ends a stop."""
MERGE_NS = 5 * SECOND
"""A process that ends this soon after it froze or went deaf was dying then: the stop is its death."""


def happened(server: Server, event: Event, boot_offset: int | None) -> Server:
    """Take an event in; kinds that bear on no stop change nothing."""
    match event.what:
        case "found" | "start" | "replaced" if event.pid and not event.parent:
            return found(server, event, boot_offset)
        case "exit" | "lost":
            return ended(server, event, boot_offset)
        case "planned-stop":
            return planned(server, event)
    return server


def found(server: Server, event: Event, boot_offset: int | None) -> Server:
    """A process is the main one now: the first, the same by another report, a replacement, or a successor."""
    main = Main(
        pid=event.pid,
        found_at=event.at,
        incarnation=event.incarnation,
        started_ticks=event.started_ticks,
        generation=event.generation,
        facts=event.facts,
    )
    old = server.main
    if old is not None and old.is_of(event) and (server.lives or not event.incarnation):
        return replace(server, main=_join(old, main)) if server.lives else server
    fresh = replace(
        server,
        main=main,
        lives=True,
        before=old,
        before_planned_at=server.planned_at,
        planned_at=0,
        sign=None,
        listened=None,
        refused_at=0,
        unheard=0,
        mute=0,
    )
    if old is None or event.what == "replaced":
        return fresh
    ours = main.generation > old.generation or _is_planned(server, event.at)
    if not server.lives:
        case = open_one(server)
        return fresh if case is None else _succeed(fresh, case, main, boot_offset, ours=ours)
    if ours:
        return fresh  # its end, if it was one, is still to be reported
    end = Exit(at=event.at, source="unobservable: its end was not seen, only its successor")
    fresh = open_case(fresh, "STOPPED", event.at, event.t, main=old, exit=end)
    return _succeed(fresh, fresh.cases[-1], main, boot_offset, ours=False)


def ended(server: Server, event: Event, boot_offset: int | None) -> Server:
    """A process has ended. Children and ends that were announced are no stops; two reports of one end are one."""
    case = next((c for c in reversed(server.cases) if c.main is not None and c.main.is_of(event) and c.exit), None)
    if case is not None:
        return change(server, case, **_merged(case, event))
    if event.parent and not (server.main and server.main.is_of(event)):
        return server
    main = server.main or Main(event.pid, event.at, event.incarnation, event.started_ticks, event.generation)
    if main.is_of(event):
        return _main_ended(replace(server, main=_join(main, _as_main(event))), event)
    if server.before is not None and server.before.is_of(event):
        if _announced(server.before_planned_at, event.at) or server.main is None:
            return server
        server = open_case(server, "STOPPED", event.at, event.t, main=_join(server.before, _as_main(event)),
                           exit=_exit(event))  # fmt: skip
        ours = main.generation > server.before.generation if server.before else False
        return _succeed(server, server.cases[-1], main, boot_offset, ours=ours)
    return server


def planned(server: Server, event: Event) -> Server:
    """A stop is announced. Of two announcements of one stop the earlier counts."""
    if _announced(server.planned_at, event.at):
        return server
    return replace(server, planned_at=event.at)


def _main_ended(server: Server, event: Event) -> Server:
    server = replace(server, lives=False)
    lasting = open_one(server)
    if _is_planned(server, event.at):
        return server if lasting is None else change(
            server, lasting, evidence=(*lasting.evidence, "it was then ended on purpose")
        )  # fmt: skip
    if lasting is None or lasting.main is None or not lasting.main.is_of(event):
        return open_case(server, "STOPPED", event.at, event.t, exit=_exit(event))
    if event.at - lasting.dead_at > MERGE_NS:
        return change(server, lasting, exit=_exit(event), evidence=(*lasting.evidence, "its process ended later"))
    was = f"{lasting.family} for {(event.at - lasting.dead_at) / SECOND:.1f} s before"
    alive = lasting.alive if lasting.family == "FROZEN" else None
    reduced = replace(server, cases=tuple(c for c in server.cases if c.id != lasting.id))
    again = open_case(reduced, "STOPPED", event.at, event.t, exit=_exit(event), alive=alive)
    return change(again, again.cases[-1], evidence=(was,), said=lasting.said)


def _succeed(server: Server, case: Case, main: Main, boot_offset: int | None, *, ours: bool) -> Server:
    """A successor is there. Started by us, it is a recovery; by another hand and soon, a restart."""
    if ours:
        return change(server, case, successor=main)
    started = main.found_at
    if main.started_ticks and boot_offset is not None:
        started = main.started_ticks * TICK - boot_offset
    alive = case.alive
    if started < alive.at:  # what served then may have been the successor already: while nobody looked
        alive = proof_before(server, started, case.main.found_at if case.main else started)
    restart = case.family == "STOPPED" and started - case.dead_at <= SOON_NS
    family = "RESTARTED" if restart else case.family
    return change(server, case, successor=main, family=family, alive=alive, until=max(main.found_at, case.dead_at))


def _merged(case: Case, event: Event) -> dict[str, object]:
    """A case's end joined with a second report: the earlier time, and waitid's word on the status."""
    old, new = case.exit, _exit(event)
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
        changes["main"] = _join(case.main, _as_main(event))
    return changes


def _exit(event: Event) -> Exit:
    seen = event.signalled_at or event.at
    return Exit(seen, event.status, event.source, seen if event.what == "exit" else None, event.facts)


def _as_main(event: Event) -> Main:
    return Main(event.pid, event.at, event.incarnation, event.started_ticks, event.generation)


def _join(old: Main, new: Main) -> Main:
    """One incarnation from two reports: the keeper knows the generation first, the recorder the identity."""
    return Main(
        pid=old.pid,
        found_at=min(old.found_at, new.found_at),
        incarnation=old.incarnation or new.incarnation,
        started_ticks=old.started_ticks or new.started_ticks,
        generation=max(old.generation, new.generation),
        facts=old.facts or new.facts,
    )


def _is_planned(server: Server, at: int) -> bool:
    return _announced(server.planned_at, at)


def _announced(planned_at: int, at: int) -> bool:
    return bool(planned_at) and 0 <= at - planned_at <= PLANNED_FOR_NS
