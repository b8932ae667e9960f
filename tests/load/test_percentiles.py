"""Percentiles against their definition, and the coverage of their intervals against draws."""

from __future__ import annotations

import random

import pytest

from seatrial.statistics.percentiles import percentile, value_at


def test_no_data_is_none() -> None:
    assert percentile([], 0.5) is None
    assert value_at([], 0.5) is None


def test_values_are_measured_ones() -> None:
    values = [5.0, 1.0, 3.0, 2.0, 4.0]
    assert [value_at(values, q) for q in (0.0, 0.2, 0.5, 0.99, 1.0)] == [1.0, 1.0, 3.0, 5.0, 5.0]


def test_few_values_leave_a_side_open() -> None:
    found = percentile([float(n) for n in range(52)], 0.99)
    assert found is not None
    assert (found.n, found.value, found.high) == (52, 51.0, None)
    assert found.low is not None
    single = percentile([1.0], 0.5)
    assert single is not None
    assert (single.low, single.high) == (None, None)


@pytest.mark.parametrize(("q", "n"), [(0.5, 40), (0.9, 120), (0.99, 1000)])
def test_the_interval_covers_as_often_as_it_says(q: float, n: int) -> None:
    source = random.Random(f"{q}/{n}")
    trials = 600
    hits = 0
    for _ in range(trials):
        found = percentile([source.random() for _ in range(n)], q)
        assert found is not None
        hits += (found.low or 0.0) <= q <= (found.high if found.high is not None else 1.0)
    assert hits / trials >= 0.93
