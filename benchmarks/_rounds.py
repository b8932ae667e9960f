"""Figures of several rounds, each beside its bound: by their medians, and missed only where every round misses it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """What a figure is to be at most; ``unit`` stands behind its number."""

    most: float
    unit: str = ""


def told(rounds: Sequence[Mapping[str, float]], bounds: Mapping[str, Bound]) -> tuple[list[str], int]:
    """A line of each figure, and the exit code: 1 where one is beyond its bound in all rounds, or there is none.

    Args:
        rounds: that nothing disturbed: name and value of each figure.
        bounds: by the same names.
    """
    if not rounds:
        return ["  MISSED: the machine was not free in any round: nothing was measured"], 1
    lines, code = [], 0
    for name, bound in bounds.items():
        values = [each[name] for each in rounds]
        kept = sum(value <= bound.most for value in values)
        code |= not kept
        shown = f"{statistics.median(values):.2f}{bound.unit} ({min(values):.2f} to {max(values):.2f})"
        of = f"median of {len(values)} rounds" if len(values) > 1 else "one round"
        word = "ok" if kept == len(values) else f"ok in {kept}" if kept else "MISSED in all"
        lines.append(f"  {name}: {shown}, {of}, at most {bound.most:g}{bound.unit}: {word}")
    return lines, code
