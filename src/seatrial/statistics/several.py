"""Many tests at once: p values adjusted, so that one of a row that is small by chance convicts nobody.

:func:`holm` keeps the chance of *any* false word below alpha: for what blocks. :func:`benjamini_hochberg` keeps the
expected *share* of false ones among those named below q: for a list that people look through.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p values, in the order given (Scandinavian Journal of Statistics 6, 1979, 65-70)."""
    _check(values)
    m, highest = len(values), 0.0
    adjusted = [0.0] * m
    for rank, index in enumerate(sorted(range(m), key=values.__getitem__)):
        highest = max(highest, min(1.0, (m - rank) * values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def benjamini_hochberg(values: Sequence[float]) -> tuple[float, ...]:
    """Benjamini and Hochberg's adjusted p values, in the order given (J. R. Stat. Soc. B 57, 1995, 289-300)."""
    _check(values)
    m, lowest = len(values), 1.0
    adjusted = [0.0] * m
    for rank, index in sorted(enumerate(sorted(range(m), key=values.__getitem__), start=1), reverse=True):
        lowest = min(lowest, m * values[index] / rank)
        adjusted[index] = lowest
    return tuple(adjusted)


def _check(values: Sequence[float]) -> None:
    if any(not 0 <= value <= 1 for value in values):
        raise ValueError("a p value lies between 0 and 1")
