"""The slope of a few points, one a night: Theil-Sen's, with an interval that is wider where nights remember each other.

The interval is Sen's (1968), by the variance of Kendall's S; that is multiplied by (1 + phi) / (1 - phi), as of n
values of a first-order autoregression fewer are independent (Hamed and Rao, J. Hydrology 1998, take the ranks' own
autocorrelations; of eight to thirty nights the first one is all that can be told). phi is that of what the line
leaves, corrected for its bias, and raised by half its standard error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.statistics.series.noise import memory

LEAST = 8
"""Of fewer points no slope is told: seven have an interval that nothing but a landslide leaves."""

RAISED = 0.5


@dataclass(frozen=True, slots=True)
class Slope:
    """The change from one unit of time to the next, and its interval. ``n``: points."""

    n: int
    each: float
    low: float
    high: float

    @property
    def rises(self) -> bool:
        return self.low > 0

    @property
    def falls(self) -> bool:
        return self.high < 0


def slope(along: Sequence[float], values: Sequence[float], confidence: float = 0.95) -> Slope | None:
    """The slope of values along time; None of fewer than eight points, or of points that are all at one time."""
    n = len(values)
    if n < LEAST or len(set(along)) < 2:
        return None
    from scipy.stats import norm, theilslopes  # a second to import

    x, y = np.asarray(along, dtype=np.float64), np.asarray(values, dtype=np.float64)
    middle = float(theilslopes(y, x)[0])
    left = y - middle * x
    phi = memory(left - np.median(left))
    phi = min(phi + RAISED * math.sqrt((1 - phi * phi) / n), 0.95)
    reach = float(norm.isf((1 - confidence) / 2)) * math.sqrt((1 + phi) / (1 - phi))
    found = theilslopes(y, x, 2 * float(norm.sf(min(reach, 30.0))))
    return Slope(n, float(found[0]), float(found[2]), float(found[3]))
