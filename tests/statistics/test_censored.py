"""Times that nobody knows count above those that were measured; stretches of time against a walk over each moment."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np

from seatrial.statistics.censored import censored
from seatrial.statistics.percentiles import value_at
from seatrial.statistics.spans import Stretches, joined, without


def test_nothing_unknown_is_the_plain_percentile() -> None:
    times = [Random(1).random() for _ in range(500)]
    for q in (0.0, 0.5, 0.99, 1.0):
        found = censored(times, 0, q)
        assert found is not None
        assert (found.value, found.beyond) == (value_at(times, q), False)


def test_unknown_times_lie_above_all_others() -> None:
    times = [float(n) for n in range(1, 101)]
    p50, p99 = censored(times, 1, 0.5), censored(times, 1, 0.99)
    assert p50 is not None
    assert (p50.value, p50.told()) == (51.0, "51.000 s")
    assert p99 is not None
    assert (p99.value, p99.beyond, p99.n) == (100.0, False, 101)
    more = censored(times, 2, 0.99)
    assert more is not None
    assert (more.told(), more.unknown) == ("beyond 100.000 s", 2)
    half = censored(times, 101, 0.5)
    assert half is not None
    assert half.beyond


def test_nothing_measured_is_not_known_and_no_data_is_none() -> None:
    assert censored([], 0, 0.99) is None
    only = censored([], 3, 0.99)
    assert only is not None
    assert only.told() == "not known"


def stretches(pairs: list[tuple[int, int]]) -> Stretches:
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return ends[:, 0], ends[:, 1]


def pairs(of: Stretches) -> list[tuple[int, int]]:
    return [(int(since), int(until)) for since, until in zip(*of, strict=True)]


def test_stretches_are_joined_and_taken_from_each_other() -> None:
    draw = Random(4)
    for _ in range(300):
        some, others = (
            [(a, a + draw.randrange(6)) for a in draw.choices(range(30), k=draw.randrange(6))] for _ in "ab"
        )
        moments = {m for a, b in some for m in range(a, b)} - {m for a, b in others for m in range(a, b)}
        left = pairs(without(stretches(some), stretches(others)))
        assert {m for a, b in left for m in range(a, b)} == moments
        assert all(a < b for a, b in left)
        assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(left))
        whole = pairs(joined(stretches(some)))
        assert {m for a, b in whole for m in range(a, b)} == {m for a, b in some for m in range(a, b)}
        assert all(earlier[1] < later[0] for earlier, later in itertools.pairwise(whole))
