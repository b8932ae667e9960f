"""The figures of a night as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.records import NightFigure, NightMeasure
from seatrial.report.words.plain import size

NAMES: Mapping[NightMeasure, str] = {
    NightMeasure.REQUESTS: "requests",
    NightMeasure.LOST: "lost",
    NightMeasure.DISOWNED: "disowned",
    NightMeasure.TTFT_P99: "TTFT p99",
    NightMeasure.DECODE: "tok/s",
    NightMeasure.REST: "memory at rest",
}


def named(measure: NightMeasure, found: NightFigure) -> str:
    """A figure with its name: ``TTFT p99 1.2 s``."""
    return f"{NAMES[measure]} {value(measure, found)}"


def value(measure: NightMeasure, found: NightFigure | None) -> str:
    """A figure alone; a dash where it is not known."""
    if found is None:
        return "-"
    return f"{'beyond ' if found.beyond else ''}{number(measure, found.value)}"


def number(measure: NightMeasure, figure: float) -> str:
    """A number of a measure with its unit; of a change, with its sign."""
    if measure is NightMeasure.TTFT_P99:
        return f"{figure:.3g} s"
    if measure is NightMeasure.REST:
        return f"{'-' if figure < 0 else ''}{size(round(abs(figure)))}"
    return f"{figure:.3g}" if measure is NightMeasure.DECODE and abs(figure) < 1000 else f"{figure:.0f}"
