"""A case in the words of the record."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.records import SECOND, Fact, Stop
from seatrial.stops.evidence.ends import (
    code_of,
    how,
    kind_of,
    number_in,
    signal_of,
    uptime_s,
)
from seatrial.stops.evidence.programs import deleted, exe_of
from seatrial.stops.state.server import Case, Proof, Server, State
from seatrial.stops.state.witnesses import thread_words
from seatrial.stops.telling import causes, rungs
from seatrial.stops.telling.alike import alike
from seatrial.stops.telling.hypotheses import hypotheses

NEAR_NS = 200_000_000
"""A token or an answer this near to the end is the last sign of life, though the process was there a little longer."""


def stop_of(case: Case, server: Server, state: State) -> Stop:
    """The stop that a case has come to be."""
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
        kind=case.told.kind or (kind_of(case) if dies else ""),
        until=case.until,
        proof=alive.text,
        rung=rungs.RUNG_OF["RUNNER REPLACED"] if case.of_child else rungs.rung_of(case),
        pid=main.pid if main else 0,
        incarnation=main.incarnation if main else "",
        successor=case.successor.incarnation or f"pid {case.successor.pid}" if case.successor else "",
        signal=signal_of(end),
        code=code_of(end),
        source=end.source if end else ("" if not dies else "unobservable: its process is not observable from here"),
        pidfd_at=end.pidfd_at if end else None,
        uptime_s=uptime,
        evidence=case.evidence if unobserved else tuple(dict.fromkeys((*case.evidence, *_evidence(case, server)))),
        excluded=() if unobserved else tuple(causes.excluded(case, kept=server.main is not None)),
        cause=(case.told.cause or "the recorder did not run") if unobserved else causes.cause(case),
        hypotheses=() if unobserved else hypotheses(case, uptime),
        suspects=tuple(sorted(case.suspects)),
        log=case.log,
        planned=case.planned,
        alike=() if unobserved else alike(case),
    )


def _last_life(case: Case) -> Proof:
    """The last proof of life: of its service where that is near, else what its silent pidfd proves.

    Of one that was frozen or deaf before its end, that its process was there tells nothing.
    """
    if case.evidence and case.family in ("STOPPED", "RESTARTED") and not case.of_child:
        return case.alive
    seen = (number_in(case.exit.facts.get(Fact.ALIVE_AT, "")) if case.exit else None) or 0
    near = case.dead_at - case.alive.at <= NEAR_NS
    if near or case.family not in causes.DYING or not case.alive.at < seen <= case.dead_at:
        return case.alive
    text = f"its process ran ({case.alive.text}, {(seen - case.alive.at) / SECOND:.2f} s earlier)"
    return Proof(seen, text, "process")


def _evidence(case: Case, server: Server) -> Iterator[str]:
    """What the record shows of a stop beside what it rests on."""
    gap = _gap(case, server)
    if gap:
        yield gap
    yield from causes.evidence(case)
    if case.threads is not None and case.family in ("FROZEN", "WEDGED", "DEAF"):
        yield thread_words(case.threads)
    if case.child is not None:
        end = case.child.exit
        yield f"its child {case.child.main.pid} {how(end)} {(case.dead_at - end.at) / SECOND:.1f} s before"
    if case.counters:
        yield case.counters
    yield from _programs(case)


def _gap(case: Case, server: Server) -> str:
    """Nobody looked while it happened: it is inferred from what was there before and after."""
    if case.family not in (*causes.DYING, "IMPOSTOR"):
        return ""
    gaps = [g for g in server.cases if g.family == "UNOBSERVED" and g.until is not None]
    within = [g for g in gaps if g.alive.at <= case.dead_at and g.dead_at >= _last_life(case).at]
    if not within:
        return ""
    seconds = sum(g.dead_at - g.alive.at for g in within) / SECOND
    what = {"RESTARTED": "restart", "STOPPED": "stop", "IMPOSTOR": "take-over"}.get(case.family, "replacement")
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
