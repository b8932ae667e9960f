"""When requests of an open load arrive: a Poisson process, of one rate or of one that changes.

An open load does not wait for its answers, so that a server that stalls meets all who came meanwhile (Schroeder,
Wierman and Harchol-Balter, NSDI 2006). A rate that changes is drawn by thinning: candidates at the highest rate, each
taken with the chance rate / highest (Lewis and Shedler, Naval Research Logistics 1979). Times in seconds from the
beginning, rates in requests per second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

Rate = Callable[[float], float]


def poisson(rate: Rate, highest: float, seconds: float, draw: Random) -> Iterator[float]:
    """The times of arrivals in order, up to ``seconds``.

    Args:
        rate: at a time; no higher than ``highest``, and not below 0.

    Raises:
        ValueError: ``highest`` is not above 0.
    """
    if not highest > 0:
        raise ValueError(f"nobody arrives at {highest} requests a second")
    at = draw.expovariate(highest)
    while at < seconds:
        if draw.random() * highest < rate(at):
            yield at
        at += draw.expovariate(highest)


def steady(rate: float) -> Rate:
    """One rate throughout."""
    return lambda _: rate


def ramp(first: float, last: float, seconds: float) -> Rate:
    """From one rate to another, in a straight line over ``seconds``."""
    return lambda at: first + (last - first) * at / seconds


def steps(rates: Sequence[float], seconds: float) -> Rate:
    """One rate after another, each for the same part of ``seconds``."""
    return lambda at: rates[min(int(at / seconds * len(rates)), len(rates) - 1)]
