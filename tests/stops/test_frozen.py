"""FROZEN without state T: a cgroup freezer holds a process, and no sample of it says so."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.records import Ask, Line, LoadRow, Meter, Probe, Sample, Sent, Threads
from seatrial.stops import fold
from tests.stops.simulation import S
from tests.stops.simulation_work import Engine, Rig, lasting

SEEDS = range(8)
SIGHTS = {
    "a watch": Rig(clients=0),
    "without a scheduler": Rig(clients=0, scheduler=False),
    "/health alone": Rig(clients=0, scheduler=False, canary=False),
}


def held(world: Engine, *, silent: bool = True) -> list[Line]:
    """The record of a server that neither computes nor switches while the mode lasted; no client is recorded."""
    lines: list[Line] = []
    for line in world.seal():
        new = line
        if world.began <= line.t < world.ended:
            if isinstance(line, Sample):
                new = replace(line, cpu_ns=10**12, switches=10**6, io=10**9)
            elif isinstance(line, Probe) and silent:
                new = replace(line, health=None, error="deadline")
        if not isinstance(line, Sent | LoadRow):
            lines.append(new)
    return lines


@pytest.mark.parametrize("sight", SIGHTS)
def test_a_freezer_is_seen_by_a_watch_alone(sight):
    for seed in SEEDS:
        world = lasting(seed, "http hangs", 20, SIGHTS[sight])
        (stop,) = fold.fold(held(world))
        assert stop.family == "FROZEN"
        assert stop.alive_at <= world.began + S
        assert stop.seen_at <= world.began + 6 * S
        assert stop.until is not None
        assert abs(stop.until - world.ended) <= 1.5 * S
        assert "freezer" in stop.hypotheses[0]
        assert stop.cause.startswith("UNKNOWN")


def test_a_freezer_of_the_first_version_shows_state_d():
    for seed in SEEDS:
        world = lasting(seed, "http hangs", 20, Rig(clients=0, canary=False, scheduler=False))
        lines = [
            replace(x, state="D") if isinstance(x, Sample) and world.began <= x.t < world.ended else x
            for x in held(world)
        ]
        assert [s.family for s in fold.fold(lines)] == ["FROZEN"]


def test_what_waits_is_told():
    (stop,) = fold.fold(held(lasting(3, "http hangs", 20, Rig(clients=0))))
    assert "no CPU time and no context switch while /health was silent" in stop.evidence
    assert any("scheduler was asked" in text for text in stop.evidence)


def test_an_idle_server_whose_health_answers_is_not_frozen():
    for seed in SEEDS:
        world = lasting(seed, "asleep", 60, Rig(clients=0, canary=False, scheduler=False))
        assert fold.fold(held(world, silent=False)) == ()


def test_a_process_whose_child_works_is_not_frozen():
    """It holds the socket and waits; below it a long prompt is worked on."""
    for seed in SEEDS:
        world = lasting(seed, "http hangs", 30, Rig(clients=0, canary=False, scheduler=False))
        lines = held(world)
        for sample in [x for x in lines if isinstance(x, Sample)]:
            took = sample.t - world.start
            child = replace(sample, pid=5000, incarnation="boot-ns-5000-1", parent=sample.pid, cpu_ns=took, n=0)
            lines.append(replace(child, t=sample.t + 1))
        assert fold.fold(sorted(lines, key=lambda line: line.t)) == ()


def test_a_process_that_sleeps_at_a_place_of_its_own_waits_and_is_not_frozen():
    """Its one thread waits for something behind it. Held by the freezer it would stand there."""
    for place, families in (("futex_wait_queue", []), ("do_freezer_trap", ["FROZEN"]), ("", ["FROZEN"])):
        world = lasting(5, "http hangs", 20, Rig(clients=0, canary=False, scheduler=False))
        row = (4123, "server", "S", 5, place)
        read = Threads(name="a", pid=world.life.pid, incarnation=world.life.incarnation, threads=(row,), total=1)
        lines = held(world)
        lines += [
            replace(read, v=1, w="recorder", n=1, t=x.t + 10**7)
            for x in lines
            if isinstance(x, Probe) and world.began < x.t < world.ended
        ]
        assert [s.family for s in fold.fold(sorted(lines, key=lambda line: line.t))] == families


@pytest.mark.parametrize("dropped", [Ask, Meter, Probe, Sample])
def test_less_evidence_of_a_freezer_names_nothing_else(dropped):
    for seed in range(8):
        lines = [x for x in held(lasting(seed, "http hangs", 20, Rig(clients=0))) if not isinstance(x, dropped)]
        assert {s.family for s in fold.fold(lines)} <= {"FROZEN", "WEDGED"}
