"""Whether more requests go wrong later than earlier: two rates, by the exact test, errors that come in bursts as one.

That any request went wrong is for the rules on a soak to say. This one says that it gets worse.
"""

from __future__ import annotations

import math

import numpy as np

from seatrial.detectors.words import POINTS, Detector, Glance, Night, few
from seatrial.statistics.counts import higher
from seatrial.statistics.series.noise import Floats

BLOCKS = 12
"""Of each half: their spread tells whether errors come in bursts."""

TIMES, PART = 2.0, 0.002
"""The later rate is so many times the earlier one, and higher by this part of all requests, at least."""


def looks(night: Night) -> list[Glance]:
    """The rate of errors in the second half against that in the first."""
    if night.work is None or night.broken is None:
        return [few(Detector.ERRORS, 0)]
    inside = night.work.phase >= 0
    asked, broken = np.nan_to_num(night.work.values[inside]), np.nan_to_num(night.broken.values[inside])
    at = night.work.at[inside]
    if len(asked) < POINTS or asked.sum() < POINTS:
        return [few(Detector.ERRORS, len(asked))]
    half = len(asked) // 2
    sides = [(broken[:half], asked[:half]), (broken[half:], asked[half:])]
    burst = max(1.0, sum(_spread(*side) for side in sides) / 2)
    (k0, n0), (k1, n1) = ((float(b.sum()) / burst, float(a.sum()) / burst) for b, a in sides)
    if not n0 or not n1:
        return [few(Detector.ERRORS, len(asked))]
    first, later = math.ceil(k0), math.floor(k1)
    p = higher((first, later), (first + round(n0 - k0), later + round(n1 - k1)))
    before, after = k0 / n0, k1 / n1
    told = f"{before:.2%} of requests in the first half, {after:.2%} in the second"
    look = Glance(
        Detector.ERRORS,
        p=p,
        large=after >= TIMES * before and after - before >= PART,
        got=told,
        told=told,
        onset_s=float(at[_turn(broken, asked)]),
    )
    return [look]


def _spread(broken: Floats, asked: Floats) -> float:
    """How many errors come together: the variance of counts over that of independent errors (Pearson)."""
    k, n = (np.array([part.sum() for part in np.array_split(series, BLOCKS)]) for series in (broken, asked))
    if not k.sum():
        return 1.0
    expected = n * k.sum() / n.sum()
    kept = expected > 0
    return float((((k - expected) ** 2)[kept] / expected[kept]).sum() / (BLOCKS - 1))


def _turn(broken: Floats, asked: Floats) -> int:
    """The bin from which on the rate is highest above what it was before."""
    k, n = np.cumsum(broken), np.cumsum(asked)
    short = n * (k[-1] / n[-1]) - k
    return min(int(np.argmax(short)) + 1, len(k) - 1)
