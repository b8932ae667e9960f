"""The slope of a few nights: the right one, told only where there are enough of them, and none of clean nights."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.statistics.series.slopes import LEAST, slope

CONFIDENCE = 1 - 0.05 / 5
"""As a table of nights takes it."""


def nights(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    """Noise that remembers itself, settled."""
    noise = rng.normal(size=n + 50)
    for at in range(1, n + 50):
        noise[at] += phi * noise[at - 1]
    return noise[50:]


def test_of_seven_nights_none_is_told_and_none_of_one_moment():
    assert slope(range(LEAST - 1), range(LEAST - 1)) is None
    assert slope([1.0] * 9, range(9)) is None


def test_a_line_is_its_own_slope_and_one_night_off_it_moves_it_little():
    along = list(range(12))
    found = slope(along, [3 + 0.5 * x for x in along])
    assert found is not None
    assert (found.n, found.each, found.rises, found.falls) == (12, 0.5, True, False)
    off = slope(along, [3 + 0.5 * x + (100 if x == 6 else 0) for x in along])
    assert off is not None
    assert off.each == pytest.approx(0.5)


def test_nights_that_are_all_alike_have_no_trend():
    found = slope(range(10), [2.0] * 10)
    assert found is not None
    assert (found.each, found.rises, found.falls) == (0.0, False, False)


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("n", [8, 14, 30])
def test_clean_nights_are_called_a_trend_no_more_often_than_said(n, phi):
    """One of a hundred is meant to be: of 300 nobody sees more than ten by chance (binomial, 0.1 %)."""
    rng = np.random.default_rng([n, int(10 * phi)])
    found = [slope(range(n), nights(rng, n, phi), CONFIDENCE) for _ in range(300)]
    assert sum(each.rises or each.falls for each in found if each) <= 10


def test_a_rise_of_four_deviations_over_thirty_nights_is_found_and_its_fall_alike():
    rng = np.random.default_rng(7)
    rise = np.linspace(0, 4, 30)
    found = [slope(range(30), sign * rise + nights(rng, 30, 0.0), CONFIDENCE) for sign in (1, -1) for _ in range(50)]
    assert sum(each.rises for each in found[:50] if each) >= 43
    assert sum(each.falls for each in found[50:] if each) >= 43
