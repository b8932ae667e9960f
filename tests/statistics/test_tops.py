"""Divergence against SciPy's entropy, a published worked example and merged tokens; permutation against SciPy's own."""

import math

import numpy as np
import pytest
from scipy.stats import entropy, permutation_test

from seatrial.statistics.sides.tops import divergence, likeliest, permutation


def tops(**probabilities: float) -> dict[str, float]:
    return {token: math.log(p) for token, p in probabilities.items()}


def test_the_worked_example_of_wikipedia():
    """Kullback-Leibler divergence, basic example: binomial (9, 12, 4)/25 against a uniform third each."""
    p, q = tops(a=9 / 25, b=12 / 25, c=4 / 25), tops(a=1 / 3, b=1 / 3, c=1 / 3)
    assert divergence(p, q) == pytest.approx(0.0852996, abs=1e-6)
    assert divergence(q, p) == pytest.approx(0.0974550, abs=1e-6)


def test_agrees_with_scipy_where_all_is_told():
    draw = np.random.RandomState(3)
    for _ in range(50):
        p, q = draw.dirichlet(np.ones(12)), draw.dirichlet(np.ones(12))
        mine, its = ({f"t{i}": math.log(v) for i, v in enumerate(side)} for side in (p, q))
        assert divergence(mine, its) == pytest.approx(float(entropy(p, q)), abs=1e-6)


def softmax(logits):
    return np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()


@pytest.mark.parametrize("told", [1, 5, 20, 299])
def test_what_is_told_of_the_head_is_a_lower_bound(told):
    """A model and the same with noise on its logits, as a lossy copy has; and one that has nothing to do with it."""
    draw, shares = np.random.RandomState(4), []
    for noise in [0.3] * 200 + [6.0] * 200:
        logits = draw.normal(0, 4, 300)
        p, q = softmax(logits), softmax(logits + draw.normal(0, noise, 300))
        heads = [{f"t{i}": math.log(side[i]) for i in np.argsort(-side)[:told]} for side in (p, q)]
        shares.append(divergence(*heads) / float(entropy(p, q)))
    assert 0 <= min(shares) <= max(shares) <= 1 + 1e-6
    near = {1: 0.05, 5: 0.5, 20: 0.85, 299: 0.99}
    assert np.mean(shares[:200]) > near[told]


def test_nothing_told_is_no_divergence_and_no_zero():
    assert divergence({}, tops(a=0.9)) is None
    assert divergence(tops(a=0.9), tops(a=0.9)) == 0.0
    assert divergence(tops(a=0.9), tops(b=0.9)) == pytest.approx(0.8 * math.log(9)), "a is at most a tenth there"
    assert likeliest(tops(a=0.4, b=0.5)) == "b"
    assert likeliest(tops(b=0.5, a=0.5)) == "a"
    assert likeliest({}) is None
    for wrong in (0.1, math.nan, -math.inf):
        with pytest.raises(ValueError, match="log probability"):
            divergence({"a": wrong}, tops(a=0.5))


def test_figures_that_add_up_to_more_than_one_by_rounding_are_borne():
    assert divergence({"a": -0.0001, "b": -9.0}, {"a": -0.0001, "b": -9.0}) == pytest.approx(0, abs=1e-9)


def lots(draw, shift, n, m):
    base = np.log(draw.dirichlet(np.ones(6)))
    rows = [np.minimum(base + draw.normal(0, 0.05, 6) + (shift if i >= n else 0), -1e-6) for i in range(n + m)]
    made = [{f"t{j}": float(v) for j, v in enumerate(row)} for row in rows]
    return made[:n], made[n:], np.array(rows)


def test_agrees_with_scipys_permutation_test():
    """SciPy takes every way to choose the first lot: its value is exact."""
    first, second, rows = lots(np.random.RandomState(5), np.array([0.03, 0, 0, 0, 0, 0]), 6, 7)

    def apart(mine, its):
        return float(np.abs(rows[mine.astype(int)].mean(axis=0) - rows[its.astype(int)].mean(axis=0)).mean())

    places = np.arange(13)
    exact = permutation_test((places[:6], places[6:]), apart, n_resamples=np.inf, alternative="greater")
    assert permutation(first, second, draws=4000) == pytest.approx(float(exact.pvalue), abs=0.03)


def test_one_model_is_named_two_as_rarely_as_the_level_says_and_a_shift_is_found():
    draw = np.random.RandomState(8)
    same = [permutation(*lots(draw, 0.0, 10, 10)[:2], draws=199) for _ in range(200)]
    assert sum(p <= 0.05 for p in same) <= 18, "binomial 200, 0.05: more than 18 comes once in a hundred"
    shifted = [permutation(*lots(draw, np.array([0.2, 0, 0, 0, 0, 0]), 10, 10)[:2], draws=199) for _ in range(30)]
    assert sum(p <= 0.05 for p in shifted) >= 29


def test_answers_without_noise():
    one, other = [tops(a=0.6, b=0.3)] * 10, [tops(a=0.6, b=0.31)] * 10
    assert permutation(one, one) == 1.0
    assert permutation(one, other) < 0.005
    assert permutation(one, other) == permutation(one, other)
    with pytest.raises(ValueError, match="at least one"):
        permutation([], one)
    with pytest.raises(ValueError, match="without a token"):
        permutation([{}], one)
