"""A quotient over answers in the order of their times, whose neighbours are alike: the block bootstrap.

A host that is busy for a minute slows all answers of that minute, so that they are no independent ones. Runs of
neighbours are drawn again as wholes, round the end to the beginning (the circular block bootstrap: Politis and Romano,
in Exploring the Limits of Bootstrap, 1992; blocks: Kuensch, Annals of Statistics 17, 1989). A block holds the cube root
of the number of answers (Hall, Horowitz and Jing, Biometrika 82, 1995), rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

FEWEST = 8
"""Answers; the blocks of fewer vary too little."""

DRAWS = 10_000

HELD = 1_000_000
"""So many numbers are drawn at once."""


def quotient(
    pairs: Sequence[tuple[float, float]], *, block: int = 0, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float, float] | None:
    """The sum of all first figures by that of all second ones, and its percentile interval; None of too few.

    Of tokens by seconds it is a speed; of one server's seconds a token by another's of the same questions, a ratio.
    The same on every machine: the generator is numpy's legacy one, whose numbers are frozen.

    Args:
        pairs: in the order of their times.
        block: neighbours that are drawn together; 0: by their number.

    Raises:
        ValueError: the level lies outside (0, 1), a block holds none, or a second figure is not above 0.
    """
    if not 0 < level < 1 or block < 0:
        raise ValueError(f"no interval of {level} by blocks of {block}")
    if any(below <= 0 for _, below in pairs):
        raise ValueError("nothing is divided by 0")
    n = len(pairs)
    if n < FEWEST:
        return None
    size = min(block or math.ceil(n ** (1 / 3) - 1e-9), n)
    rows, many = np.array(pairs, dtype=np.float64), math.ceil(n / size)
    generator, found, steps = np.random.RandomState(seed), [], np.arange(size)
    at_once = max(1, HELD // (many * size))
    for first in range(0, draws, at_once):
        starts = generator.randint(0, n, size=(min(at_once, draws - first), many, 1))
        drawn = ((starts + steps) % n).reshape(len(starts), -1)[:, :n]
        found.append(rows[drawn].sum(axis=1))
    above, below = np.concatenate(found).T
    low, high = np.quantile(above / below, [(1 - level) / 2, (1 + level) / 2])
    centre = math.fsum(a for a, _ in pairs) / math.fsum(b for _, b in pairs)
    return round(centre, 12), round(float(low), 12), round(float(high), 12)
