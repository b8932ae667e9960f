"""Two servers asked the same questions: what the pairs say of the difference of their rates.

Of n pairs ``gained`` are good on the second server alone and ``lost`` on the first alone; the rest agree, and agreement
says nothing of the difference. The interval is Tango's score interval (Statistics in Medicine 17, 1998, 891-908), whose
test at a margin is the same formula, so that a word and its interval never disagree. It stays honest where nobody
differs: of 40 pairs without a difference it reaches 9 points to either side, where Wald's has no width. The test that
there is a difference at all is McNemar's, exact (Psychometrika 12, 1947): of the pairs that differ each falls either
way like a coin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy  # its parts come when they are first named: half a second


@dataclass(frozen=True, slots=True)
class PairedTable:
    """A paired two-by-two table.

    Attributes:
        both: good on both servers.
        lost: good on the first alone.
        gained: good on the second alone.
        neither: good on none.
    """

    both: int
    lost: int
    gained: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.lost, self.gained, self.neither) < 0:
            raise ValueError("a table holds no negative counts")

    @property
    def n(self) -> int:
        return self.both + self.lost + self.gained + self.neither

    @property
    def flips(self) -> int:
        """PairedTable that differ, either way."""
        return self.lost + self.gained

    @property
    def difference(self) -> float:
        """The second server's rate of good answers less the first one's, -1 to 1.

        Raises:
            ValueError: there are no pairs.
        """
        _some(self.n)
        return (self.gained - self.lost) / self.n


def mcnemar(pairs: PairedTable) -> float:
    """The exact two-sided p value of McNemar's test: that the two rates are equal. 1 where no pair differs."""
    if not pairs.flips:
        return 1.0
    return min(1.0, 2 * float(scipy.special.bdtr(min(pairs.lost, pairs.gained), pairs.flips, 0.5)))


def score(pairs: PairedTable, difference: float) -> float:
    """Tango's statistic for a true difference: standard normal where that is the truth, negative where it is less.

    Raises:
        ValueError: there are no pairs, or the difference lies outside -1 to 1.
    """
    _some(pairs.n)
    if not -1 <= difference <= 1:
        raise ValueError(f"no difference of two rates is {difference}")
    n, b, c = pairs.n, pairs.gained, pairs.lost
    distance = b - c - n * difference
    variance = n * (2 * _lost(b / n, c / n, difference) + difference * (1 - difference))
    if variance <= 1e-12:
        return 0.0 if abs(distance) < 1e-12 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def tango(pairs: PairedTable, level: float = 0.95) -> tuple[float, float]:
    """The score interval of the difference of rates, second less first; two-sided.

    Raises:
        ValueError: there are no pairs, or the level lies outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
    z, seen = float(scipy.special.ndtri(0.5 + level / 2)), pairs.difference
    return _bound(pairs, z, -1.0, seen), _bound(pairs, -z, seen, 1.0)


def worse_by(pairs: PairedTable, margin: float) -> float:
    """The p value of "the second server is *not* worse than the first by more than the margin": small, it is worse."""
    return float(scipy.special.ndtr(score(pairs, -margin)))


def no_worse_than(pairs: PairedTable, margin: float) -> float:
    """The p value of "the second server *is* worse by the margin or more": small, it is no worse."""
    return float(scipy.special.ndtr(-score(pairs, -margin)))


def pairs_needed(margin: float, flips: float, power: float = 0.8, level: float = 0.95) -> int:
    """How many pairs show, with such a power, that one of two equal servers is no worse than the other by a margin.

    The normal approximation of Tango's test: the spread that the margin allows weighs the level, that of the truth the
    power. At least as many as an interval without any flip needs.

    Args:
        margin: a fraction above 0 and below 1.
        flips: the share of pairs that differ.
        level: of the two-sided interval that must lie above the margin.

    Raises:
        ValueError: the margin or the share lies elsewhere.
    """
    if not 0 < margin < 1 or not 0 <= flips <= 1:
        raise ValueError(f"no number of pairs shows a margin of {margin} with {flips} of them differing")
    z, more = float(scipy.special.ndtri(0.5 + level / 2)), float(scipy.special.ndtri(power))
    allowed = 2 * _lost(flips / 2, flips / 2, -margin) - margin * (1 + margin)
    wanted = (z * math.sqrt(allowed) + more * math.sqrt(flips)) / margin
    return math.floor(max(z * z * (1 - margin) / margin, wanted * wanted)) + 1


def smallest_margin(n: int, flips: float, power: float = 0.8) -> float:
    """The smallest margin that n pairs can show to be kept, to a tenth of a point; 1.0 where they can show none.

    Raises:
        ValueError: there are no pairs.
    """
    _some(n)
    low, high = 0, 1000
    while high - low > 1:  # fewer pairs are needed the wider the margin is
        middle = (low + high) // 2
        low, high = (low, middle) if pairs_needed(middle / 1000, flips, power) <= n else (middle, high)
    return high / 1000


def _lost(b: float, c: float, difference: float) -> float:
    """The share of pairs lost that is most likely under a difference, b gained and c lost of one: a root of Tango's."""
    linear, constant = -b - c + (2 - b + c) * difference, -c * difference * (1 - difference)
    return (math.sqrt(max(linear * linear - 8 * constant, 0.0)) - linear) / 4


def _bound(pairs: PairedTable, z: float, low: float, high: float) -> float:
    """Where the statistic, which falls as the difference grows, passes z."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if score(pairs, middle) > z else (low, middle)
    return round((low + high) / 2, 12)


def _some(n: int) -> None:
    if n <= 0:
        raise ValueError("no pairs say nothing: there must be at least one")
