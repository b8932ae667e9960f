"""Percentiles of times of which some are not known: requests that were never sent, or never answered.

Who leaves them out tells of a server by the requests that it answered (coordinated omission). Each counts above every
time that was measured, for how long its user would have waited nobody knows; where the percentile falls among them, no
more can be said than that it lies beyond the longest time that was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Censored:
    """A percentile of ``n`` times, ``unknown`` of them not known: the time, or what it lies beyond.

    Attributes:
        value: in the unit of the times; infinite where none at all was measured.
        beyond: the percentile is longer than ``value``, and nobody knows by how much.
    """

    q: float
    value: float
    beyond: bool
    n: int
    unknown: int

    def told(self) -> str:
        """The percentile as it is printed, of times in seconds."""
        if math.isinf(self.value):
            return "not known"
        return f"beyond {self.value:.3f} s" if self.beyond else f"{self.value:.3f} s"


def censored(times: Sequence[float] | Floats, unknown: int, q: float) -> Censored | None:
    """The ``q`` quantile, 0 to 1, by the nearest rank, so many unknown times above all others; None for no data."""
    n = len(times) + unknown
    if not n:
        return None
    rank = min(max(math.ceil(q * n) - 1, 0), n - 1)
    known = np.asarray(times, dtype=np.float64)
    if rank < len(known):
        return Censored(q, float(np.partition(known, rank)[rank]), beyond=False, n=n, unknown=unknown)
    longest = float(known.max()) if len(known) else math.inf
    return Censored(q, longest, beyond=True, n=n, unknown=unknown)
