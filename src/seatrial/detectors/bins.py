"""From times and values to even bins: medians, sums, and how many of ours were in flight. Times in seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seatrial.statistics.series.noise import Floats

SHORTEST_S, LONGEST_S = 2.0, 60.0
MANY = 300
"""Bins that a soak of up to five hours is cut into: phases and a warm-up leave enough of them."""


def width_s(length_s: float) -> float:
    """The width of a bin: a minute, in a short soak less."""
    return float(min(max(length_s / MANY, SHORTEST_S), LONGEST_S))


def edges(length_s: float) -> Floats:
    """The bounds of the bins of a soak; the last one is whole."""
    width = width_s(length_s)
    return np.arange(0, int(length_s / width) + 1, dtype=np.float64) * width


def medians(at: Floats, values: Floats, bounds: Floats) -> Floats:
    """The median of each bin; NaN of an empty one."""
    where = np.searchsorted(bounds, at, side="right") - 1
    found = np.full(len(bounds) - 1, np.nan)
    inside = (where >= 0) & (where < len(found)) & np.isfinite(values)
    order = np.argsort(where[inside], kind="stable")
    bins, ordered = where[inside][order], values[inside][order]
    kinds, first = np.unique(bins, return_index=True)
    for kind, part in zip(kinds, np.split(ordered, first[1:]), strict=False):
        found[kind] = np.median(part)
    return found


def sums(at: Floats, values: Floats, bounds: Floats) -> Floats:
    """The sum of each bin; 0 of an empty one."""
    return np.asarray(np.histogram(at, bounds, weights=values)[0], dtype=np.float64)


def in_flight(sent: Floats, ended: Floats, bounds: Floats) -> Floats:
    """How many were under way in each bin, on average."""
    return np.diff(_lasted(sent, bounds) - _lasted(ended, bounds)) / np.diff(bounds)


def _lasted(begun: Floats, until: Floats) -> Floats:
    """The time in all since each of ``begun``, until each of ``until``."""
    ordered = np.sort(begun)
    before = np.searchsorted(ordered, until)
    total = np.concatenate([[0.0], np.cumsum(ordered)])
    return np.asarray(before * until - total[before])


def level(values: Floats, groups: NDArray[np.int64]) -> Floats:
    """Values of several groups brought to one median: how a mixture changes is no change of any of them.

    Args:
        groups: a number for each value, which says of which group it is.
    """
    out = values.copy()
    whole = float(np.nanmedian(values)) if len(values) else 0.0
    for group in np.unique(groups):
        here = groups == group
        out[here] += whole - float(np.nanmedian(values[here]))
    return out
