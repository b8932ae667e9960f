"""What several parts of the fold do to a server's state: note proofs of life, open and change cases."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from seatrial.records import SECOND, Family
from seatrial.stops.state.limits import DYING_NS
from seatrial.stops.state.server import Case, ChildEnd, Ended, Main, Oom, Proof, Server
from seatrial.stops.state.witnesses import (
    at_open,
    lately,
    near,
)

_AT = attrgetter("at")
PROOFS_KEPT = 16
ENDED_KEPT = 64
OOMS_KEPT = 12
CASES_OPEN = 16
"""Late evidence bears on the latest stops only; a server with more than these has other troubles."""
BEFORE_NS = 10 * SECOND
"""The kernel counts a kill before its victim dies, and a large one may be long in dying."""
ENDING_NS = 150_000_000
"""A large process takes up to this long from the signal to its end, and looks alive."""
CHILD_NS = 60 * SECOND
"""A child that ended so long before a stop may have to do with it."""


def noted(proofs: tuple[Proof, ...], *new: Proof) -> tuple[Proof, ...]:
    """The latest proofs with new ones, each later than the one before it, in order of their time."""
    if not proofs or new[0].at >= proofs[-1].at:
        return (proofs + new)[-PROOFS_KEPT:]
    for proof in new:
        proofs = _put(proofs, proof)
    return proofs


def _put(proofs: tuple[Proof, ...], proof: Proof) -> tuple[Proof, ...]:
    if proofs and proof.at <= proofs[0].at and len(proofs) == PROOFS_KEPT:
        return proofs
    at = bisect_right(proofs, proof.at, key=_AT)
    return (*proofs[:at], proof, *proofs[at:])[-PROOFS_KEPT:]


def narrowed(cases: tuple[Case, ...], proof: Proof) -> tuple[Case, ...]:
    """The cases with their intervals brought closer by a proof of life; the same object where none changes."""
    at = proof.at
    for case in cases[-CASES_OPEN:]:
        over = case.until is not None and at >= case.until and at >= case.dead_at
        if over or case.family == "UNOBSERVED":
            continue
        new = _narrow(case, proof)
        if new is not case:
            cases = tuple(new if old is case else old for old in cases)
    return cases


def proof_before(server: Server, at: int, fallback: int, *, serving: bool = False) -> Proof:
    """The last proof of life up to a time. Without any: the moment its process was first seen.

    Args:
        serving: that a process is there is no proof here.
    """
    for proof in reversed(server.proofs):
        if proof.at <= at and (proof.serves or not (serving or _may_be_dying(proof, at))):
            return proof
    return Proof(min(fallback, at), "its process was found")


def open_case(server: Server, family: Family, dead_at: int, now: int, **fields: Any) -> Server:
    """Begin a stop; who was in flight and what was last alive is taken from the state."""
    main: Main | None = fields.pop("main", server.main)
    alive = fields.pop("alive", None) or proof_before(server, dead_at, main.found_at if main else dead_at)
    own: dict[str, Any] = {
        "id": f"{server.name}-{server.opened + 1}",
        "suspects": in_flight_at(server, alive.at, dead_at),
        "oom_before": oom_before(server.ooms, alive.at, dead_at),
        "look": server.sign,
        "sizes": lately(server),
        "child": _child(server, dead_at) if family != "UNOBSERVED" else None,
        "gpu": tuple(event for event in server.gpu if near(event.at, dead_at)),
    }
    case = Case(family=family, alive=alive, dead_at=dead_at, opened_at=now, main=main, **(own | fields))
    opened = server.opened + (case.id != fields.get("id"))  # else it takes the place of one that was opened before
    return at_open(replace(server, cases=(*server.cases, case), opened=opened))


def change(server: Server, case: Case, **fields: Any) -> Server:
    """The server with one of its cases changed."""
    return replace(server, cases=tuple(replace(old, **fields) if old.id == case.id else old for old in server.cases))


def open_one(server: Server) -> Case | None:
    """The stop of the server itself that still lasts, if there is one. A gap of observation is none."""
    for case in reversed(server.cases):
        if case.until is None and case.family != "UNOBSERVED" and not case.of_child:
            return case
    return None


def in_flight_at(server: Server, alive_at: int, dead_at: int) -> frozenset[str]:
    """Ids of the requests on their way when a server stopped, or broken between its last sign and the proof."""
    running = {name for name, sent_at in server.in_flight.items() if sent_at <= dead_at}
    later = {e.id for e in server.ended if e.sent_at <= dead_at < e.ended_at}
    return frozenset(running | later | broken_at(server, alive_at, dead_at))


def broken_at(server: Server, alive_at: int, dead_at: int) -> frozenset[str]:
    """Ids of the requests that were on their way then, and did not come to their end."""
    broken = [e for e in server.ended if not e.clean and e.sent_at <= dead_at and e.ended_at >= alive_at - DYING_NS]
    return frozenset(e.id for e in broken)


def acquits(ended: Ended, dead_at: int) -> bool:
    """Whether the end of a request shows that it was over before the server stopped."""
    return ended.clean and ended.ended_at < dead_at


def _narrow(case: Case, proof: Proof) -> Case:
    """Bring the ends of a stop's interval closer by a proof of life that comes to light late."""
    before = case.alive.at < proof.at <= case.dead_at and not _may_be_dying(proof, case.dead_at)
    if before and _proves(case, proof) and not 0 < case.succeeded_at <= proof.at:
        return replace(case, alive=proof)
    over = proof.at > max(case.bad_at, case.dead_at)
    if over and case.family == "FROZEN" and case.exit is None and (case.until is None or proof.at < case.until):
        return replace(case, until=proof.at)
    back = over and case.successor is not None and proof.at > case.successor.found_at and case.family != "IMPOSTOR"
    if back and case.until is None and proof.serves:
        return replace(case, until=proof.at)
    return case


def _proves(case: Case, proof: Proof) -> bool:
    """Whether a proof of life says anything against the stop: a process that is there may be deaf."""
    if case.family == "DEAF":
        return proof.by == "health"
    if case.of_child or case.family in ("RUNNER REPLACED", "WEDGED"):  # its HTTP layer lives on
        return proof.by == "token"
    return proof.serves or case.family != "IMPOSTOR" or case.exit is not None


def _may_be_dying(proof: Proof, dead_at: int) -> bool:
    """Whether a process was seen so shortly before its end that it may have been ending already."""
    return not proof.serves and dead_at - proof.at < ENDING_NS


def oom_before(ooms: tuple[Oom, ...], alive_at: int, dead_at: int) -> Oom | None:
    """The counts well before the last proof of life; where nobody looked then, the first that were read.

    The cgroup's is of this incarnation: another one may have had another cgroup.
    """
    well_before = min(alive_at, dead_at - BEFORE_NS)
    hosts = [oom for oom in ooms if oom.host is not None]
    groups = [oom for oom in ooms if oom.cgroup is not None]
    host = _at(hosts, well_before, alive_at)
    group = _at(groups, well_before, alive_at)
    if host is None and group is None:
        return None
    return Oom(well_before, host.host if host else None, group.cgroup if group else None)


def _at(ooms: list[Oom], well_before: int, alive_at: int) -> Oom | None:
    known = [oom for oom in ooms if oom.at <= well_before]
    if known:
        return known[-1]
    return ooms[0] if ooms and ooms[0].at <= alive_at else None


def _child(server: Server, dead_at: int) -> ChildEnd | None:
    """The last child that ended shortly before a stop and had no successor."""
    for end in reversed(server.child_ends):
        if 0 <= dead_at - end.exit.at <= CHILD_NS:
            return end
    return None
