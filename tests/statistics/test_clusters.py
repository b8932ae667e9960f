"""The cluster bootstrap against SciPy's bootstrap of the families' means, and against drawing questions one by one."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from seatrial.statistics import clusters
from seatrial.statistics.clusters import FEWEST, interval, share


def test_agrees_with_scipy_where_families_are_of_one_size():
    """Then the mean over questions is that over the families' means, which SciPy can draw."""
    draw = np.random.RandomState(7)
    families = {f"f{i}": list((draw.random_sample(8) < draw.random_sample()).astype(float)) for i in range(12)}
    means = [float(np.mean(values)) for values in families.values()]
    theirs = bootstrap(
        (means,), np.mean, method="percentile", n_resamples=20_000, random_state=np.random.RandomState(1)
    )
    expected = (theirs.confidence_interval.low, theirs.confidence_interval.high)
    assert interval(families) == pytest.approx(expected, abs=0.02)


def test_questions_of_one_template_are_not_independent():
    """Families that are all good or all bad: the interval is that of ten, not of a hundred."""
    families = {f"f{i}": [float(i % 2)] * 10 for i in range(10)}
    alone = {f"q{i}": [float(i % 2)] for i in range(100)}
    low, high = interval(families)
    narrow_low, narrow_high = interval(alone)
    assert high - low > 2.5 * (narrow_high - narrow_low)


def test_the_same_again_whatever_the_order():
    families = {f"f{i}": [float(i > j) for j in range(i + 1)] for i in range(8)}
    backwards = dict(reversed(families.items()))
    assert interval(families) == interval(backwards) == (0.666666666667, 0.833333333333)


def test_too_few_families_and_empty_ones():
    assert interval({f"f{i}": [1.0] for i in range(FEWEST - 1)}) is None
    with pytest.raises(ValueError, match="without questions"):
        interval({"a": []})
    with pytest.raises(ValueError, match="level"):
        interval({"a": [1.0]}, level=0)


def test_of_tokens_by_seconds():
    """Against SciPy's bootstrap of pairs; an answer that came at once in one piece does not carry the mean away."""
    draw = np.random.RandomState(2)
    pairs = {f"q{i}": (40.0, 40.0 / speed) for i, speed in enumerate(50 + 10 * draw.random_sample(40))}
    pairs["at-once"] = (40.0, 1e-6)
    tokens, seconds = np.array(list(pairs.values())).T

    def speed(above, below, axis):
        return above.sum(axis=axis) / below.sum(axis=axis)

    theirs = bootstrap((tokens, seconds), speed, paired=True, vectorized=True, method="percentile", random_state=1)
    expected = (theirs.confidence_interval.low, theirs.confidence_interval.high)
    assert share(pairs) == pytest.approx(expected, rel=0.01)
    assert 50 < share(pairs)[0] < share(pairs)[1] < 65


def test_drawn_in_pieces_it_is_the_same(monkeypatch):
    families = {f"f{i}": (float(i % 3), 2.0) for i in range(30)}
    whole = share(families)
    monkeypatch.setattr(clusters, "HELD", 1000)
    assert share(families) == whole
