"""What the verdict's limits cost: false alarms and misses, by simulation and by the exact binomial sum."""

from random import Random

import pytest
from scipy.stats import binom

from seatrial.behaviour import rates
from seatrial.statistics.intervals import clopper_pearson

RUNS = 4000

# size, true rate, the most and the least of FAIL, the least of PASS: chances of a run
COSTS = [
    (29, 0.0, 0.0, 0.0, 1.0),
    (40, 0.001, 0.001, 0.0, 0.99),
    (40, 0.005, 0.02, 0.0, 0.98),
    (40, 0.01, 0.07, 0.0, 0.93),
    (40, 0.10, 1.0, 0.91, 0.0),
    (40, 0.20, 1.0, 0.99, 0.0),
    (120, 0.001, 0.001, 0.0, 0.99),
    (120, 0.005, 0.01, 0.0, 0.97),
    (120, 0.05, 1.0, 0.84, 0.0),
    (120, 0.10, 1.0, 0.99, 0.0),
    (200, 0.01, 0.06, 0.0, 0.94),
    (200, 0.05, 1.0, 0.97, 0.0),
]


def chances(n: int, rate: float) -> dict[str, float]:
    words = [rates.decide(k, n) for k in range(n + 1)]
    return {w: sum(binom.pmf(k, n, rate) for k in range(n + 1) if words[k] == w) for w in ("fail", "pass", "open")}


@pytest.mark.parametrize(("n", "rate", "most_fail", "least_fail", "least_pass"), COSTS)
def test_false_alarms_and_misses_stay_where_they_were_measured(n, rate, most_fail, least_fail, least_pass):
    exact = chances(n, rate)
    assert least_fail - 1e-9 <= exact["fail"] <= most_fail + 1e-9
    assert exact["pass"] >= least_pass - 1e-9


@pytest.mark.parametrize(("n", "rate"), [(n, rate) for n, rate, *_ in COSTS])
def test_simulated_runs_agree_with_the_exact_chances(n, rate):
    draw = Random(f"{n}/{rate}")
    words = [rates.decide(sum(draw.random() < rate for _ in range(n)), n) for _ in range(RUNS // 10)]
    for word, chance in chances(n, rate).items():
        low, high = clopper_pearson(words.count(word), len(words), 0.9999)
        assert low <= chance + 1e-9, (word, chance)
        assert chance - 1e-9 <= high, (word, chance)


def test_from_34_answers_on_one_bad_answer_is_no_failure_and_none_is_ever_open():
    for n in range(34, 201):
        assert rates.decide(0, n) == rates.decide(1, n) == "pass"
        assert {rates.decide(k, n) for k in range(n + 1)} == {"pass", "fail"}
    assert rates.decide(0, rates.FEWEST) == "pass"
    assert rates.decide(0, rates.FEWEST - 1) == "open"
    assert rates.decide(1, 29) == "open"
