"""Helpers of a server, which it answers without: none of them is a runner that was replaced."""

from __future__ import annotations

import pytest

from seatrial.records import Ask, Event, Line, Stop
from seatrial.stops import fold
from tests.stops.simulation import MS
from tests.stops.simulation_family import Tree

TOOL = "sh -c 'ffmpeg -i -'"
FAILED = 3 << 8


def canary(world: Tree, number: int, *, outcome: str = "ok") -> Ask:
    """A canary of now, which is over at once."""
    right = outcome == "ok"
    asked = world.now - 200 * MS
    return Ask(
        name="a", rung="canary", id=f"canary-{number}", asked_at=asked, ended_at=world.now, outcome=outcome,
        status=200 if right else 500, first_at=world.now if right else 0, last_at=world.now if right else 0,
    )  # fmt: skip


def helped(seed: int, status: int = FAILED, *, between: bool = True, first: bool = False) -> Tree:
    """A server that runs a tool now and then; a canary is answered between two runs, or before the first."""
    world = Tree(seed, clients=0).run_for(6)
    if first:
        world._put(world.now, canary(world, 1))
    for number in range(2, 5):
        world.run_for(1).start_runner(exe="/usr/bin/dash", arguments=TOOL).run_for(8)
        world.end_runner(status).run_for(2)
        if between:
            world._put(world.now, canary(world, number))
    return world.run_for(9)


def stops(lines: tuple[Line, ...]) -> list[Stop]:
    return [stop for stop in fold.fold(lines) if stop.family != "UNOBSERVED"]


@pytest.mark.parametrize("status", [FAILED, 9, 13])
@pytest.mark.parametrize(("between", "first"), [(True, False), (False, True)])
def test_a_tool_that_fails_each_time_is_no_stop_of_a_server_that_answers_without_it(status, between, first):
    for seed in range(20):
        assert stops(helped(seed, status, between=between, first=first).seal()) == []


def test_one_without_which_nothing_was_answered_is_a_runner():
    for seed in range(20):
        assert {stop.family for stop in stops(helped(seed, between=False).seal())} == {"RUNNER REPLACED"}


def test_an_answer_while_another_of_its_program_was_there_makes_no_helper_of_a_worker():
    for seed in range(20):
        world = Tree(seed, clients=0, runner=True).run_for(8)
        sibling = Event(what="found", name="a", at=world.now, parent=world.life.pid, pid=9_000, incarnation="b-9000",
                        started_ticks=world.life.ticks, facts={"exe": "/usr/lib/ollama/runner",
                                                               "arguments": "runner --model m --port 1"})  # fmt: skip
        world._put(world.now, sibling)
        world.end_runner(9).run_for(3)
        world._put(world.now, canary(world, 1))
        world.run_for(1).start_runner()
        (stop,) = stops(world.run_for(9).seal())
        assert stop.family == "RUNNER REPLACED"


def test_a_crash_of_a_helper_is_told_as_before():
    for seed in range(10):
        assert {stop.signal for stop in stops(helped(seed, 11).seal())} == {11}


def test_a_helper_that_ended_with_an_error_is_no_cause_of_a_wedge():
    for seed in range(20):
        world = helped(seed, between=True, first=True)
        world.start_runner(exe="/usr/bin/dash", arguments=TOOL).run_for(8)
        world._put(world.now, canary(world, 20))
        world.run_for(0.5).end_runner(FAILED)
        for number in range(21, 40):
            world.run_for(4)._put(world.now, canary(world, number, outcome="http_5xx"))
        (stop,) = stops(world.seal())
        assert (stop.family, stop.code) == ("WEDGED", None)
