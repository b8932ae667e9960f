"""A mean over questions of few families: its interval by drawing whole families again (the cluster bootstrap).

Questions made from one template share its difficulty, so that a hundred of them are not a hundred independent ones.
Families are drawn with replacement, each with all its questions (Cameron, Gelbach and Miller, Review of Economics and
Statistics 90, 2008; for evaluations of language models Miller, arXiv 2411.00640). With fewer than :data:`FEWEST`
families the interval is far too short to be believed, and none is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

FEWEST = 6
"""Families; what a handful of them would be drawn into varies too little to stand for those that were not made."""

DRAWS = 10_000

HELD = 1_000_000
"""So many numbers are drawn at once: thousands of questions take no more memory than that."""


def interval(
    families: Mapping[str, Sequence[float]], *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float] | None:
    """The percentile interval of the mean over all questions; None where there are too few families.

    The same on every machine: the generator is numpy's legacy one, whose numbers are frozen, and families are taken in
    the order of their names.

    Raises:
        ValueError: a family is empty, or the level lies outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
    if any(not values for values in families.values()):
        raise ValueError("a family without questions says nothing")
    if len(families) < FEWEST:
        return None
    return share({name: (sum(values), len(values)) for name, values in families.items()}, level, draws, seed)


def share(
    families: Mapping[str, tuple[float, float]], level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float] | None:
    """The percentile interval of the sum of all first figures by that of all second ones; None as for :func:`interval`.

    Of tokens by seconds it is a speed, in which an answer weighs as long as it took: one that came at once in one piece
    is no infinite speed.
    """
    if len(families) < FEWEST:
        return None
    ordered = np.array([families[name] for name in sorted(families)], dtype=np.float64)
    generator, n = np.random.RandomState(seed), len(ordered)
    at_once = max(1, HELD // n)
    found = []
    for first in range(0, draws, at_once):
        drawn = generator.randint(0, n, size=(min(at_once, draws - first), n))
        found.append(ordered[drawn].sum(axis=1))
    above, below = np.concatenate(found).T
    low, high = np.quantile(above / below, [(1 - level) / 2, (1 + level) / 2])
    return round(float(low), 12), round(float(high), 12)
