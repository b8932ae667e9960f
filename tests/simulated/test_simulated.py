"""The simulated model, small: right answers are right, faults are faults, and suites tell them apart as promised."""

from __future__ import annotations

from random import Random

import pytest

from seatrial.behaviour.probe import probes
from seatrial.records import ItemWord, Standing
from tests.simulated import again
from tests.simulated.__main__ import FEWEST_FOUND, MOST_FAILED, twice
from tests.simulated.runs import failed_suites, found, of, own, verified
from tests.simulated.wrong import FAULTS

ITEMS = 24
RUNS = 20


def read(rule: str) -> list[int]:
    probe = probes()[rule]
    return [number for number in range(ITEMS) if own(probe, number)]


@pytest.mark.parametrize("rule", probes())
def test_right_answers_are_good(rule):
    came = [verified(rule, number, 0, "") for number in read(rule)]
    assert [(each.item, each.why) for each in came if each.word is not ItemWord.GOOD] == []


@pytest.mark.parametrize("name", FAULTS)
def test_answers_with_a_fault_are_bad(name):
    came = [verified(FAULTS[name].rule, number, 0, name) for number in read(FAULTS[name].rule)]
    assert [each.item for each in came if each.word is not ItemWord.BAD] == []


def test_every_probe_has_a_fault():
    assert {rule for rule in probes() if not of(rule)} == set()


def test_a_clean_model_passes_and_each_fault_is_found():
    assert failed_suites(RUNS, 1) <= MOST_FAILED * RUNS
    for name, fault in FAULTS.items():
        assert found(fault.rule, name, twice, RUNS, 1)[0] >= FEWEST_FOUND * RUNS, name


def test_a_model_is_hardly_told_from_itself():
    """Small: `python -m tests.simulated.again` asks four hundred times, at four rates."""
    asked = [probe for name, probe in probes().items() if name.startswith(("json/", "roles/"))]
    rows = [row for run in range(30) for row in again.compared(0.2, asked, Random(f"small/{run}"))]
    low, high = again.within(len(rows), again.LEVEL)
    assert low <= sum(apart for _, _, apart, _ in rows) <= high
    assert not any(standing is Standing.WORSE for _, standing, _, _ in rows)
