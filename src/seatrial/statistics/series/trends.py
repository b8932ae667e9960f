"""Whether a series rises: Theil-Sen's slope, and a t statistic over the long-run variance of what the line leaves.

What else moves a series (its phase, the load) is fitted beside the line, so that a slope is what time alone explains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # its parts come when they are first named: half a second

from seatrial.statistics.series.noise import FREEDOM, Floats, long_run_variance

POINTS = 120
"""Theil-Sen's slope takes all pairs: longer series are taken by medians of blocks."""

LEAST = 24
OUTLYING = 4.0
"""Residuals beyond so many deviations (by their median) are moved in to there before anything is fitted beside."""

APART = 0.05
"""Of the spread of time at least so much must be its own; else the load explains a rise as well as time does."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How far a series went.

    Attributes:
        change: from the first to the last point, in the series' unit; ``low`` and ``high`` bound it at 95 %.
        rises: the chance of a change like it, or more, upwards, where there is none (one-sided p).
        early: the slope of the first half, fitted by itself, as a part of the whole slope; ``late`` the smaller of the
            second half's, by itself, and of the last third's.
        left: sum of squares that the line leaves.
        error: standard error of ``change``.
    """

    n: int
    change: float
    low: float
    high: float
    rises: float
    early: float
    late: float
    left: float
    error: float


def trend(along: Floats, values: Floats, beside: Sequence[Floats] = ()) -> Trend | None:
    """Fit a line to values along time, or along work done.

    Args:
        beside: what else moves the values, a number a point. A constant one says nothing and does no harm.

    Returns:
        None where there are fewer than 24 points, or where time and what is beside it cannot be told apart.
    """
    n, span = len(values), float(np.ptp(along)) if len(along) else 0.0
    others = np.column_stack([np.ones(n), *beside])
    fitted = _fit(along, values, others) if n >= LEAST and span > 0 else None
    if fitted is None:
        return None
    slope, own, alone = fitted
    left = alone - slope * along
    left = left - np.median(left)
    error = math.sqrt(long_run_variance(_clipped(left)) / own) * span
    change = slope * span
    reach = float(scipy.special.stdtrit(FREEDOM, 0.975)) * error
    half, third = n // 2, n - n // 3
    first, second = (
        _fit(along[part], values[part], others[part]) or (_slope(along[part], alone[part]),)
        for part in (slice(half), slice(half, n))
    )
    return Trend(
        n=n,
        change=change,
        low=change - reach,
        high=change + reach,
        rises=float(scipy.special.stdtr(FREEDOM, -change / error)) if error > 0 else (0.0 if change > 0 else 1.0),
        early=_part(first[0], slope),
        late=min(_part(second[0], slope), _part(_slope(along[third:], alone[third:]), slope)),
        left=float(_clipped(left) @ _clipped(left)),
        error=error,
    )


def _fit(along: Floats, values: Floats, others: Floats) -> tuple[float, float, Floats] | None:
    """The slope, the spread of time that is its own, and the values without the others; None where too little is."""
    time = along - others @ np.linalg.lstsq(others, along, rcond=None)[0]
    own = float(time @ time)
    if own < APART * float(((along - along.mean()) ** 2).sum()):
        return None
    design = np.column_stack([others, along])
    fitted = np.linalg.lstsq(design, _tamed(values, design), rcond=None)[0]
    alone = values - others @ fitted[:-1]
    return _slope(along, alone), own, alone


def visible(n: int, deviation: float, phi: float, *, level: float, power: float = 0.8) -> float:
    """The smallest change over n points that is shown with the chance ``power``, for noise of this deviation and phi.

    It is the change that the test alone shows; that both halves must agree costs some more.
    """
    if n < LEAST:
        return math.inf
    error = deviation * math.sqrt((1 + phi) / (1 - phi) * 12 / n)
    return float(scipy.special.stdtrit(FREEDOM, 1 - level) + scipy.special.stdtrit(FREEDOM, power)) * error


def _slope(along: Floats, values: Floats) -> float:
    """The median slope of all pairs (Theil 1950, Sen 1968); its usual interval supposes independent points."""
    width = math.ceil(len(values) / POINTS)
    if width > 1:
        keep = len(values) // width * width
        along = np.median(along[:keep].reshape(-1, width), axis=1)
        values = np.median(values[:keep].reshape(-1, width), axis=1)
    one, other = np.triu_indices(len(values), 1)
    apart = along[other] - along[one]
    far = apart > 0
    return float(np.median((values[other] - values[one])[far] / apart[far])) if far.any() else 0.0


def _part(slope: float, whole: float) -> float:
    return slope / whole if whole else 0.0


def _tamed(values: Floats, design: Floats) -> Floats:
    line = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return line + _clipped(values - line)


def _clipped(noise: Floats) -> Floats:
    far = OUTLYING * 1.4826 * float(np.median(np.abs(noise - np.median(noise))))
    return np.clip(noise, -far, far) if far > 0 else noise
