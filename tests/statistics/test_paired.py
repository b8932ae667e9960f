"""Pairs against SciPy, statsmodels and the worked example of a textbook; the interval against all tables."""

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from seatrial.statistics.sides.paired import (
    PairedTable,
    mcnemar,
    no_worse_than,
    pairs_needed,
    score,
    smallest_margin,
    tango,
    worse_by,
)

CAVO = PairedTable(both=59, lost=16, gained=6, neither=80)
"""Complete response before and after consolidation (Cavo et al. 2012): Fagerland, Lydersen and Laake, Statistical
Analysis of Contingency Tables, chapter 8; the figures are those in the tests of its R package, contingencytables."""


def test_the_textbooks_example():
    assert CAVO.difference == pytest.approx(-0.0621, abs=5e-5)
    assert tango(CAVO) == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert mcnemar(CAVO) == pytest.approx(0.052479, abs=5e-7)
    assert score(CAVO, 0) == pytest.approx(-2.132, abs=5e-4)


@pytest.mark.parametrize(
    ("lost", "gained", "p"),
    [(6, 16, 0.0524787903), (12, 2, 0.0129394531), (8, 3, 0.2265625), (0, 5, 0.0625), (40, 20, 0.0134892937)],
)
def test_mcnemar_agrees_with_statsmodels(lost, gained, p):
    """Figures of statsmodels 0.15.0, ``mcnemar(table, exact=True)``."""
    assert mcnemar(PairedTable(3, lost, gained, 4)) == pytest.approx(p, abs=1e-9)


def test_mcnemar_agrees_with_scipy():
    for lost in range(12):
        for gained in range(12):
            theirs = binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
            assert mcnemar(PairedTable(1, lost, gained, 1)) == pytest.approx(theirs, abs=1e-12)


def test_nobody_differs():
    """Closed form: z squared over n plus z squared."""
    z2 = 1.959964**2
    for n in (1, 40, 100):
        low, high = tango(PairedTable(n, 0, 0, 0))
        assert (-low, high) == pytest.approx((z2 / (n + z2), z2 / (n + z2)), abs=1e-6)


def test_interval_and_tests_at_a_margin_are_one_formula():
    for pairs in (
        CAVO,
        PairedTable(90, 7, 1, 2),
        PairedTable(20, 0, 3, 0),
        PairedTable(0, 5, 0, 0),
        PairedTable(0, 0, 0, 9),
    ):
        low, high = tango(pairs)
        if -1 < low < 0:
            assert no_worse_than(pairs, -low) == pytest.approx(0.025, abs=1e-6)
        if -1 < high < 0:
            assert worse_by(pairs, -high) == pytest.approx(0.025, abs=1e-6)


def test_who_is_first_turns_the_sign():
    low, high = tango(CAVO)
    assert tango(PairedTable(59, 6, 16, 80)) == pytest.approx((-high, -low), abs=1e-9)


def test_the_interval_covers_the_truth():
    """Every table of 25 pairs, weighed by its chance: on average 95 %, and nowhere below 93."""
    n, seen = 25, []
    for lost, gained in ((0.02, 0.02), (0.05, 0.10), (0.15, 0.05), (0.3, 0.1)):
        share = gained / (lost + gained)
        covered = 0.0
        for flips in range(n + 1):
            chance = binom.pmf(flips, n, lost + gained)
            if chance < 1e-6:
                continue
            for more, weight in enumerate(binom.pmf(np.arange(flips + 1), flips, share)):
                low, high = tango(PairedTable(n - flips, flips - more, more, 0)) if chance * weight > 1e-6 else (1, -1)
                covered += chance * weight * (low <= gained - lost <= high)
        seen.append(covered)
    assert min(seen) > 0.93
    assert 0.94 < sum(seen) / len(seen) < 0.99


@pytest.mark.parametrize(("margin", "flips"), [(0.05, 0.05), (0.05, 0.1), (0.1, 0.1), (0.1, 0.0)])
def test_sizes_hold_what_they_say(margin, flips):
    """As many pairs as it says find two equal servers equal about four times in five, and no fifth fewer do."""
    n = pairs_needed(margin, flips)
    power = _power(n, margin, flips)
    assert power > 0.72
    if flips:
        assert _power(n * 4 // 5, margin, flips) < power
    else:
        assert tango(PairedTable(n, 0, 0, 0))[0] > -margin >= tango(PairedTable(n - 1, 0, 0, 0))[0]


def test_near_the_simple_formula():
    """(1.645 + 0.842)^2 flips / margin^2 gives 247 pairs for 5 points where a tenth differs; the margin costs more."""
    assert 247 <= pairs_needed(0.05, 0.1, level=0.9) < 300
    assert pairs_needed(smallest_margin(200, 0.1), 0.1) <= 200 < pairs_needed(smallest_margin(200, 0.1) - 0.001, 0.1)
    assert smallest_margin(2, 0.5) > 0.9


def _power(n, margin, flips):
    total = 0.0
    for differ in range(n + 1):
        chance = binom.pmf(differ, n, flips)
        if chance > 1e-7:
            for more in range(differ + 1):
                weight = chance * binom.pmf(more, differ, 0.5)
                total += weight * (score(PairedTable(n - differ, differ - more, more, 0), -margin) > 1.959964)
    return total


def test_no_data_is_no_difference():
    for ask in (tango, lambda pairs: pairs.difference, lambda pairs: score(pairs, 0)):
        with pytest.raises(ValueError, match="no pairs"):
            ask(PairedTable(0, 0, 0, 0))
    with pytest.raises(ValueError, match="negative"):
        PairedTable(1, -1, 0, 0)
    with pytest.raises(ValueError, match="level"):
        tango(CAVO, 1.0)
    with pytest.raises(ValueError, match="no pairs"):
        smallest_margin(0, 0.1)
    with pytest.raises(ValueError, match="margin"):
        pairs_needed(0, 0.1)
    assert mcnemar(PairedTable(0, 0, 0, 0)) == 1
    assert score(PairedTable(5, 0, 0, 0), 0.0) == 0.0
    assert math.isinf(score(PairedTable(0, 0, 5, 0), -1.0))
