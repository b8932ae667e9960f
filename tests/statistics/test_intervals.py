"""Intervals against SciPy's own, searches against trying every size, and no rate without data."""

import pytest
from scipy.stats import binom, binomtest

from seatrial.statistics.intervals import clopper_pearson, size_to_pass, smallest_visible, wilson

PAIRS = [(k, n) for n in (1, 2, 10, 22, 40, 200, 1000) for k in sorted({0, 1, n // 3, n - 1, n})]


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("ours", "method"), [(wilson, "wilson"), (clopper_pearson, "exact")])
def test_agrees_with_scipy(ours, method, level):
    for k, n in PAIRS:
        theirs = binomtest(k, n).proportion_ci(level, method=method)
        assert ours(k, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-9), (k, n)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(1, 40, 0.004, 0.129), (0, 25, 0.0, 0.133), (57, 60, 0.863, 0.983), (40, 40, 0.912, 1)]
)
def test_published_values(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize("function", [wilson, clopper_pearson])
@pytest.mark.parametrize(("k", "n", "level"), [(0, 0, 0.95), (0, -1, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0)])
def test_what_is_no_rate_raises(function, k, n, level):
    with pytest.raises(ValueError, match=r"rate|level"):
        function(k, n, level)


def test_smallest_visible_is_the_first_count_that_fails_and_its_rate_fails_with_that_power():
    for n in (1, 2, 17, 18, 22, 40, 100, 200):
        seen = smallest_visible(n)
        assert seen.count == next(k for k in range(1, n + 1) if wilson(k, n)[0] > 0.01), n
        assert binom.sf(seen.count - 1, n, seen.true_rate) == pytest.approx(seen.power)
    with pytest.raises(ValueError, match="cannot show"):
        smallest_visible(2, above=0.5)
    with pytest.raises(ValueError, match="no data"):
        smallest_visible(0)


def test_size_to_pass_is_the_first_size_below_the_limit():
    assert [size_to_pass(k) for k in range(3)] == [22, 34, 45]
    for k in range(6):
        n = size_to_pass(k)
        assert wilson(k, n)[1] < 0.15 <= wilson(k, n - 1)[1]
    for k, below in ((-1, 0.15), (3, 0.0)):
        with pytest.raises(ValueError, match="no size"):
            size_to_pass(k, below)
