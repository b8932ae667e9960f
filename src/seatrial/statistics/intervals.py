"""What k failures in n answers say about a rate, and how many answers it takes to say it.

Intervals are Wilson's: for the few dozen answers a budget buys, the normal approximation (Wald) is far too short near
a rate of zero, where every verdict here is taken (Brown, Cai and DasGupta, Statistical Science 2001;
arXiv 2503.01747 on evaluations of language models). Clopper-Pearson stands beside it for those who want the exact,
wider one. Rates are fractions, not percent. No data is no rate: n = 0 raises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

MOST = 1_000_000
"""Sizes past this are not searched for: nobody sends a million probes."""
_NORMAL = NormalDist()


def wilson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a rate: ``k`` of ``n``, two-sided, uncorrected.

    Raises:
        ValueError: n is 0, k lies outside 0..n, or the level outside (0, 1).
    """
    _check(k, n, level)
    z = _NORMAL.inv_cdf(0.5 + level / 2)
    rate, square = k / n, z * z
    centre = rate + square / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n))
    scale = 1 + square / n
    # at the edges the formula is exact but for rounding
    low = 0.0 if k == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if k == n else min(1.0, (centre + half) / scale)
    return low, high


def clopper_pearson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a rate: it covers at least ``level``, and is wider than Wilson's for it.

    Raises:
        ValueError: as for :func:`wilson`.
    """
    _check(k, n, level)
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else _betaincinv(k, n - k + 1, tail)
    high = 1.0 if k == n else _betaincinv(k + 1, n - k, 1 - tail)
    return low, high


@dataclass(frozen=True, slots=True)
class Visible:
    """The least that n answers can show.

    Attributes:
        count: the fewest failures whose interval lies wholly above the limit.
        power: the chance that a server with a true rate of ``true_rate`` fails.
        true_rate: the p that solves P(X >= count | n, p) = power, X binomial: the inverse of the regularised
            incomplete beta function, I_p(count, n - count + 1) = power.
    """

    count: int
    power: float
    true_rate: float


def smallest_visible(n: int, above: float = 0.01, level: float = 0.95, power: float = 0.8) -> Visible:
    """The smallest effect that n answers can show to lie above a limit.

    Raises:
        ValueError: n is 0, or so small that even n of n would not show it.
    """
    _check(0, n, level)
    if wilson(n, n, level)[0] <= above:
        raise ValueError(f"{n} answers cannot show a rate above {above}")
    low, high = 1, n  # the lower end grows with k, so halving finds the first that is above
    while low < high:
        middle = (low + high) // 2
        if wilson(middle, n, level)[0] > above:
            high = middle
        else:
            low = middle + 1
    return Visible(low, power, _betaincinv(low, n - low + 1, power))


def size_to_pass(k: int, below: float = 0.15, level: float = 0.95) -> int:
    """The smallest n at which k failures leave the upper end of the interval below a limit.

    Raises:
        ValueError: k is negative, or no n up to a million is enough.
    """
    _check(max(k, 0), max(k, 1), level)
    if k < 0 or wilson(k, MOST, level)[1] >= below:
        raise ValueError(f"no size up to {MOST} puts {k} failures below {below}")
    low, high = max(k, 1), MOST
    while low < high:  # the upper end falls as n grows
        middle = (low + high) // 2
        if wilson(k, middle, level)[1] < below:
            high = middle
        else:
            low = middle + 1
    return low


def _betaincinv(a: float, b: float, y: float) -> float:
    from scipy.special import betaincinv  # as long to import as all else: the fold of stops wants Wilson's alone

    return float(betaincinv(a, b, y))


def _check(k: int, n: int, level: float) -> None:
    if n <= 0:
        raise ValueError("no data is no rate: n must be at least 1")
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no rate")
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
