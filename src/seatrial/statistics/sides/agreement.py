"""Two servers that should say the same: whether the second differs more often than the first does from itself.

Each question is asked twice of the first server and once of the second. Where both second answers differ from the first
one, or none does, the question says nothing; of the others each falls either way like a coin, if the two servers are
one (McNemar's test, exact and one-sided). A server that repeats itself needs no more than a handful of differences of
the other; one that does not is held against its own noise.
"""

from __future__ import annotations

import functools

import numpy as np
import scipy  # its parts come when they are first named: half a second

ALPHA = 0.05
"""One-sided: so often at most two servers that are one are told apart."""


def differs_more(alone: int, back: int) -> float:
    """The p value of "the second server differs no oftener than the first does from itself".

    Args:
        alone: questions that the second server answers otherwise, and the first again alike.
        back: questions that the first answers otherwise when asked again, and the second alike.

    Raises:
        ValueError: a count is negative.
    """
    if min(alone, back) < 0:
        raise ValueError("counts are not negative")
    return 1.0 if not alone else float(scipy.special.bdtrc(alone - 1, alone + back, 0.5))


@functools.cache
def fewest(alpha: float = ALPHA) -> int:
    """Differences that are enough against a server that repeats itself."""
    k = 1
    while differs_more(k, 0) > alpha:
        k += 1
    return k


def power(n: int, rate: float, alpha: float = ALPHA, own: float = 0.0) -> float:
    """How often n questions tell a server that answers such a share of them otherwise than it would without its fault.

    Args:
        own: the share that the first server answers otherwise when it is asked again; the second does so too.

    Raises:
        ValueError: n is no positive number, or a share none from 0 to 1.
    """
    if n < 1 or not 0 <= rate <= 1 or not 0 <= own <= 1:
        raise ValueError(f"no {n} questions of which {rate} and {own} are answered otherwise")
    its = own + (1 - own) * rate
    alone, back = its * (1 - own), own * (1 - its)
    if not alone:
        return 0.0
    sizes = np.arange(1, n + 1)
    enough = np.array([_fewest_of(int(m), alpha) for m in sizes])
    told = np.where(enough <= sizes, scipy.special.bdtrc(enough - 1, sizes, alone / (alone + back)), 0.0)
    often = np.diff(scipy.special.bdtr(np.arange(n + 1), n, min(1.0, alone + back)))
    return float((often * told).sum())


@functools.cache
def _fewest_of(differing: int, alpha: float) -> int:
    """Of so many questions that one server alone answers otherwise, those of the second that are enough."""
    return next((k for k in range(1, differing + 1) if differs_more(k, differing - k) <= alpha), differing + 1)


@functools.cache
def visible(n: int, wanted: float = 0.8, alpha: float = ALPHA, own: float = 0.0) -> float:
    """The smallest share of answers, to a tenth of a point, that n questions tell so often; 1.0 of too few.

    Args:
        own: as for :func:`power`.
    """
    low, high = 0, 1000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(n, middle / 1000, alpha, own) >= wanted else (middle, high)
    return high / 1000
