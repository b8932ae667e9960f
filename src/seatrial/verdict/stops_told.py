"""A case in the words of the record."""

from __future__ import annotations

from seatrial.records import Stop
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
from seatrial.verdict.stops_state import SECOND, Case, Proof, Server, State

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
    text = f"its process ran ({case.alive.text}, {(seen - case.alive.at) / SECOND:.2f} s earlier)"
    return Proof(seen, text, "process")


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
