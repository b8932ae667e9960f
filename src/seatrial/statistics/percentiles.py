"""Percentiles of what was measured, with the number they rest on and an interval from order statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Percentile:
    """The value at a share ``q`` of ``n`` measurements, and the 95 % interval of that percentile.

    ``low`` or ``high`` is None where so few measurements bound it on one side only: of 52 the 99th percentile has no
    upper bound.
    """

    q: float
    value: float
    n: int
    low: float | None
    high: float | None


def value_at(values: Sequence[float], q: float) -> float | None:
    """The ``q`` quantile, 0 to 1, by the nearest rank: a value that was measured. None for no data."""
    if not values:
        return None
    return sorted(values)[_rank(len(values), q)]


def percentile(values: Sequence[float] | NDArray[np.float64], q: float, confidence: float = 0.95) -> Percentile | None:
    """The ``q`` quantile with its distribution-free interval; None for no data.

    The number of values below the true quantile is binomial, so the order statistics at its ``(1 - confidence) / 2``
    quantiles bound the quantile with at least that confidence (Hahn and Meeker, Statistical Intervals, 5.2).
    """
    if not len(values):
        return None
    import numpy as np

    ordered, n = np.sort(np.asarray(values, dtype=np.float64)), len(values)
    tail = (1 - confidence) / 2
    below = _fewest(tail, n, q) - 1
    above = _fewest(1 - tail, n, q)
    return Percentile(
        q=q,
        value=float(ordered[_rank(n, q)]),
        n=n,
        low=float(ordered[below]) if below >= 0 else None,
        high=float(ordered[above]) if above < n else None,
    )


def _fewest(chance: float, n: int, q: float) -> int:
    """The quantile of a binomial number: the least of ``n`` that are so few with at least this chance."""
    from scipy.special import bdtr, bdtrik  # only wanted when a run is judged; scipy.stats takes three times as long

    if not 0 < q < 1:
        return n if q >= 1 else 0
    near = max(math.ceil(float(bdtrik(chance, n, q))), 0)
    return near - 1 if near and float(bdtr(near - 1, n, q)) >= chance else near


def _rank(n: int, q: float) -> int:
    return min(max(math.ceil(q * n) - 1, 0), n - 1)
