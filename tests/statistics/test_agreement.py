"""Differences of two servers against the noise of one: exact, against scipy's own test and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from seatrial.statistics.intervals import clopper_pearson
from seatrial.statistics.sides.agreement import ALPHA, differs_more, fewest, power, visible

RUNS = 2_000


@pytest.mark.parametrize(("alone", "back"), [(0, 0), (0, 9), (1, 0), (5, 0), (4, 1), (12, 3), (30, 20)])
def test_it_is_the_one_sided_binomial_test(alone, back):
    expected = binomtest(alone, alone + back, 0.5, alternative="greater").pvalue if alone + back else 1.0
    assert differs_more(alone, back) == pytest.approx(expected)


def test_a_handful_tells_where_the_first_repeats_itself():
    assert fewest() == 5
    assert differs_more(5, 0) <= ALPHA < differs_more(4, 0)
    assert power(64, 0.1) == pytest.approx(0.776, abs=0.01)
    assert power(4, 1.0) == 0.0
    assert visible(64) == pytest.approx(0.103, abs=0.002)
    assert visible(4) == 1.0


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.3])
def test_two_servers_that_are_one_are_hardly_told_apart(noise):
    draw = np.random.RandomState(0)
    own, its = (draw.random_sample((RUNS, 64)) < noise for _ in range(2))
    told = sum(differs_more(int((b & ~a).sum()), int((a & ~b).sum())) <= ALPHA for a, b in zip(own, its, strict=True))
    assert told <= clopper_pearson(round(ALPHA * RUNS), RUNS)[1] * RUNS


def test_the_power_is_what_it_says():
    draw = np.random.RandomState(1)
    for rate in (0.05, 0.1, 0.2):
        told = sum(differs_more(int(k), 0) <= ALPHA for k in draw.binomial(64, rate, RUNS))
        low, high = clopper_pearson(told, RUNS)
        assert low - 0.01 <= power(64, rate) <= high + 0.01


@pytest.mark.parametrize("own", [0.1, 0.4, 0.9])
def test_beside_a_noisy_server_the_power_is_what_it_says_too(own):
    draw = np.random.RandomState(2)
    noise, its, spoilt = (draw.random_sample((RUNS, 64)) < share for share in (own, own, 0.3))
    its |= spoilt
    pairs = zip((its & ~noise).sum(axis=1), (noise & ~its).sum(axis=1), strict=True)
    told = sum(differs_more(int(alone), int(back)) <= ALPHA for alone, back in pairs)
    low, high = clopper_pearson(told, RUNS)
    assert low - 0.01 <= power(64, 0.3, own=own) <= high + 0.01
    assert visible(64, own=own) > visible(64)


def test_beside_one_that_never_repeats_itself_nothing_is_told():
    assert visible(64, own=1.0) == 1.0


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        differs_more(-1, 0)
    with pytest.raises(ValueError, match="answered otherwise"):
        power(0, 0.1)
