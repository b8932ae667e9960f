"""A crash loop on simulated runs: one stop, however many lives it has, until the server answers."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from seatrial.records import Event, Probe, Stop
from seatrial.stops import fold
from tests.stops.simulation import S, World

SEEDS = range(10)


def looping(seed: int, lives: int, *, status: int = 1 << 8, reports: str = "rk", seconds: float = 2.1) -> World:
    """A server that is killed and started so many times; no life answers."""
    world = World(seed, clients=0).run_for(8).die(9)
    world.mute = True
    for _ in range(lives):
        world.replace(300).run_for(seconds).die(status, reports=reports)
    return world


def one(world: World) -> Stop:
    found = fold.fold(world.seal())
    assert len(found) == 1, [(s.family, s.until) for s in found]
    return found[0]


@pytest.mark.parametrize("reports", ["rk", "r", "k"])
def test_lives_that_never_answer_are_one_stop(reports):
    for seed in SEEDS:
        stop = one(looping(seed, 12, reports=reports).run_for(8))
        assert (stop.family, stop.signal, stop.restarts, stop.until) == ("RESTARTED", 9, 12, None)
        assert re.fullmatch(r"each life 2\.[1-3](?: to 2\.[2-7])? s, exit 1", stop.lives)


def test_an_end_that_nobody_saw_is_counted_too():
    for seed in SEEDS:
        world = looping(seed, 5, reports="")
        stop = one(world.replace(300).run_for(4))
        assert (stop.family, stop.restarts, stop.until) == ("RESTARTED", 6, None)
        assert "how it ended is not observable" in stop.lives


def test_it_is_over_once_a_life_answers():
    for seed in SEEDS:
        world = looping(seed, 4).replace(300)
        world.mute = False
        born = world.now
        stop = one(world.run_for(8))
        assert (stop.family, stop.restarts) == ("RESTARTED", 5)
        assert stop.until is not None
        assert born <= stop.until <= born + 2 * S


def test_a_life_that_answered_makes_the_next_end_another_stop():
    for seed in SEEDS:
        world = looping(seed, 3).replace(300)
        world.mute = False
        world.run_for(6).die(11).run_for(8)
        found = fold.fold(world.seal())
        assert [(stop.family, stop.restarts, stop.until is None) for stop in found] == [
            ("RESTARTED", 4, False), ("STOPPED", 0, True)]  # fmt: skip


def test_different_ends_are_told():
    world = looping(1, 2)
    world.replace(300).run_for(1).die(9)
    stop = one(world.run_for(8))
    assert stop.lives.startswith("each life 1.")
    assert stop.lives.endswith(", SIGKILL or exit 1")


def test_live_it_is_told_when_it_begins_and_when_it_is_a_loop():
    for seed in SEEDS:
        state, given = fold.start(), []
        for line in looping(seed, 12).run_for(8).seal():
            state, now = fold.step(state, line)
            given += now
        assert [stop.id for stop in given] == ["a-1"] * len(given)
        assert [stop.restarts for stop in given][-2:] == [2, 9]
        assert len(given) <= 4
        assert fold.finish(state)[0].restarts == 12


def test_a_planned_end_within_a_loop_is_no_life_of_it():
    world = looping(1, 2).replace(300).run_for(1).announce().run_for(0.01).die(15)
    stop = one(world.run_for(4))
    assert stop.restarts == 3
    assert "it was then ended on purpose" in stop.evidence


def test_a_job_has_no_answer_to_give():
    """It serves no port: that it is there is all."""
    world = World(1, clients=0).run_for(8).die(9).replace(2_000).run_for(8)
    world.mute = True
    jobs = {"job": "yes"}
    lines = [
        replace(line, facts=jobs) if isinstance(line, Event) and line.what == "found" else line
        for line in world.seal()
        if not isinstance(line, Probe)
    ]
    (stop,) = fold.fold(lines)
    assert (stop.family, stop.until is None, stop.restarts) == ("RESTARTED", False, 0)
