"""Growth of what a server holds: memory, GPU memory, files, threads; by the hour and by the request.

A cache that fills, a warm-up, a pool of threads grow too, and come to rest: growth counts that still goes on in the
last third of the time at a good part of its pace. A step is no growth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seatrial.detectors.words import HOUR_S, POINTS, Call, Course, Detector, Glance, Night, few, untold
from seatrial.statistics.series.changes import step
from seatrial.statistics.series.noise import Floats
from seatrial.statistics.series.trends import Trend, trend

MIB = 1024.0 * 1024.0

GOES_ON = 0.4
"""The pace of the last third, as a part of the whole pace, at least."""

ONSETS = 24


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may grow over a soak without a word: so much, or this part of the level where that is more."""

    least: float
    part: float
    unit: float
    name: str

    def over(self, level: float) -> float:
        return max(self.least, self.part * level)


ALLOWED = {
    Detector.MEMORY: Allowed(64 * MIB, 0.01, MIB, "MB"),
    Detector.GPU_MEMORY: Allowed(64 * MIB, 0.005, MIB, "MB"),
    Detector.FILES: Allowed(8, 0.02, 1, ""),
    Detector.THREADS: Allowed(8, 0.02, 1, ""),
}


def looks(night: Night) -> list[Glance]:
    """Growth of each thing that a server holds."""
    return [_look(detector, night) for detector in ALLOWED]


def _look(detector: Detector, night: Night) -> Glance:
    course = night.levels.get(detector)
    seen = course.seen() if course is not None else None
    if seen is None or len(seen.at) < POINTS:
        return few(detector, 0 if seen is None else len(seen.at))
    by_time = trend(seen.at, seen.values, seen.beside())
    if by_time is None:
        return untold(detector)
    done, later = _done(night, seen), seen.second_half()
    lines = [
        (by_time, seen),
        (trend(later.at, later.values, later.beside()), later),  # of a leak that begins at midnight
        (trend(done, seen.values, seen.beside()) if done is not None else None, seen),
    ]
    tried = [(line, course) for line, course in lines if line is not None]
    best, over = min(tried, key=lambda each: each[0].rises)
    p = min(1.0, len(tried) * best.rises)
    allowed = ALLOWED[detector]
    least = allowed.over(float(np.median(seen.values)))
    turn, left = _onset(seen)
    jump = step(seen.values)
    large = best.change >= least and best.late >= GOES_ON and (jump is None or left < jump.left)
    sized = _since(seen, turn) if large else None
    bounded = detector is Detector.MEMORY and 0 < night.cache >= min(best.change, _grew(seen) - least)
    return Glance(
        detector,
        p=p,
        large=large,
        called=Call.BOUNDED if bounded else Call.FOUND,
        got=_got(*(sized or (best, over)), night, allowed) + (_CACHE.format(night.cache / MIB) if bounded else ""),
        told=f"{_signed(by_time.low, allowed)} to {_signed(by_time.high, allowed)} over {_hours(seen):.1f} h (95 %)"
        + ("" if large or by_time.low <= 0 else _grew_but(best, least, allowed)),
        chance="" if by_time.low <= 0 else ": it grew; that it is no chance, of all that is looked at, is not shown",
        onset_s=turn,
    )


def _since(seen: Course, turn: float) -> tuple[Trend, Course] | None:
    """The line through what was seen since growth began, which tells its pace; None where that is too little."""
    grown = seen.since(turn)
    line = trend(grown.at, grown.values, grown.beside())
    return None if line is None else (line, grown)


def _grew(seen: Course) -> float:
    """By how much the last tenth of the points lies above the first: a line goes beyond what came to its bound."""
    tenth = max(1, len(seen.values) // 10)
    return float(np.median(seen.values[-tenth:]) - np.median(seen.values[:tenth]))


_CACHE = "; its prompt cache may take {:.0f} MB: no proof of a leak"


def _got(best: Trend, over: Course, night: Night, allowed: Allowed) -> str:
    hours = _hours(over)
    name = f" {allowed.name}/h" if allowed.name else " an hour"
    low, high = best.low / hours / allowed.unit, best.high / hours / allowed.unit
    text = f"+{best.change / hours / allowed.unit:.3g}{name} (95 %: {low:.3g} to {high:.3g})"
    done = _done(night, over)
    if done is not None and allowed.name:
        text += f", {best.change / float(np.ptp(done)) / 1024:.3g} kB a request"
    return text


def _grew_but(best: Trend, least: float, allowed: Allowed) -> str:
    """Why a growth whose whole interval lies above nothing is no finding."""
    if best.change < least:
        return f": it grew; that it is the {_signed(least, allowed)[1:]} that matters is not shown"
    return ": it grew, and ever more slowly" if best.late < GOES_ON else ": it grew in one step"


def _signed(amount: float, allowed: Allowed) -> str:
    return f"{amount / allowed.unit:+.3g}{f' {allowed.name}' if allowed.name else ''}"


def _hours(seen: Course) -> float:
    return float(np.ptp(seen.at)) / HOUR_S


def _done(night: Night, seen: Course) -> Floats | None:
    """Requests that had ended by each point; None where there are none."""
    asked = night.asked or night.work
    if asked is None:
        return None
    total = np.cumsum(np.nan_to_num(asked.values))
    done: Floats = np.interp(seen.at, asked.at, total)
    return done if np.ptp(done) > 0 else None


def _onset(seen: Course) -> tuple[float, float]:
    """Where a line that is flat and then rises fits best, in seconds, and the squares it leaves."""
    found = (float(seen.at[0]), np.inf)
    for turn in np.quantile(seen.at, np.linspace(0, 0.8, ONSETS)):
        design = np.column_stack([np.ones(len(seen.at)), np.maximum(seen.at - turn, 0)])
        fitted = np.linalg.lstsq(design, seen.values, rcond=None)[0]
        left = float(((seen.values - design @ fitted) ** 2).sum())
        if left < found[1]:
            found = (float(turn), left)
    return found
