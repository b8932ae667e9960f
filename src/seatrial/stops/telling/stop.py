"""A case in the words of the record."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.records import SECOND, Fact, Stop
from seatrial.stops.evidence.ends import code_of, how, kind_of, number_in, signal_of, uptime_s
from seatrial.stops.evidence.programs import deleted, exe_of, model_of
from seatrial.stops.state.case import Case
from seatrial.stops.state.families import ENDED, ENDED_MAIN, FAMILIES
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.server import Server, State
from seatrial.stops.state.testimony import thread_words
from seatrial.stops.telling import causes, loops, neighbours, rungs
from seatrial.stops.telling.alike import alike
from seatrial.stops.telling.hypotheses import hypotheses

NOBODY_LOOKED = "the recorder did not run"
"""The cause of a gap in the record, where the recorder knows no other."""
NEAR_NS = 200_000_000
"""A token or an answer this near to the end is the last sign of life, though the process was there a little longer."""


def stop_of(case: Case, server: Server, state: State) -> Stop:
    """The stop that a case has come to be."""
    unobserved = case.family == "UNOBSERVED"
    uptime = None if unobserved else uptime_s(case, state.boot_offset)
    main, end, alive = case.main, case.exit, _last_life(case)
    dies = end is not None or case.family in ENDED_MAIN
    return Stop(
        id=case.id,
        name=server.name,
        family=case.family,
        alive_at=alive.at,
        dead_at=case.dead_at,
        seen_at=case.opened_at,
        kind=case.statement.kind or (kind_of(case) if dies else ""),
        until=case.until,
        proof=alive.text,
        rung=rungs.rung_of(case),
        pid=main.pid if main else 0,
        incarnation=main.incarnation if main else "",
        successor=case.successor.incarnation or f"pid {case.successor.pid}" if case.successor else "",
        signal=signal_of(end),
        code=code_of(end),
        source=end.source if end else ("" if not dies else "unobservable: its process is not observable from here"),
        pidfd_at=end.pidfd_at if end else None,
        uptime_s=uptime,
        evidence=case.evidence
        if unobserved
        else tuple(dict.fromkeys((*case.evidence, *_evidence(case, server, state)))),
        excluded=() if unobserved else tuple(causes.excluded(case, kept=server.life.main is not None)),
        cause=(case.statement.cause or NOBODY_LOOKED) if unobserved else causes.cause(case),
        hypotheses=() if unobserved else hypotheses(case, uptime),
        suspects=tuple(sorted(case.suspects)),
        log=case.testimony.log,
        restarts=case.starts if case.loop.deaths else 0,
        looped_ns=case.loop.at - case.dead_at if case.loop.deaths else 0,
        lives=loops.lives(case),
        planned=case.planned,
        alike=() if unobserved else alike(case),
    )


def _last_life(case: Case) -> Proof:
    """The last proof of life: of the service where that is near, else what the process's silent pidfd proves.

    If the server was already frozen or deaf, a live process does not prove service.
    """
    if case.evidence and case.family in ENDED_MAIN and not case.of_child:
        return case.alive
    seen = (number_in(case.exit.facts.get(Fact.ALIVE_AT, "")) if case.exit else None) or 0
    near = case.dead_at - case.alive.at <= NEAR_NS
    if near or case.family not in ENDED or not case.alive.at < seen <= case.dead_at:
        return case.alive
    text = f"its process ran ({case.alive.text}, {(seen - case.alive.at) / SECOND:.2f} s earlier)"
    return Proof(seen, text, "process")


def _evidence(case: Case, server: Server, state: State) -> Iterator[str]:
    """What the record shows of a stop, beside what the stop rests on."""
    gap = _gap(case, server)
    if gap:
        yield gap
    yield from neighbours.beside(case, server, state.servers)
    yield from causes.evidence_of_end(case)
    if case.testimony.read is not None and FAMILIES[case.family].lives_on:
        yield thread_words(case.testimony.read)
    if case.child is not None:
        end = case.child.exit
        yield f"its child {case.child.main.pid} {how(end)} {(case.dead_at - end.at) / SECOND:.1f} s before"
    yield from case.testimony.told.values()
    yield from _programs(case)


def _gap(case: Case, server: Server) -> str:
    """Nobody looked while the stop happened: it is inferred from what was there before and after."""
    what = FAMILIES[case.family].inferred
    if not what:
        return ""
    gaps = [g for g in server.cases if g.family == "UNOBSERVED" and g.until is not None]
    within = [g for g in gaps if g.alive.at <= case.dead_at and g.dead_at >= _last_life(case).at]
    if not within:
        return ""
    seconds = sum(g.dead_at - g.alive.at for g in within) / SECOND
    return f"UNOBSERVED {seconds:.1f} s: the {what} is inferred inside the window, its moment was not seen"


def _programs(case: Case) -> Iterator[str]:
    """What differs between the program that ended and the one that came."""
    if case.main is None or case.family == "UNOBSERVED":
        return
    if deleted(case.main.facts):
        yield "its executable had been replaced or removed on disk while it ran"
    if case.successor is None or case.family == "IMPOSTOR":
        return
    old, new = exe_of(case.main.facts), exe_of(case.successor.facts)
    if old and new and old != new:
        yield f"the path of its program changed: {old} -> {new}"
    before, after = (main.facts.get(Fact.ARGUMENTS, "") for main in (case.main, case.successor))
    if before and after and before.split(" ")[1:] != after.split(" ")[1:]:
        yield "its successor was started with other arguments"
    had, has = (model_of(main.facts) for main in (case.main, case.successor))
    if had and has and had.rpartition("/")[2] != has.rpartition("/")[2]:
        yield f"its successor's arguments name another model: {had} -> {has}"
