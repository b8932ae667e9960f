"""What gets slower or helps less: the canary's first token, the pace of a stream, the prompt cache, drafts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from seatrial.detectors import shape
from seatrial.detectors.words import Course, Detector, Glance, Night

LEAST = math.log(1.10)
"""Ten per cent slower matters; less may be the day's."""

PARTS_LEAST = 0.10
"""Ten of a hundred prompt tokens, or drafted tokens, more that are not taken."""

FAR = math.log(10_000)
"""Larger changes are not reckoned out: what a server says of its tokens may be any number."""


def looks(night: Night) -> list[Glance]:
    """Latency and pace, drifting or stepping; and what of prompts and drafts is put to use."""
    return [
        *shape.looks(_logs(night.canary), shape.Worse(Detector.LATENCY, Detector.LATENCY_STEP, LEAST, _slower)),
        *shape.looks(_logs(night.decode, -1), shape.Worse(Detector.DECODE, Detector.DECODE_STEP, LEAST, _fewer)),
        *(_part(night.parts.get(name), name) for name in (Detector.CACHE, Detector.DRAFTS)),
    ]


def _part(course: Course | None, name: Detector) -> Glance:
    upside = None if course is None else replace(course, values=-course.values)
    return shape.looks(upside, shape.Worse(name, None, PARTS_LEAST, _points))[0]


def _logs(course: Course | None, sign: int = 1) -> Course | None:
    """Effects are relative, and noise of times is skewed: both are even in logarithms."""
    if course is None:
        return None
    positive = np.where(course.values > 0, course.values, np.nan)
    return replace(course, values=sign * np.log(positive))


def _slower(change: float) -> str:
    return f"{100 * math.expm1(change):+.0f} %" if change < FAR else "more than +1000000 %"


def _fewer(change: float) -> str:
    return _slower(-change)


def _points(change: float) -> str:
    return f"{-100 * change:+.0f} points of 100"
