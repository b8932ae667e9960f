"""A small version of ``python -m tests.detectors``: clean nights are left alone, each fault is called by its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seatrial.detectors import harness, showing
from seatrial.detectors.leak import MIB
from seatrial.detectors.night import judge
from seatrial.detectors.words import NOT_TESTED, AtRest, Call, Course, Detector, Night
from tests.detectors import nights
from tests.detectors.__main__ import falsely


def test_clean_nights_are_left_alone():
    assert [called for seed in range(12) if (called := falsely(seed, 240)[0])] == []


@pytest.mark.parametrize("twin", nights.TWINS, ids=lambda twin: twin.__name__)
def test_what_looks_like_a_fault_is_none(twin):
    sim = nights.Sim(np.random.default_rng(7), 240)
    twin(sim)
    called = {reading.word for reading in judge(sim.night()).values()} - NOT_TESTED - {Call.CLEAR}
    assert called <= ({Call.BOUNDED} if twin is nights.cache_does_not_come_to_its_bound else set())


@pytest.mark.parametrize("effect", nights.EFFECTS, ids=lambda effect: effect.name)
def test_each_fault_is_called_by_its_name_and_by_no_other(effect):
    readings = judge(nights.faulty(5, effect, effect.sizes[-1]))
    assert [name for name, reading in readings.items() if reading.word is Call.FOUND] == [effect.detector]


def test_every_detector_has_a_fault():
    assert {effect.detector for effect in nights.EFFECTS} == set(Detector)


def test_size_and_onset_are_told():
    sim = nights.Sim(np.random.default_rng(3), 480, phi=0.0)
    sim.memory += 500 * MIB * np.maximum(sim.at - 4 * 3600, 0) / 3600
    found = judge(sim.night())[Detector.MEMORY]
    assert found.word is Call.FOUND
    assert "MB/h (95 %:" in found.got
    assert 450 < float(found.got.partition(" MB/h")[0]) < 550  # of the time since it began, not of all of it
    assert "a request" in found.got
    assert 3.3 * 3600 < found.onset_s < 4.7 * 3600
    sim = nights.Sim(np.random.default_rng(3), 480, phi=0.0)
    sim.ttft *= np.where(sim.part > 0.6, 1.3, 1)
    found = judge(sim.night())[Detector.LATENCY_STEP]
    assert found.got.startswith(("+29 %", "+30 %", "+31 %"))
    assert abs(found.onset_s - 0.6 * 480 * 60) < 300


def test_a_growth_that_is_no_finding_says_why():
    def told(grown: float, until: float) -> str:
        sim = nights.Sim(np.random.default_rng(3), 240, phi=0.0, noise=0.1)
        sim.memory = (400 + 8 * sim.remembered(240)) * MIB + grown * MIB * np.minimum(sim.part / until, 1)
        found = judge(sim.night())[Detector.MEMORY]
        assert found.word is Call.CLEAR
        return found.told

    assert told(30, 1).endswith(" (95 %): it grew; that it is the 64 MB that matters is not shown")
    assert told(100, 0.7).endswith(" (95 %): it grew, and ever more slowly")  # it need not rest
    assert told(0, 1).endswith(" (95 %)")


def test_a_growth_that_may_be_chance_says_so_too():
    told = []
    for seed in range(20):
        sim = nights.Sim(np.random.default_rng(seed), 240, phi=0.8, noise=0.1)
        sim.memory = (400 + 60 * sim.remembered(240) + 140 * sim.part) * MIB
        seen = judge(sim.night())[Detector.MEMORY]
        told += [seen.told] if seen.word is Call.CLEAR and seen.told.startswith("+") else []
    assert told
    assert all("it grew" in each for each in told)
    assert any("chance" in each for each in told)


def test_too_little_is_not_tested_and_nothing_is_never_clear():
    words = {name: reading.word for name, reading in judge(nights.clean(1, 100)[0].night()).items()}
    assert {name for name, word in words.items() if word not in NOT_TESTED} == {Detector.REST, Detector.LOG}
    assert all(reading.word is Call.UNSEEN for reading in judge(Night(step_s=60)).values())


def test_a_load_that_rises_with_time_is_told_apart_from_a_drift():
    sim = nights.Sim(np.random.default_rng(2), 240, phi=0.0)
    sim.load = 4 + 4 * sim.part
    sim.ttft *= 1 + sim.part
    assert judge(sim.night())[Detector.LATENCY].word is Call.UNTOLD


def test_what_is_held_at_rest_is_found_exactly():
    for rest, word in (
        (AtRest(running=0), Call.CLEAR),
        (AtRest(running=1), Call.FOUND),
        (AtRest(waiting=2), Call.FOUND),
        (AtRest(cells=0.3), Call.FOUND),
        (AtRest(), Call.UNSEEN),
    ):
        assert judge(Night(step_s=60, rest=rest))[Detector.REST].word is word


def test_a_hole_in_a_series_costs_points_and_no_verdict():
    sim = nights.Sim(np.random.default_rng(4), 240, phi=0.5)
    sim.memory[50:100] = np.nan
    assert judge(sim.night())[Detector.MEMORY].word is Call.CLEAR
    flat = Course(sim.at, np.full(240, 7.0), sim.phase, sim.load)
    assert judge(Night(step_s=60, levels={Detector.FILES: flat}))[Detector.FILES].word is Call.CLEAR


def test_the_plan_says_what_a_length_can_show():
    assert dict(showing.told(60, 60, 5))["growth"] == "not tested: needs 10 min"
    short, long = (showing.visible_change(Detector.LATENCY, hours * 3600, 60) for hours in (2, 8))
    assert short > long >= 0.10
    assert showing.visible_change(Detector.MEMORY, 8 * 3600, 60) >= 64 * MIB


def test_our_own_part_is_judged_by_what_was_measured():
    assert harness.invalid(harness.Harness()) == ()
    bad = harness.Harness(0.2, 0.02, 0.9, 3.0, 0.3, ("worker 2 went away",), 60.0)
    assert len(harness.invalid(bad)) == 7
    assert harness.told(harness.Harness()) == ""


def test_the_page_tells_of_every_detector():
    page = (Path(__file__).parents[2] / "docs" / "detectors.md").read_text("utf-8")
    assert all(f"| {name} |" in page for name in Detector)


@pytest.mark.parametrize("full", [0.9, 0.95])
def test_a_cache_that_fills_to_its_bound_and_rests_is_no_leak(full):
    """A line through it goes beyond the bound: what counts is by how much it really grew."""
    sim = nights.Sim(np.random.default_rng(6), 240, phi=0.0)
    sim.cache = 4096 * MIB
    sim.memory += sim.cache * np.minimum(sim.part / full, 1)
    assert judge(sim.night())[Detector.MEMORY].word in {Call.CLEAR, Call.BOUNDED}
    sim.memory += 1024 * MIB * sim.part
    assert judge(sim.night())[Detector.MEMORY].word is Call.FOUND


def test_a_pace_that_is_too_uneven_to_show_a_change_is_not_tested():
    even = judge(nights.Sim(np.random.default_rng(3), 240, phi=0.0).night())
    assert even[Detector.DECODE].word is Call.CLEAR
    sim = nights.Sim(np.random.default_rng(3), 240, phi=0.0)
    sim.phi = 0.95
    sim.decode = 40 * np.exp(0.8 * sim.remembered(240))
    uneven = judge(sim.night())
    assert {uneven[name].word for name in (Detector.DECODE, Detector.DECODE_STEP)} == {Call.UNEVEN}
    assert uneven[Detector.DECODE].told.startswith("not tested: too uneven, ")
    assert uneven[Detector.LATENCY].word is Call.CLEAR


def test_what_decays_far_enough_is_called_however_uneven():
    sim = nights.Sim(np.random.default_rng(3), 240, phi=0.5)
    sim.decode = 40 * np.exp(0.5 * sim.remembered(240) - 4 * sim.part)
    seen = judge(sim.night())[Detector.DECODE]
    assert seen.word is Call.FOUND
    assert seen.got.startswith("-9")
    assert seen.told == seen.got


def test_a_server_that_tells_any_number_of_tokens_is_looked_at_all_the_same():
    sim = nights.Sim(np.random.default_rng(3), 240, phi=0.0)
    sim.decode = np.where(sim.part < 0.5, 1e-2, 1e300)
    seen = judge(sim.night())
    assert "more than +1000000 %" in seen[Detector.DECODE].told
    assert seen[Detector.LATENCY].word is Call.CLEAR


def test_where_an_uneven_series_drifts_no_step_is_told_as_seen():
    sim = nights.Sim(np.random.default_rng(3), 480, phi=0.0)
    sim.decode = 40 * np.exp(np.random.default_rng(0).normal(0, 1.2, 480) - 4 * sim.part)
    found = judge(sim.night())
    assert found[Detector.DECODE].word is Call.FOUND
    assert found[Detector.DECODE_STEP].word is Call.CLEAR
    assert found[Detector.DECODE_STEP].told.startswith("largest step -")
