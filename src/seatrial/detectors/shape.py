"""Whether a series gets worse, and how: drifting all along, or at one step. One worsening is one of the two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seatrial.detectors.words import POINTS, Call, Course, Detector, Glance, few, untold
from seatrial.statistics.series.changes import step
from seatrial.statistics.series.trends import trend

HALVES = 0.25
"""The slope of the first half and that of the last third, as parts of the whole slope, at least."""

LASTS = 0.5
"""Of a step that is still there in the last tenth of the time, at least."""


WIDE = 5.0
"""A change that is known to no more than so many times the smallest that matters, either way, shows nothing by not
being seen."""


@dataclass(frozen=True, slots=True)
class Worse:
    """By what a series is judged that is worse the higher it is.

    Attributes:
        drift: the detector of a drift.
        jump: the detector of a step; None: the first one tells both.
        least: the smallest change that matters, in the series' unit.
        tell: a change in words.
    """

    drift: Detector
    jump: Detector | None
    least: float
    tell: Callable[[float], str]


def looks(course: Course | None, by: Worse) -> list[Glance]:
    """A look for a drift and one for a step; the one that fits worse sees nothing."""
    seen = course.seen() if course is not None else None
    names = [by.drift] if by.jump is None else [by.drift, by.jump]
    if seen is None or len(seen.at) < POINTS:
        return [few(name, 0 if seen is None else len(seen.at)) for name in names]
    line = trend(seen.at, seen.values, seen.beside())
    if line is None:
        return [untold(name) for name in names]
    jump = step(_alone(seen))
    assert jump is not None  # there are enough points
    drifts = min(line.early, line.late) >= HALVES and line.left <= jump.left
    change = f"{by.tell(line.change)} over the time (95 %: {by.tell(line.low)} to {by.tell(line.high)})"
    uneven = line.high - line.change > WIDE * by.least
    word, told = (Call.UNEVEN, f"not tested: too uneven, {change}") if uneven else (Call.CLEAR, change)
    largest = f"largest step {by.tell(jump.change)}"
    drifting = Glance(
        by.drift,
        word,
        p=line.rises if drifts else 1.0,
        large=drifts and line.change >= by.least,
        got=change,
        told=told,
        onset_s=float(seen.at[0]),
    )
    stepping = Glance(
        by.jump or by.drift,
        word,
        p=1.0 if drifts else jump.rises,
        large=not drifts and jump.last >= LASTS * jump.change and jump.change >= by.least,
        got=largest if drifts else f"{by.tell(jump.change)} from one moment on",
        told=told if by.jump is None or uneven else largest,
        onset_s=float(seen.at[jump.at]),
    )
    if by.jump is not None:
        return [drifting, stepping]
    return [drifting if drifts else stepping]


def _alone(seen: Course) -> np.ndarray:
    """The values without what moves beside time: fitted with a line, so that neither takes the other's part."""
    design = np.column_stack([np.ones(len(seen.at)), seen.at, *seen.beside()])
    fitted = np.linalg.lstsq(design, seen.values, rcond=None)[0]
    return np.asarray(seen.values - design[:, 2:] @ fitted[2:])
