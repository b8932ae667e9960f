"""How a stop of a server stands to a stop of the gateway in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.records import SECOND
from seatrial.stops.evidence.ends import how
from seatrial.stops.state.case import Case
from seatrial.stops.state.families import ENDED, EXPLAINS_NOTHING
from seatrial.stops.state.server import Server

FAULT = "the fault is behind it"
THERE = "it stands behind this one"
JUST_S = 0.05
"""Apart by less, two things are told as of one moment."""
NEAR_NS = 60 * SECOND


def said_of(name: str, case: Case, since: int, so: str = FAULT) -> str:
    """``direct STOPPED by SIGKILL 0.4 s before: the fault is behind it``."""
    ended = (
        f" {how(case.exit).removeprefix('ended ')}" if case.exit is not None and case.exit.status is not None else ""
    )
    apart = (since - case.dead_at) / SECOND
    when = f"{abs(apart):.1f} s {'before' if apart >= 0 else 'after'}" if abs(apart) >= JUST_S else "at that moment"
    return f"{name} {case.family}{ended} {when}: {so}"


def beside(case: Case, server: Server, servers: Mapping[str, Server]) -> Iterator[str]:
    """Of a gateway whose own process ended: which stop of a server behind it came just before. That is no cause."""
    if case.family not in ENDED or case.of_child or case.statement.cause:
        return
    for name in server.work.behind:
        stops = servers[name].cases if name in servers and name != server.name else ()
        for other in reversed(stops):
            if other.family not in EXPLAINS_NOTHING and 0 <= case.dead_at - other.dead_at <= NEAR_NS:
                yield said_of(name, other, case.dead_at, THERE)
                break
