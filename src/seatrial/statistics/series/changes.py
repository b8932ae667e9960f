"""Whether a series steps up once, and where: the split that sets its sides furthest apart, against all other splits.

The best of many splits looks good by chance: its p is multiplied by as many as they are worth. Andrews (Econometrica
1993, table 1) gives the quantiles of the largest statistic over splits in the middle 80 %; they are those of about 20
independent ones at the levels that matter here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy  # its parts come when they are first named: half a second

from seatrial.statistics.series.noise import FREEDOM, Floats, long_run_variance

LEAST = 40
EDGE = 0.1
"""Of the series that each side has at least."""

WORTH = 20


@dataclass(frozen=True, slots=True)
class Step:
    """The best split of a series.

    Attributes:
        at: index of the first value after it.
        change: medians of the sides, after minus before; ``last``: the same of the last tenth, which is as far now.
        rises: the chance of such a step upwards where there is none (one-sided p).
        left: sum of squares that it leaves.
    """

    at: int
    change: float
    last: float
    rises: float
    left: float


def step(values: Floats) -> Step | None:
    """The split that explains most of a series; None of fewer than 40 values."""
    n = len(values)
    if n < LEAST:
        return None
    edge = max(1, int(n * EDGE))
    before = np.arange(edge, n - edge + 1)
    sums = np.cumsum(values)
    low, high = sums[before - 1] / before, (sums[-1] - sums[before - 1]) / (n - before)
    weight = np.sqrt(before * (n - before) / n)
    at = int(before[np.argmax(weight * np.abs(high - low))])
    left, right = values[:at], values[at:]
    noise = np.concatenate([left - left.mean(), right - right.mean()])
    change = float(right.mean() - left.mean())
    error = math.sqrt(long_run_variance(noise) * n / (at * (n - at)))
    chance = float(scipy.special.stdtr(FREEDOM, -change / error)) if error > 0 else (0.0 if change > 0 else 1.0)
    middle = float(np.median(left))
    return Step(
        at=at,
        change=float(np.median(right)) - middle,
        last=float(np.median(values[-edge:])) - middle,
        rises=min(1.0, WORTH * chance),
        left=float(noise @ noise),
    )
