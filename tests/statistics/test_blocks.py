"""The block bootstrap against SciPy's for blocks of one, the variance that theory gives, and on busy minutes."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from seatrial.statistics.series.blocks import FEWEST, quotient


def test_blocks_of_one_are_scipys_bootstrap_of_pairs():
    draw = np.random.RandomState(2)
    tokens, seconds = draw.uniform(40, 120, 60), draw.uniform(1, 2, 60)

    def speed(above, below, axis):
        return above.sum(axis=axis) / below.sum(axis=axis)

    theirs = bootstrap((tokens, seconds), speed, paired=True, vectorized=True, method="percentile", random_state=1)
    centre, low, high = quotient(list(zip(tokens, seconds, strict=True)), block=1)
    assert centre == pytest.approx(tokens.sum() / seconds.sum())
    expected = (theirs.confidence_interval.low, theirs.confidence_interval.high)
    assert (low, high) == pytest.approx(expected, rel=0.005)


def autocorrelated(draw, n, phi):
    values = [draw.normal()]
    for _ in range(n - 1):
        values.append(phi * values[-1] + draw.normal(0, np.sqrt(1 - phi * phi)))
    return values


def test_the_circular_bootstraps_variance_is_that_of_theory():
    """Of a mean: the sum of circular autocovariances weighted by Bartlett's (Politis and Romano 1992), by n."""
    x = np.array(autocorrelated(np.random.RandomState(3), 120, 0.6))
    n, size = len(x), 5
    centred = x - x.mean()
    lags = [float((centred * np.roll(centred, -lag)).mean()) for lag in range(size)]
    expected = np.sqrt((lags[0] + 2 * sum((1 - k / size) * lags[k] for k in range(1, size))) / n)
    _, low, high = quotient([(float(v), 1.0) for v in x], block=size, level=0.6826894921)
    assert (high - low) / 2 == pytest.approx(expected, rel=0.05)


def test_neighbours_that_are_alike_make_a_wider_interval_that_holds_what_it_says():
    draw, held, alone = np.random.RandomState(4), 0, 0
    for _ in range(200):
        pairs = [(100 + 10 * v, 1.0) for v in autocorrelated(draw, 200, 0.5)]
        _, low, high = quotient(pairs, draws=400)
        _, narrow, narrow_high = quotient(pairs, block=1, draws=400)
        held += low <= 100 <= high
        alone += narrow <= 100 <= narrow_high
    assert held > 172, "at least 86 of 100; of blocks of one there are some 74"
    assert alone < 165


def test_too_few_and_wrong():
    assert quotient([(1.0, 1.0)] * (FEWEST - 1)) is None
    assert quotient([(2.0, 1.0)] * FEWEST) == (2.0, 2.0, 2.0)
    pairs = [(float(i), 1.0 + i % 3) for i in range(30)]
    assert quotient(pairs) == quotient(pairs)
    with pytest.raises(ValueError, match="divided"):
        quotient([(1.0, 0.0)])
    with pytest.raises(ValueError, match="interval"):
        quotient(pairs, level=1)
