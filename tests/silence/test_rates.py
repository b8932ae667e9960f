"""Faults that come now and then are found as often as it is said; a run is drawn by its seed, and is the same again."""

import pytest

from seatrial.records import Depth
from seatrial.statistics.rates import smallest
from tests.silence.rates import FAULTY, OFTEN, count, told


@pytest.mark.parametrize("fault", FAULTY[:3])
def test_one_in_twenty_is_found_by_the_long_form_and_nothing_where_nothing_is(fault: str) -> None:
    assert count(fault, Depth.FULL, OFTEN, runs=20).found >= 19
    assert [count(fault, depth, 0.0, runs=3).found for depth in Depth] == [0, 0]


@pytest.mark.parametrize("fault", FAULTY[3:])
def test_slots_that_are_lost_one_in_twenty_times_are_found_by_the_long_form(fault: str) -> None:
    assert count(fault, Depth.FULL, OFTEN, runs=4).found >= 3
    assert [count(fault, depth, 0.0, runs=1).found for depth in Depth] == [0, 0]


@pytest.mark.parametrize("fault", FAULTY[:3])
def test_the_short_form_finds_what_its_figure_says(fault: str) -> None:
    """Of 40 runs at the rate that is found in 95 of 100, fewer than 33 come once in 1,000 times."""
    least = smallest(told(fault, Depth.SMALL))
    assert count(fault, Depth.SMALL, least, runs=40).found >= 33
