"""Arrivals against the process they claim to be, by tests that are not ours; the knee against queues of known rates."""

from __future__ import annotations

import heapq
import math
from random import Random

import numpy as np
import pytest
from scipy import stats

from seatrial.statistics.arrivals import Rate, poisson, ramp, steady, steps
from seatrial.statistics.knee import FEWEST, Tried, keeps_up, knee

ALPHA = 1e-3
"""Of each test below; seeds are fixed, so that it fails always or never."""


def drawn(rate: Rate, highest: float, seconds: float, seed: int) -> np.ndarray:
    return np.array(list(poisson(rate, highest, seconds, Random(seed))))


@pytest.mark.parametrize("seed", range(5))
def test_gaps_of_one_rate_are_exponential_and_forget_each_other(seed: int) -> None:
    times = drawn(steady(1.5), 1.5, 4000, seed)
    gaps = np.diff(times, prepend=0.0)
    assert stats.kstest(gaps, stats.expon(scale=1 / 1.5).cdf).pvalue > ALPHA
    assert stats.spearmanr(gaps[:-1], gaps[1:]).pvalue > ALPHA
    counts = np.bincount(times.astype(int), minlength=4000)
    index = counts.var(ddof=1) / counts.mean() * 3999  # of dispersion: chi square for a Poisson process
    assert ALPHA < stats.chi2(3999).cdf(index) < 1 - ALPHA
    assert stats.poisson(6000).cdf(len(times)) == pytest.approx(0.5, abs=0.499)


@pytest.mark.parametrize(
    ("rate", "highest", "grown"),
    [
        (ramp(0.5, 4.0, 2000), 4.0, lambda t: 0.5 * t + 3.5 * t * t / 4000),
        (ramp(4.0, 0.5, 2000), 4.0, lambda t: 4.0 * t - 3.5 * t * t / 4000),
        (steps((1.0, 3.0), 2000), 3.0, lambda t: np.where(t < 1000, t, 1000 + 3 * (t - 1000))),
    ],
)
def test_a_rate_that_changes_is_the_steady_one_in_its_own_time(rate: Rate, highest: float, grown: object) -> None:
    """Arrivals, at the times by which so many were expected, are a Poisson process of rate 1."""
    assert callable(grown)
    gaps = np.diff(grown(drawn(rate, highest, 2000, 3)), prepend=0.0)
    assert len(gaps) > 3000
    assert stats.kstest(gaps, stats.expon.cdf).pvalue > ALPHA


def test_the_same_seed_gives_the_same_arrivals() -> None:
    assert (drawn(steady(2), 2, 100, 7) == drawn(steady(2), 2, 100, 7)).all()
    assert len(drawn(steady(2), 2, 100, 7)) != len(drawn(steady(2), 2, 100, 8))


def test_nobody_arrives_at_no_rate() -> None:
    with pytest.raises(ValueError, match="nobody arrives"):
        next(poisson(steady(0), 0, 10, Random(1)))


def queued(rate: float, slots: int, service_s: float, n: int = 150) -> Tried:
    """Waits in a simulated server of so many slots; one that is not served by the end of the step waits for ever."""
    draw, free = Random(f"{rate}"), [0.0] * slots
    heapq.heapify(free)
    waits = []
    for at in poisson(steady(rate), rate, n / rate, draw):
        begins = max(at, heapq.heappop(free))
        heapq.heappush(free, begins + service_s * draw.uniform(0.5, 1.5))
        waits.append(begins - at + 0.05 if begins < n / rate else math.inf)
    return Tried(rate, tuple(waits))


def test_the_knee_of_a_queue_lies_below_what_it_can_do() -> None:
    capacity = 4 / 2.0
    tried = [queued(0.25 * 1.3**n, 4, 2.0) for n in range(12)]
    found = knee(tried)
    assert found is not None
    assert 0.6 * capacity < found < capacity
    assert keeps_up(tried[-1], tried[0]) is False


def test_what_is_lost_or_too_little_tells_by_itself() -> None:
    base = Tried(1, (0.1,) * 20)
    assert keeps_up(Tried(2, (0.1,) * 19 + (math.inf,), lost=1), base) is False
    assert keeps_up(Tried(2, (0.1,) * (FEWEST - 1)), base) is None
    assert keeps_up(Tried(2, (0.15,) * 20), base) is True
    assert keeps_up(Tried(2, (0.31,) * 20), base) is False
    assert knee([Tried(1, (math.inf,) * 20)]) is None
