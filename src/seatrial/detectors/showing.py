"""What a soak of a length can show, said before it runs: for noise as it was seen on quiet servers.

The figures are of the tests alone; ``docs/detectors.md`` holds what they come to, the demands on shape included.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from seatrial.detectors.bins import width_s
from seatrial.detectors.counted import CELLS, FLOOD, FLOOD_S
from seatrial.detectors.drift import PARTS_LEAST
from seatrial.detectors.errors import PART, TIMES
from seatrial.detectors.leak import ALLOWED, MIB
from seatrial.detectors.words import HOUR_S, LEVEL, POINTS, Detector
from seatrial.statistics.series.trends import visible

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


def visible_change(detector: Detector, length_s: float, step_s: float) -> float | None:
    """The smallest change over a time that is shown with a chance of 80 %, and that matters; None: it shows none.

    A part of one for times (0.15: 15 % slower), bytes for memory. ``step_s``: from one point to the next.
    """
    points = int(length_s / step_s)
    if points < POINTS:
        return None
    change = visible(points, NOISE[detector], PHI, level=LEVEL / MANY)
    if detector is Detector.MEMORY:
        return max(change, ALLOWED[detector].least)
    return max(math.expm1(change), 0.10)


def told(length_s: float, steady_s: float, canary_s: float) -> Iterator[tuple[str, str]]:
    """What the plan says of drift and growth: what, and how small.

    Args:
        steady_s: of the length the time in which waits and paces can be held against earlier ones.
        canary_s: from canary to canary.
    """
    step_s = max(LEAST_S, width_s(length_s))
    series = (
        (Detector.MEMORY, "growth", length_s, step_s),
        (Detector.LATENCY, "latency drift", steady_s, canary_s),
        (Detector.DECODE, "decay of the pace", steady_s, width_s(length_s)),
    )
    for detector, name, lasts_s, each_s in series:
        change = visible_change(detector, lasts_s, each_s)
        if change is None or length_s < needed_s(LEAST_S):
            yield name, f"not tested: needs {max(needed_s(each_s), needed_s(LEAST_S)) / 60:.0f} min"
        elif detector is Detector.MEMORY:
            yield name, f"from {change / MIB / (length_s / HOUR_S):.0f} MB/h"
        else:
            yield name, f"from {change:.0%}"


LOOKED_AT = {
    Detector.MEMORY: "RSS and swap of its processes",
    Detector.GPU_MEMORY: "memory of its processes on GPUs",
    Detector.FILES: "open files and sockets",
    Detector.THREADS: "threads",
    Detector.LATENCY: "the canary's time to the first token, drifting",
    Detector.LATENCY_STEP: "the same, from one moment on",
    Detector.DECODE: "tokens a second of a stream, decaying",
    Detector.DECODE_STEP: "the same, from one moment on",
    Detector.ERRORS: "requests that go wrong, later against earlier",
    Detector.CACHE: "the part of prompts that it knew, by workload",
    Detector.DRAFTS: "the part of drafted tokens that it accepted, by workload",
    Detector.REST: "what it works at and holds when nothing of ours is under way",
    Detector.LOG: "lines of its log a second",
}
"""What a detector looks at, for a reader."""

_TIMED = {
    Detector.LATENCY: Detector.LATENCY,
    Detector.LATENCY_STEP: Detector.LATENCY,
    Detector.DECODE: Detector.DECODE,
    Detector.DECODE_STEP: Detector.DECODE,
}


def smallest(detector: Detector, length_s: float, steady_s: float, canary_s: float | None) -> str:
    """The smallest change that a soak of this length calls, in words; of what has noise, with a chance of 80 %.

    Args:
        steady_s: of the length the time in which waits and paces can be held against earlier ones.
        canary_s: from canary to canary; None: none was sent.
    """
    bin_s = width_s(length_s)
    if detector is Detector.MEMORY:
        change = visible_change(detector, length_s, max(LEAST_S, bin_s))
        return _none(max(LEAST_S, bin_s)) if change is None else f"{change / MIB / (length_s / HOUR_S):.3g} MB/h"
    if detector in ALLOWED:
        allowed = ALLOWED[detector]
        name = f" {allowed.name}" if allowed.name else ""
        return f"{allowed.least / allowed.unit:g}{name} in all, or {allowed.part:.1%} of what it holds"
    if detector in _TIMED:
        apart = canary_s if _TIMED[detector] is Detector.LATENCY else bin_s
        change = visible_change(_TIMED[detector], steady_s, apart) if apart else None
        return (_none(apart) if apart else "no canary was sent") if change is None else f"{change:.0%}"
    return {
        Detector.ERRORS: f"{TIMES:g} times as many, and {PART:.1%} of all requests more",
        Detector.CACHE: f"{PARTS_LEAST * 100:g} points of 100",
        Detector.DRAFTS: f"{PARTS_LEAST * 100:g} points of 100",
        Detector.REST: f"one request, or {CELLS:.0%} of KV memory",
        Detector.LOG: f"{FLOOD:g} lines a second for {FLOOD_S:g} s",
    }[detector]


def _none(step_s: float) -> str:
    """That no change is shown, and how long it would take; series are told a few seconds apart at best."""
    return f"none: needs {max(needed_s(step_s), needed_s(LEAST_S)) / 60:.0f} min"
