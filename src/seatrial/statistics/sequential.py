"""How often may it happen? A test that looks after every answer and stops as soon as it knows.

Wald's sequential probability ratio test of a rate: at most ``p0`` (accepted), or at least ``p1`` (rejected). After n
answers of which k are bad, log likelihood ratio(k, n) = k ln(p1/p0) + (n - k) ln((1 - p1)/(1 - p0)); the test ends with
*rejected* at ln((1 - beta)/alpha), with *accepted* at ln(beta/(1 - alpha)) (Wald, Sequential Tests of Statistical
Hypotheses, 1945; NIST/SEMATECH e-Handbook 6.2.6). It is truncated: at ``most`` answers the nearer of the two is said.
Because of that and because answers come one at a time, alpha and beta are not exactly those that were asked for: the
true ones are summed up by :meth:`SequentialTest.operating`, without simulation.

With ``p0`` of 0 one bad answer rejects; so many good ones accept as would show a rate of ``p1`` with a chance of
1 - beta.

An interval over answers that a test ended early is biased: it describes, and proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np

Decision = Literal["accepted", "rejected", "open"]

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Operating:
    """What a test does at one true rate: the chances of each end, and how many answers it takes on average."""

    rate: float
    accepted: float
    rejected: float
    size: float


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a test came: ``bad`` of ``n`` answers, at the one that decided it or at the last."""

    decision: Decision
    bad: int
    n: int


@dataclass(frozen=True)
class SequentialTest:
    """A truncated sequential test of a rate of bad answers.

    Attributes:
        p0: the rate that is still good.
        p1: the rate that is bad.
        most: answers after which it ends in any case.
        alpha: the chance to reject at ``p0`` that is aimed at.
        beta: the chance to accept at ``p1`` that is aimed at.

    Raises:
        ValueError: the rates or chances are none, or out of order; or ``most`` is too small to accept anything.
    """

    p0: float
    p1: float
    most: int
    alpha: float = 0.01
    beta: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.p0 < self.p1 < 1 or not 0 < self.alpha < 0.5 or not 0 < self.beta < 0.5:
            raise ValueError(f"no test of {self.p0} against {self.p1} with chances of {self.alpha} and {self.beta}")
        if self.fewest > self.most:
            raise ValueError(f"{self.most} answers are too few: {self.fewest} good ones are needed to accept")

    @property
    def fewest(self) -> int:
        """Good answers without a bad one that accept."""
        step = math.log((1 - self.p1) / (1 - self.p0))
        return math.ceil(math.log(self.beta / (1 - self.alpha)) / step - 1e-9)

    def bounds(self, n: int) -> tuple[int, int]:
        """After n answers: at most so many bad ones accept (below 0: none do), so many reject."""
        if self.p0 == 0:
            return (0 if n >= self.fewest else -1), 1
        per_bad, per_good = math.log(self.p1 / self.p0), math.log((1 - self.p1) / (1 - self.p0))
        slope = per_bad - per_good
        low = (math.log(self.beta / (1 - self.alpha)) - n * per_good) / slope
        high = (math.log((1 - self.beta) / self.alpha) - n * per_good) / slope
        if n >= self.most:
            cut = math.floor((low + high) / 2)
            return cut, cut + 1
        return math.floor(low + 1e-9), math.ceil(high - 1e-9)

    def reached(self, outcomes: Iterable[bool]) -> Reached:
        """Where the test stands after outcomes in their order; True is a bad one. Those after its end are not read."""
        bad = n = 0
        for wrong in outcomes:
            bad, n = bad + wrong, n + 1
            accept, reject = self.bounds(n)
            if bad >= reject:
                return Reached("rejected", bad, n)
            if bad <= accept:
                return Reached("accepted", bad, n)
        return Reached("open", bad, n)

    def lacking(self, bad: int, n: int) -> int:
        """How many more answers accept, if none of them is bad; at most up to the end of the test.

        Raises:
            ValueError: it is rejected already.
        """
        if bad >= self.bounds(n)[1]:
            raise ValueError(f"{bad} of {n} are rejected already")
        return next(
            more for more in range(self.most - n + 1) if bad <= self.bounds(n + more)[0] or n + more == self.most
        )

    @cached_property
    def _table(self) -> list[tuple[int, int]]:
        return [self.bounds(n) for n in range(1, self.most + 1)]

    def operating(self, rate: float) -> Operating:
        """What the test does where the true rate is this one: the exact sum over all its ways."""
        return _operating(self, rate)

    def visible(self, power: float = POWER) -> float:
        """The smallest true rate that is rejected with a chance of at least ``power``, to three places."""
        low, high = self.p0, 1.0
        while high - low > 0.0005:
            middle = (low + high) / 2
            low, high = (low, middle) if self.operating(middle).rejected >= power else (middle, high)
        return round(high, 3)


@lru_cache(maxsize=512)
def _operating(test: SequentialTest, rate: float) -> Operating:
    going = np.zeros(test.most + 2)
    going[0] = 1.0
    accepted = rejected = size = 0.0
    for n, (accept, reject) in enumerate(test._table, start=1):
        moved = going * (1 - rate)
        moved[1:] += going[:-1] * rate
        below, above = float(moved[: accept + 1].sum()) if accept >= 0 else 0.0, float(moved[reject:].sum())
        accepted, rejected, size = accepted + below, rejected + above, size + n * (below + above)
        if accept >= 0:
            moved[: accept + 1] = 0.0
        moved[reject:] = 0.0
        going = moved
    return Operating(rate, accepted, rejected, size)
