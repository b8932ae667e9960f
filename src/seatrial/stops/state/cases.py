"""Stops and proofs of life: how a stop is opened, changed and put away, and what a proof of life does to it.

This module alone writes ``proofs``, ``cases``, ``opened`` and ``done`` of a server. The readers of lines decide when a
stop begins, ends or becomes another, and say so by :func:`open_case` and :func:`change`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from msgspec.structs import replace

from seatrial.records import NOTICES, SECOND, Family, LoadRow, Stop
from seatrial.stops.state import testimony
from seatrial.stops.state.case import Case
from seatrial.stops.state.families import ENDED, EXPLAINS_NOTHING, FAMILIES
from seatrial.stops.state.incarnations import ChildEnd, Ended, Main, Proof
from seatrial.stops.state.limits import DYING_NS
from seatrial.stops.state.memory import growth, oom_before
from seatrial.stops.state.server import Life, Requests, Server

_AT = attrgetter("at")
_TIME = itemgetter(0)
PROOFS_KEPT = 16
NEVER = frozenset({0})
"""The time of what did not come."""
CASES_OPEN = 16
"""Late proofs bear on the latest stops only; a server with more stops than these has other troubles."""
LATE_KEPT = 4
"""Late evidence bears on so many of the latest stops."""
ENDING_NS = 150_000_000
"""A large process takes up to this long from the signal to its end, and looks alive."""
CHILD_NS = 60 * SECOND
"""A child that ended so long before a stop may have to do with it."""


def proved(server: Server, proofs: tuple[Proof, ...], life: Life, requests: Requests) -> Server:
    """The server with proofs of life, each later than the one before it: noted, and held against its stops.

    Args:
        life: after the same line.
        requests: after the same line. A line of a record comes through here, so that both are handed up at once.
    """
    cases = server.cases
    if cases:
        for proof in proofs:
            cases = _narrowed(cases, proof)
    noted = _noted(server.proofs, proofs) if proofs else server.proofs
    return replace(server, proofs=noted, cases=cases, life=life, requests=requests)


def proved_by(server: Server, rows: Sequence[LoadRow], times: Iterable[Sequence[int]], requests: Requests) -> Server:
    """The server, of which no stop is known, with the tokens of several requests of a load as proofs of life.

    What is kept is what :func:`proved` would keep of one row after the other. Only of that proofs are made.

    Args:
        times: of the tokens that each row tells of, as :func:`told` gives them.
        requests: after the same lines.
    """
    every: list[tuple[int, Proof | LoadRow]] = [(proof.at, proof) for proof in server.proofs]
    every += [(at, row) for row, those in zip(rows, times, strict=True) for at in those]
    every.sort(key=_TIME)
    kept = every[-PROOFS_KEPT:]
    proofs = tuple([token(by, at) if isinstance(by, LoadRow) else by for at, by in kept])
    return replace(server, proofs=proofs, requests=requests)


def told(row: LoadRow) -> Sequence[int]:
    """The times that a row of a load tells of its tokens, each once and in order."""
    first, since, until, last = row.first_at, row.gap_from, row.gap_to, row.last_at
    if 0 < first <= since < until <= last:  # as good as always
        if first == since:
            return (first, until) if until == last else (first, until, last)
        return (first, since, until) if until == last else (first, since, until, last)
    return sorted({first, since, until, last} - NEVER)


def token(row: LoadRow, at: int) -> Proof:
    """A token of a request of a load, as a proof of life."""
    return Proof(at, f"a token of {row.id}", "token")


def _noted(proofs: tuple[Proof, ...], new: tuple[Proof, ...]) -> tuple[Proof, ...]:
    """The latest proofs with new ones, in order of their time."""
    if not proofs or new[0].at >= proofs[-1].at:
        return (proofs + new)[-PROOFS_KEPT:]
    for proof in new:
        if proofs and proof.at < proofs[0].at and len(proofs) == PROOFS_KEPT:
            continue
        at = bisect_right(proofs, proof.at, key=_AT)
        proofs = (*proofs[:at], proof, *proofs[at:])[-PROOFS_KEPT:]
    return proofs


def _narrowed(cases: tuple[Case, ...], proof: Proof) -> tuple[Case, ...]:
    """The cases with their intervals brought closer by a proof of life; the same object where none changes."""
    at = proof.at
    for case in _latest(cases, CASES_OPEN):
        over = case.until is not None and at >= case.until and at >= case.dead_at
        if over or case.family == "UNOBSERVED":
            continue
        new = _brought_closer(case, proof)
        if new is not case:
            cases = tuple(new if old is case else old for old in cases)
    return cases


def proof_before(server: Server, at: int, fallback: int, *, serving: bool = False) -> Proof:
    """The last proof of life up to a time. Without any: the moment the process was first seen.

    Args:
        serving: only a proof of service counts. That a process is there is no proof.
    """
    for proof in reversed(server.proofs):
        if proof.at <= at and (proof.serves or not (serving or _may_be_dying(proof, at))):
            return proof
    return Proof(min(fallback, at), "its process was found")


def open_case(server: Server, family: Family, dead_at: int, now: int, **fields: Any) -> Server:
    """Begin a stop. Who was in flight, what was last alive, and what witnesses said is taken from the server.

    A stop that is given an ``id`` takes the place of a stop that was opened before.
    """
    main: Main | None = fields.pop("main", server.life.main)
    alive = fields.pop("alive", None) or proof_before(server, dead_at, main.found_at if main else dead_at)
    own: dict[str, Any] = {
        "id": f"{server.name}-{server.opened + 1}",
        "suspects": in_flight_at(server, alive.at, dead_at),
        "oom_before": oom_before(server.memory.ooms, alive.at, dead_at),
        "look": server.life.body.sign,
        "growth": growth(server.memory, main, dead_at) if family in ENDED else None,
        "sizes": server.life.body.lately(),
        "child": _child(server, dead_at) if family != "UNOBSERVED" else None,
    }
    case = Case(family=family, alive=alive, dead_at=dead_at, opened_at=now, main=main, **(own | fields))
    case = testimony.given(case, server.witnesses)
    opened = server.opened + (case.id != fields.get("id"))
    return replace(server, cases=(*server.cases, case), opened=opened)


def change(server: Server, case: Case, **fields: Any) -> Server:
    """The server with one of its stops changed."""
    return replace(server, cases=tuple(replace(old, **fields) if old.id == case.id else old for old in server.cases))


def without(server: Server, case: Case) -> Server:
    """The server without a stop, which another stop takes the place of."""
    return replace(server, cases=tuple(c for c in server.cases if c.id != case.id))


def put_aside(server: Server, left: tuple[Case, ...], done: tuple[Stop, ...]) -> Server:
    """The server with some of its stops in their last form, and the others as they are."""
    return replace(server, cases=left, done=(*server.done, *done))


def attested(server: Server, attest: Callable[[Case], Case]) -> Server:
    """The server with late evidence in its latest stops; the same object where the evidence bears on none of them."""
    if not server.cases:
        return server
    changed = {case.id: new for case in newest(server) if (new := attest(case)) is not case}
    if not changed:
        return server
    return replace(server, cases=tuple(changed.get(case.id, case) for case in server.cases))


def newest(server: Server) -> tuple[Case, ...]:
    """The latest stops, on which late evidence bears."""
    return _latest(server.cases, LATE_KEPT)


def _latest(cases: tuple[Case, ...], most: int) -> tuple[Case, ...]:
    """The latest of them. Notices do not count: no evidence bears on them, and they explain nothing."""
    tail = cases[-most:]
    for case in tail:
        if case.family in NOTICES:
            return tuple(case for case in cases if case.family not in NOTICES)[-most:]
    return tail


def lasting(server: Server, family: Family) -> Case | None:
    """The stop or notice of a family that was opened and is not over, if there is one."""
    return next((case for case in server.cases if case.family == family and case.until is None), None)


def open_one(server: Server) -> Case | None:
    """The stop of the server itself that still lasts, if there is one. No gap and no notice is a stop.

    A stop that lasts beside others is not meant: of what happens meanwhile it says nothing.
    """
    for case in reversed(server.cases):
        if case.until is None and case.family not in EXPLAINS_NOTHING and not case.of_child:
            return case
    return None


def in_flight_at(server: Server, alive_at: int, dead_at: int) -> frozenset[str]:
    """Ids of the requests that were on their way when a server stopped, or that broke at its last sign or after it."""
    running = {name for name, sent_at in server.requests.in_flight.items() if sent_at <= dead_at}
    later = {e.id for e in server.requests.ended if e.sent_at <= dead_at < e.ended_at}
    return frozenset(running | later | broken_at(server, alive_at, dead_at))


def broken_at(server: Server, alive_at: int, dead_at: int) -> frozenset[str]:
    """Ids of the requests that were on their way then, and did not come to their end."""
    broken = [
        e for e in server.requests.ended if not e.clean and e.sent_at <= dead_at and e.ended_at >= alive_at - DYING_NS
    ]
    return frozenset(e.id for e in broken)


def acquits(ended: Ended, dead_at: int) -> bool:
    """Whether the end of a request shows that the request was over before the server stopped."""
    return ended.clean and ended.ended_at < dead_at


def _brought_closer(case: Case, proof: Proof) -> Case:
    """A stop whose interval a proof of life that comes to light late makes shorter, or closes.

    An example: a token of 10.4 s moves the beginning of a STOPPED seen at 11 s from 10 s to 10.4 s.
    """
    before = case.alive.at < proof.at <= case.dead_at and not _may_be_dying(proof, case.dead_at)
    if before and _speaks_against(case, proof) and not 0 < case.succeeded_at <= proof.at:
        return replace(case, alive=proof)
    over = proof.at > max(case.bad_at, case.dead_at)
    if over and case.family == "FROZEN" and case.exit is None and (case.until is None or proof.at < case.until):
        return replace(case, until=proof.at)
    back = over and case.successor is not None and proof.at > case.successor.found_at and case.family != "IMPOSTOR"
    if back and case.until is None and proof.serves and proof.ready:
        return replace(case, until=proof.at)
    return case


def _speaks_against(case: Case, proof: Proof) -> bool:
    """Whether a proof of life says anything against the stop: a process that is there may be deaf."""
    if case.of_child:  # the parent's HTTP layer lives on
        return proof.by == "token"
    return proof.by in FAMILIES[case.family].refuted_by or (case.family == "IMPOSTOR" and case.exit is not None)


def _may_be_dying(proof: Proof, dead_at: int) -> bool:
    """Whether a process was seen so shortly before its end that the process may have been ending already."""
    return not proof.serves and dead_at - proof.at < ENDING_NS


def _child(server: Server, dead_at: int) -> ChildEnd | None:
    """The last child that ended shortly before a stop and had no successor."""
    for end in reversed(server.children.child_ends):
        if 0 <= dead_at - end.exit.at <= CHILD_NS:
            return end
    return None
