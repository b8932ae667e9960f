"""When a stop is handed out: once its evidence is complete, again when it has changed, and at last put away."""

from __future__ import annotations

from seatrial.records import SECOND, Stop
from seatrial.stops.evidence.ends import killed_for_memory
from seatrial.stops.process.handover import in_order
from seatrial.stops.state.case import Case, Said
from seatrial.stops.state.cases import change, put_aside
from seatrial.stops.state.families import FAMILIES
from seatrial.stops.state.limits import SETTLE_NS
from seatrial.stops.state.server import Server, State
from seatrial.stops.telling.stop import stop_of

COMPLETE_NS = SECOND
"""How long a stop waits of which all is known but whether a successor comes at once."""
PAST_NS = 3600 * SECOND
"""So long after its end no line bears on a stop any more, and the stop is put away in its last form."""
OVER_NS = 120 * SECOND
"""A server that has more than ``CASES_KEPT`` stops puts each away so long after its end."""
CASES_KEPT = 32
"""A server in a crash loop has thousands of stops in a night."""


def handed_out(server: Server, state: State, now: int, *, told_only: bool = False) -> tuple[Server, tuple[Stop, ...]]:
    """The stops of a server that are due, or that changed in substance since they were handed out.

    Args:
        told_only: between heartbeats. Of stops that were not handed out yet, only those with a successor are due.
    """
    given: list[Stop] = []
    for case in server.cases:
        said = Said.of(case)
        unsaid = case.said is None and not case.statement.withdrawn
        new = (
            unsaid
            and is_due(case, now)
            and not _may_be_succeeded(server, case, now)
            and (case.successor is not None or not told_only)
        )
        if (new or (case.said is not None and case.said != said)) and not case.may_answer(now):
            given.append(stop_of(case, server, state))
            server = change(server, case, said=said)
    return server, tuple(given)


def put_away(server: Server, state: State, now: int) -> Server:
    """The server whose stops that were handed out and are long over stand in ``done``, in their last form."""
    before = now - (OVER_NS if len(server.cases) > CASES_KEPT else PAST_NS)
    over = [case for case in server.cases if _is_over(case, before)]
    if not over:
        return server
    done = tuple(stop_of(case, server, state) for case in over if not case.statement.withdrawn)
    left = tuple(case for case in server.cases if not _is_over(case, before))
    return put_aside(server, left, done)


def _is_over(case: Case, before: int) -> bool:
    told = case.said is not None or case.statement.withdrawn
    return told and case.until is not None and max(case.until, case.opened_at) < before


def _may_be_succeeded(server: Server, case: Case, now: int) -> bool:
    """Whether another one of its port may still be found to serve on: a worker that ended in order beside others."""
    return server.address.shared and in_order(case.exit) and now - case.opened_at < SETTLE_NS


def is_due(case: Case, now: int) -> bool:
    """Whether the evidence about a stop has had time to come in."""
    due = FAMILIES[case.family].due
    if case.heir is not None and case.until is None:
        return now - case.opened_at >= SETTLE_NS
    if due == "at once" or now - case.opened_at >= SETTLE_NS:
        return True
    if due == "shortly":
        return now - case.opened_at >= COMPLETE_NS or _end_is_known(case)
    return _end_is_known(case) and now - case.dead_at >= COMPLETE_NS


def _end_is_known(case: Case) -> bool:
    """Whether it is known how the process ended, and what the kernel counted around the end."""
    return case.exit is not None and case.exit.status is not None and killed_for_memory(case)[0] is not None
