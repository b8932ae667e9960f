"""What a soak of a length can show, said before it runs: for noise as it was seen on quiet servers.

The figures are of the tests alone; ``docs/detectors.md`` holds what they come to, the demands on shape included.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from seatrial.detectors.bins import width_s
from seatrial.detectors.leak import ALLOWED, MIB
from seatrial.detectors.words import HOUR_S, LEVEL, POINTS, Detector
from seatrial.statistics.trends import visible

MANY = 11
"""Detectors that test: the first to be called has a p below LEVEL over so many."""

LEAST_S = 5.0
"""Seconds that a point of a series other than the canary's stands for, at least: so often something is told."""

PHI = 0.5
NOISE = {Detector.LATENCY: 0.08, Detector.DECODE: 0.04, Detector.MEMORY: 8 * MIB}
"""Deviations of a bin: of logarithms, or bytes."""


def needed_s(step_s: float) -> float:
    """Seconds for which a series must last whose points are ``step_s`` apart; less shows no trend."""
    return POINTS * step_s


def visible_change(detector: Detector, length_s: float, canary_s: float) -> float | None:
    """The smallest change over a soak that it shows with a chance of 80 %, and that matters; None: it shows none.

    A part of one for times (0.15: 15 % slower), bytes for memory.
    """
    points = int(length_s / _step_s(detector, length_s, canary_s))
    if points < POINTS:
        return None
    change = visible(points, NOISE[detector], PHI, level=LEVEL / MANY)
    if detector is Detector.MEMORY:
        return max(change, ALLOWED[detector].least)
    return max(math.expm1(change), 0.10)


def told(length_s: float, canary_s: float) -> Iterator[tuple[str, str]]:
    """What the plan says of drift and growth: what, and how small."""
    names = {Detector.MEMORY: "growth", Detector.LATENCY: "latency drift", Detector.DECODE: "decay of the pace"}
    for detector, name in names.items():
        change = visible_change(detector, length_s, canary_s)
        if change is None:
            yield name, f"not tested: needs {needed_s(_step_s(detector, length_s, canary_s)) / 60:.0f} min"
        elif detector is Detector.MEMORY:
            yield name, f"from {change / MIB / (length_s / HOUR_S):.0f} MB/h"
        else:
            yield name, f"from {change:.0%}"


def _step_s(detector: Detector, length_s: float, canary_s: float) -> float:
    return canary_s if detector is Detector.LATENCY else max(LEAST_S, width_s(length_s))
