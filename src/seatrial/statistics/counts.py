"""Two counts, each out of a number of its own: whether the second rate is higher than the first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def higher(k: tuple[int, int], n: tuple[int, int]) -> float:
    """The p value of "the second rate is not higher than the first": Fisher's exact test, one-sided.

    With the sum of both counts given, the second is hypergeometric where the rates are one, and p is the chance that
    it is as large as it is, or larger (Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables, 4.4).

    Args:
        k: how often it happened, on the first side and on the second.
        n: out of how many.

    Raises:
        ValueError: a count is negative, or larger than its number.
    """
    if not (0 <= k[0] <= n[0] and 0 <= k[1] <= n[1]):
        raise ValueError(f"{k} of {n} are no rates")
    from scipy.special import gammaln, logsumexp  # scipy.stats has the test, and takes longer to import than to judge

    def ways(size: int, chosen: Ints) -> Floats:
        """The logarithm of in how many ways so many of a size are chosen."""
        return np.asarray(gammaln(size + 1) - gammaln(chosen + 1) - gammaln(size - chosen + 1), dtype=np.float64)

    both = sum(k)
    seconds = np.arange(k[1], min(both, n[1]) + 1)
    large = logsumexp(ways(n[1], seconds) + ways(n[0], both - seconds))
    return min(1.0, float(np.exp(large - ways(sum(n), np.array([both])))[0]))
