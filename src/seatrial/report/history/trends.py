"""Whether a figure rises or falls over the nights: only over nights that are alike, and only with an interval. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from seatrial.records import NightMeasure
from seatrial.report.history.reading import PastNight
from seatrial.statistics.series.slopes import LEAST, slope

FIGURES = (NightMeasure.LOST, NightMeasure.DISOWNED, NightMeasure.TTFT_P99, NightMeasure.DECODE, NightMeasure.REST)
"""Figures whose trend is looked at; shares are taken as parts of their n."""
SHARES = frozenset({NightMeasure.LOST, NightMeasure.DISOWNED})

CONFIDENCE = 1 - 0.05 / len(FIGURES)
"""Of each interval, so that all of an endpoint hold together at 95 % (Bonferroni)."""

BLOCKS = " ▁▂▃▄▅▆▇█"
DAY_S = 86400.0


TrendWord = Literal["rises", "falls", "no trend", "not told"]
"""*rises*, *falls*: its interval lies on one side of 0. *no trend*: it holds 0. *not told*: ``why`` says why."""


class NightTrend(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over the nights.

    Attributes:
        why: of what is not told, why.
        nights: that are in it; ``apart``: that are not: of another model or load, or without the figure.
        each: change a night, with its interval; in the figure's unit, of shares as a part of 1.
        last: the figure of the last night that has one.
    """

    measure: NightMeasure
    word: TrendWord
    why: str = ""
    nights: int = 0
    apart: int = 0
    each: float | None = None
    low: float | None = None
    high: float | None = None
    last: float | None = None
    sparkline: str = ""


def trends(listed: Sequence[PastNight]) -> tuple[NightTrend, ...]:
    """The trend of each figure that any night has."""
    return tuple(
        _of(measure, listed) for measure in FIGURES if any(_value(measure, night) is not None for night in listed)
    )


def _of(measure: NightMeasure, listed: Sequence[PastNight]) -> NightTrend:
    alike = like_the_last(listed)
    points = [(at, value) for night in alike if (value := _value(measure, night)) is not None and (at := day(night))]
    beyond = sum(night.came.measured[measure].beyond for night in alike if measure in night.came.measured)
    base = NightTrend(
        measure=measure,
        word="not told",
        nights=len(points),
        apart=len(listed) - len(points),
        last=points[-1][1] if points else None,
        sparkline=sparkline(_value(measure, night) for night in listed),
    )
    if beyond:
        return msgspec.structs.replace(base, why=f"of {beyond} nights it is only known what it lies beyond")
    found = slope([at for at, _ in points], [value for _, value in points], CONFIDENCE)
    if found is None:
        return msgspec.structs.replace(base, why=f"{len(points)} nights alike of {LEAST} that a trend takes")
    word: TrendWord = "rises" if found.rises else "falls" if found.falls else "no trend"
    return msgspec.structs.replace(base, word=word, each=found.each, low=found.low, high=found.high)


def like_the_last(listed: Sequence[PastNight]) -> list[PastNight]:
    """The judged nights since the model and the soak's settings are what they were in the last one."""
    judged = [night for night in listed if night.came.outcomes]
    last = judged[-1] if judged else None
    found: list[PastNight] = []
    for night in reversed(judged):
        if last is None or _likeness(night) != _likeness(last):
            break
        found.insert(0, night)
    return found


def _likeness(night: PastNight) -> tuple[str, str, str]:
    return night.came.kind, night.came.model, night.load


def day(night: PastNight) -> float | None:
    """When a night began, in days; None where its run.json holds no time."""
    try:
        return datetime.datetime.fromisoformat(night.started).timestamp() / DAY_S
    except (ValueError, OverflowError, OSError):
        return None


def sparkline(values: Iterable[float | None]) -> str:
    """A figure a block, the least the lowest; a gap where it is not known. Equal ones stand in the middle."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    if not known:
        return ""
    low, wide = min(known), max(known) - min(known)
    steps = len(BLOCKS) - 2
    return "".join(
        BLOCKS[0] if value is None else BLOCKS[1 + (round((value - low) / wide * steps) if wide > 0 else steps // 2)]
        for value in listed
    )


def _value(measure: NightMeasure, night: PastNight) -> float | None:
    found = night.came.measured.get(measure)
    if found is None:
        return None
    return found.value / found.n if measure in SHARES and found.n else found.value
