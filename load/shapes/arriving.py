"""Requests that arrive at random, at one rate or at one that changes, whatever becomes of those before them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from load.shapes.helm import Helm
from load.users.ticket import Ticket
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, PhaseSort
from seatrial.statistics import arrivals

SORTS = (PhaseSort.OPEN, PhaseSort.RAMP, PhaseSort.STEPS)


def sail(phase: SoakPhase, helm: Helm, until: float) -> None:
    rates, begin = helm.rates(phase), helm.begin()
    if rates and until > begin:
        rate = rate_of(phase, rates, until - begin)
        draw = Random(f"{helm.seed}/{phase.name}/arrivals")  # noqa: S311
        times = arrivals.poisson(rate, max(rates), until - begin, draw)
        dispatch(helm.share.arrivals(times), phase.name, helm, begin)
    helm.time.until(until)


def rate_of(phase: SoakPhase, rates: tuple[float, ...], seconds: float) -> arrivals.Rate:
    """The rate of a phase over its time."""
    if phase.sort == PhaseSort.RAMP:
        return arrivals.ramp(rates[0], rates[1], seconds)
    return arrivals.steps(rates, seconds) if phase.sort == PhaseSort.STEPS else arrivals.steady(rates[0])


def dispatch(
    times: Iterable[float], phase: str, helm: Helm, begin: float, seen: Callable[[Ticket, bool], None] | None = None
) -> bool:
    """Send each request at its time, or drop it; whether that was done to the end.

    A time that has passed is made up for at once: what was meant to be sent and when is never changed.

    Args:
        times: seconds from ``begin``.
        seen: told of each ticket, and whether there was a place for it.
    """
    for at in times:
        if not helm.time.until(begin + at):
            return False
        ticket = Ticket(helm.traffic.request(), phase, at=round((begin + at) * SECOND))
        taken = helm.desk.offer(ticket)
        if not taken:
            helm.drop(ticket)
        if seen is not None:
            seen(ticket, taken)
    return True
