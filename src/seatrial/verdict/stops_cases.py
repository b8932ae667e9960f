"""What several parts of the fold do to a server's state: note proofs of life, open and change cases."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from seatrial.records import Family
from seatrial.verdict.stops_state import SECOND, By, Case, Ended, Main, Oom, Proof, Server

PROOFS_KEPT = 16
ENDED_KEPT = 64
OOMS_KEPT = 12
ENDING_NS = 150_000_000
"""A large process takes up to this long from the signal to its end, and looks alive."""
DYING_NS = SECOND
"""A request that breaks this long before the last proof of life, or after it, was in flight: dying takes time."""


def lived(server: Server, at: int, text: str, by: By) -> Server:
    """Note a proof of life, and let it narrow the stops it bears on."""
    proof = Proof(at, text, by)
    if server.proofs and at < server.proofs[-1].at:
        proofs = tuple(sorted((*server.proofs, proof), key=lambda p: p.at))[-PROOFS_KEPT:]
    else:
        proofs = (*server.proofs, proof)[-PROOFS_KEPT:]
    server = replace(server, proofs=proofs)
    if not server.cases:
        return server
    return replace(server, cases=tuple(_narrow(case, proof) for case in server.cases))


def proof_before(server: Server, at: int, fallback: int) -> Proof:
    """The last proof of life up to a time. Without any: the moment its process was first seen."""
    for proof in reversed(server.proofs):
        if proof.at <= at and not _may_be_dying(proof, at):
            return proof
    return Proof(min(fallback, at), "its process was found")


def open_case(server: Server, family: Family, dead_at: int, now: int, **fields: Any) -> Server:
    """Begin a stop; who was in flight and what was last alive is taken from the state."""
    main: Main | None = fields.pop("main", server.main)
    alive = fields.pop("alive", None) or proof_before(server, dead_at, main.found_at if main else dead_at)
    case = Case(
        id=f"{server.name}-{len(server.cases) + 1}",
        family=family,
        alive=alive,
        dead_at=dead_at,
        opened_at=now,
        main=main,
        suspects=in_flight_at(server, alive.at, dead_at),
        oom_before=_oom_before(server.ooms, alive.at),
        **fields,
    )
    return replace(server, cases=(*server.cases, case))


def change(server: Server, case: Case, **fields: Any) -> Server:
    """The server with one of its cases changed."""
    return replace(server, cases=tuple(replace(old, **fields) if old.id == case.id else old for old in server.cases))


def open_one(server: Server) -> Case | None:
    """The stop that still lasts, if there is one. A gap of observation is none."""
    for case in reversed(server.cases):
        if case.until is None and case.family != "UNOBSERVED":
            return case
    return None


def in_flight_at(server: Server, alive_at: int, dead_at: int) -> frozenset[str]:
    """Ids of the requests on their way when a server stopped, or broken between its last sign and the proof."""
    running = {name for name, sent_at in server.in_flight.items() if sent_at <= dead_at}
    broken = {
        e.id
        for e in server.ended
        if e.sent_at <= dead_at and (e.ended_at > dead_at or (not e.clean and e.ended_at >= alive_at - DYING_NS))
    }
    return frozenset(running | broken)


def acquits(ended: Ended, case: Case) -> bool:
    """Whether the end of a request shows that it was over before the server stopped."""
    return ended.clean and ended.ended_at < case.dead_at


def _narrow(case: Case, proof: Proof) -> Case:
    """Bring the ends of a stop's interval closer by a proof of life that comes to light late."""
    if case.family == "UNOBSERVED":
        return case
    before = case.alive.at < proof.at <= case.dead_at and not _may_be_dying(proof, case.dead_at)
    if before and (case.family != "DEAF" or proof.by == "health"):
        return replace(case, alive=proof)
    over = proof.at > max(case.bad_at, case.dead_at)
    if over and case.family == "FROZEN" and case.exit is None and (case.until is None or proof.at < case.until):
        return replace(case, until=proof.at)
    back = over and case.successor is not None and proof.at > case.successor.found_at
    if back and case.until is None and proof.serves:
        return replace(case, until=proof.at)
    return case


def _may_be_dying(proof: Proof, dead_at: int) -> bool:
    """Whether a process was seen so shortly before its end that it may have been ending already."""
    return not proof.serves and dead_at - proof.at < ENDING_NS


def _oom_before(ooms: tuple[Oom, ...], alive_at: int) -> Oom | None:
    """The oldest count kept from before the last proof of life: the kernel counts before the victim dies."""
    return next((oom for oom in ooms if oom.at <= alive_at), ooms[0] if ooms else None)
