"""Two rates beside each other."""

from __future__ import annotations

import random

import pytest
from scipy.stats import fisher_exact

from seatrial.statistics.counts import higher


def test_it_is_fishers_exact_test_as_scipy_has_it():
    draw = random.Random(3)
    for _ in range(400):
        n = (draw.randrange(1, 400_000), draw.randrange(1, 400_000))
        k = tuple(draw.randrange(min(size, draw.choice((1, 5, 60, 3000))) + 1) for size in n)
        there = fisher_exact([[k[1], n[1] - k[1]], [k[0], n[0] - k[0]]], alternative="greater").pvalue
        assert higher(k, n) == pytest.approx(there, rel=1e-6, abs=1e-300), (k, n)


def test_the_lady_who_tasted_tea():
    """Fisher's own example, The Design of Experiments, 1935, chapter 2: three of four cups, p 17/70."""
    assert higher((1, 3), (4, 4)) == pytest.approx(17 / 70)


@pytest.mark.parametrize(("k", "n"), [((2, 0), (1, 5)), ((-1, 0), (5, 5)), ((0, 6), (5, 5))])
def test_what_is_no_rate_is_refused(k, n):
    with pytest.raises(ValueError, match="no rates"):
        higher(k, n)
