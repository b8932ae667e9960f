"""The sequential test against the published plan, against scipy, and against simulated servers."""

import itertools
import math
from random import Random

import pytest
from scipy.stats import binom

from seatrial.statistics.intervals import clopper_pearson
from seatrial.statistics.sequential import SequentialTest

RUNS = 400


def test_the_lines_are_those_of_the_handbook():
    """NIST/SEMATECH e-Handbook 6.2.6: p1 = .01, p2 = .10, alpha .05, beta .10: x_a = -0.939 + 0.0397 n,
    x_r = 1.205 + 0.0397 n; its table accepts no item before the 24th and rejects two from the 2nd on."""
    test = SequentialTest(0.01, 0.10, 500, alpha=0.05, beta=0.10)
    assert test.fewest == 24
    for n in range(1, 120):
        accept, reject = test.bounds(n)
        assert accept == math.floor(-0.9389 + 0.039746 * n)
        assert reject == math.ceil(1.2054 + 0.039746 * n)
    assert test.bounds(2)[1] == 2
    assert test.bounds(24)[0] == 0


@pytest.mark.parametrize(
    "test",
    [SequentialTest(0.02, 0.10, 120), SequentialTest(0.0, 0.05, 60), SequentialTest(0.25, 0.5, 60)],
    ids=str,
)
@pytest.mark.parametrize("of", ["half", "p0", "p1", "twice"])
def test_what_it_does_is_what_simulated_servers_see(test, of):
    rate = {"half": test.p0 / 2, "p0": test.p0, "p1": test.p1, "twice": min(2 * test.p1, 0.95)}[of]
    draw, exact = Random(f"{test}{of}"), test.operating(rate)
    ends = [test.reached(draw.random() < rate for _ in itertools.count()) for _ in range(RUNS)]
    assert {end.decision for end in ends} <= {"accepted", "rejected"}
    assert max(end.n for end in ends) <= test.most
    low, high = clopper_pearson(sum(end.decision == "rejected" for end in ends), RUNS, 0.9999)
    assert low - 1e-9 <= exact.rejected <= high + 1e-9
    assert exact.accepted + exact.rejected == pytest.approx(1)
    assert sum(end.n for end in ends) / RUNS == pytest.approx(exact.size, rel=0.25)


def test_a_test_that_can_only_end_at_its_last_answer_is_a_binomial_one():
    """Against scipy: with bounds out of reach, rejected is the upper tail of the binomial."""
    test = SequentialTest(0.2, 0.4, 12, alpha=1e-9, beta=0.032)
    ways = [test.bounds(n) for n in range(1, 13)]
    assert all(accept < 0 and reject > n for n, (accept, reject) in enumerate(ways[:-1], start=1))
    for rate in (0.1, 0.3, 0.6):
        assert test.operating(rate).rejected == pytest.approx(binom.sf(ways[-1][1] - 1, 12, rate))


def test_one_bad_answer_rejects_where_none_is_allowed():
    test = SequentialTest(0.0, 0.05, 60)
    assert test.fewest == 59
    assert test.operating(0.0).rejected == 0
    assert test.operating(0.05).rejected == pytest.approx(1 - 0.95**59)
    assert test.reached([False] * 40 + [True, False]).n == 41


def test_what_lacks_accepts_and_the_smallest_effect_is_seen():
    test = SequentialTest(0.02, 0.10, 120)
    assert test.lacking(0, 0) == test.fewest == 36
    more = test.lacking(1, 30)
    assert test.reached([False] * 29 + [True] + [False] * more).decision == "accepted"
    assert test.operating(test.visible()).rejected >= 0.8 > test.operating(test.visible() - 0.002).rejected
    with pytest.raises(ValueError, match="rejected already"):
        test.lacking(9, 10)


@pytest.mark.parametrize("wrong", [(0.1, 0.1, 50), (0.2, 0.1, 50), (0.0, 1.0, 50), (0.01, 0.05, 60)])
def test_what_is_no_test_is_refused(wrong):
    with pytest.raises(ValueError, match=r"no test|too few"):
        SequentialTest(*wrong)
