"""Ever higher rates, each for a while, up to the first that the server does not keep up with: there the sweep ends.

What it has kept up with is what is measured. The rates between the last one and the first one too many are not tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from load.shapes.arriving import dispatch
from load.shapes.helm import Helm
from load.users.ticket import Ticket
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, PhaseSort
from seatrial.statistics import arrivals
from seatrial.statistics.knee import Tried, keeps_up, knee, step_s

SORTS = (PhaseSort.SWEEP,)

Step = Callable[[SoakPhase, Helm, float, float, int], Tried | None]


def sail(phase: SoakPhase, helm: Helm, until: float) -> None:
    climb(phase, helm, until, step)


def climb(phase: SoakPhase, helm: Helm, until: float, tries: Step) -> None:
    """Try ever higher rates.

    Args:
        tries: sends one of them for so many seconds, and says what came of it.
    """
    rates = helm.rates(phase)
    tried: list[Tried] = []
    rate, most = rates if rates else (math.inf, 0.0)
    while rate <= most * 1.000001:
        seconds = step_s(rate, phase.step_s)
        if helm.time.now() + seconds > until:
            break
        found = tries(phase, helm, seconds, rate, len(tried))
        if found is None:
            break
        tried.append(found)
        if keeps_up(found, tried[0]) is False:
            break
        rate *= phase.factor
    if tried:
        helm.measured = knee(tried)


def step(phase: SoakPhase, helm: Helm, seconds: float, rate: float, number: int) -> Tried | None:
    """What comes of one rate; None where the load ended meanwhile."""
    begin = helm.begin()
    tickets: list[tuple[Ticket, bool]] = []
    draw = Random(f"{helm.seed}/{phase.name}/{number}/arrivals")  # noqa: S311
    times = helm.share.arrivals(arrivals.poisson(arrivals.steady(rate), rate, seconds, draw))
    whole = dispatch(times, phase.name, helm, begin, lambda ticket, taken: tickets.append((ticket, taken)))
    if not (whole and helm.time.until(begin + seconds)):
        return None
    lost = sum(not taken or ticket.outcome == "busy" for ticket, taken in tickets)
    return Tried(rate, tuple(_wait(ticket) for ticket, _ in tickets), lost)


def _wait(ticket: Ticket) -> float:
    """Seconds from when a request was meant to be sent to its first token; infinite where none has come."""
    first = ticket.stream.first_at if ticket.stream is not None else 0
    return (first - ticket.intended_at) / SECOND if first else math.inf
