"""FROZEN needs a sign of what holds the process. What merely does not move waits, and is judged by its work."""

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
ALONE = SIGHTS["/health alone"]


def still(world: Engine, *, silent: bool = True, worked: bool = True, **shown: object) -> list[Line]:
    """The record of a server that neither computes nor switches while the mode lasted; no client is recorded.

    Args:
        silent: /health is not answered meanwhile.
        worked: it had used CPU as an engine does.
        shown: what its samples show beside.
    """
    lines: list[Line] = []
    for line in world.seal():
        new = line
        if isinstance(line, Sample):
            used = (min(line.t, world.began) - world.start) // (2 if worked else 10_000)
            new = replace(line, cpu_ns=used, switches=used // S, io=0)
        if world.began <= line.t < world.ended:
            if isinstance(new, Sample):
                new = replace(new, **shown)
            elif isinstance(line, Probe) and silent:
                new = replace(line, health=None, error="deadline")
        if not isinstance(line, Sent | LoadRow):
            lines.append(new)
    return lines


def with_threads(world: Engine, lines: list[Line], place: str, *, of: int = 0) -> list[Line]:
    """The record with a reading each second of the one thread of a process, by default the main one."""
    row = (of or 4123, "server", "S", 5, place)
    read = Threads(name="a", pid=of or world.life.pid, incarnation="x", threads=(row,), total=1)
    lines = [
        *lines,
        *(
            replace(read, v=1, w="recorder", n=1, t=x.t + 10**7)
            for x in lines
            if isinstance(x, Probe) and world.began < x.t < world.ended
        ),
    ]
    return sorted(lines, key=lambda line: line.t)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("state", ["S", "D"])
def test_a_freezer_is_seen_by_a_watch_alone(sight, state):
    for seed in SEEDS:
        world = lasting(seed, "http hangs", 20, SIGHTS[sight])
        (stop,) = fold.fold(still(world, state=state, frozen=True))
        assert stop.family == "FROZEN"
        assert stop.alive_at <= world.began + S
        assert stop.seen_at <= world.began + 6 * S
        assert stop.until is not None
        assert abs(stop.until - world.ended) <= 1.5 * S
        assert "freezer" in stop.hypotheses[0]
        assert stop.cause.startswith("UNKNOWN")


def test_the_freezers_place_in_the_kernel_is_a_sign():
    for place, families in (("do_freezer_trap", ["FROZEN"]), ("get_signal", ["FROZEN"]), ("futex_wait_queue", [])):
        world = lasting(5, "http hangs", 20, ALONE)
        assert [s.family for s in fold.fold(still(world, wchan=place))] == families
        assert [s.family for s in fold.fold(with_threads(world, still(world), place))] == families


@pytest.mark.parametrize("shown", [{}, {"state": "D"}, {"frozen": False, "wchan": "get_signal"}, {"wchan": ""}])
def test_what_only_does_not_move_is_not_frozen(shown):
    """A call that takes long, a master whose workers work, a disk: what the kernel says shows no freezer."""
    for seed in SEEDS:
        world = lasting(seed, "http hangs", 30, ALONE)
        assert fold.fold(still(world, **shown)) == ()


def test_the_threads_of_a_child_tell_nothing_of_its_parent():
    world = lasting(5, "http hangs", 20, ALONE)
    assert fold.fold(with_threads(world, still(world), "do_freezer_trap", of=777)) == ()


def test_a_master_that_is_held_while_its_workers_serve_is_not_frozen():
    for sign in ({"state": "T"}, {"frozen": True}):
        world = lasting(3, "asleep", 60, ALONE)
        assert fold.fold(still(world, silent=False, **sign)) == ()


def test_a_stop_begins_after_the_last_proof_of_life():
    """The master was held for long before its workers ceased to serve."""
    for seed in SEEDS:
        world = lasting(seed, "asleep", 60, ALONE)
        lines = still(world, silent=False, state="T")
        last = world.began + 40 * S
        after = [
            replace(x, health=None, error="deadline") if isinstance(x, Probe) and last < x.t < world.ended else x
            for x in lines
        ]
        (stop,) = fold.fold(after)
        assert stop.family == "FROZEN"
        assert last - 2 * S <= stop.alive_at <= stop.dead_at <= last + 2 * S


def test_what_is_left_of_it_is_wedged_after_its_patience():
    """A process that once worked is silent and idles: after two minutes it is WEDGED, and over when it answers."""
    for seed in SEEDS:
        world = lasting(seed, "http hangs", 130, ALONE)
        (stop,) = fold.fold(still(world))
        assert (stop.family, stop.rung) == ("WEDGED", "HTTP answers: /health is silent, and its process idles")
        assert stop.alive_at <= world.began + S <= stop.dead_at + S
        assert stop.seen_at >= world.began + 119 * S
        assert stop.until is not None
        assert abs(stop.until - world.ended) <= 2 * S


def test_a_process_that_never_worked_may_hand_on_to_what_cannot_be_seen():
    for seed in SEEDS:
        world = lasting(seed, "http hangs", 130, ALONE)
        assert [s.family for s in fold.fold(still(world, worked=False))] == ["UNOBSERVED"]


def test_what_waits_is_told():
    (stop,) = fold.fold(still(lasting(3, "http hangs", 20, Rig(clients=0)), frozen=True))
    assert any("a freezer holds it" in text for text in stop.evidence)
    assert any("scheduler was asked" in text for text in stop.evidence)


def test_an_idle_server_whose_health_answers_is_not_frozen():
    for seed in SEEDS:
        world = lasting(seed, "asleep", 60, ALONE)
        assert fold.fold(still(world, silent=False)) == ()


def test_a_process_whose_child_works_is_not_frozen():
    """It holds the socket and waits; below it a long prompt is worked on."""
    for seed in SEEDS:
        world = lasting(seed, "http hangs", 150, ALONE)
        lines = still(world)
        for sample in [x for x in lines if isinstance(x, Sample)]:
            took = sample.t - world.start
            child = replace(sample, pid=5000, incarnation="boot-ns-5000-1", parent=sample.pid, cpu_ns=took, n=0)
            lines.append(replace(child, t=sample.t + 1))
        assert fold.fold(sorted(lines, key=lambda line: line.t)) == ()


@pytest.mark.parametrize("dropped", [Ask, Meter, Probe, Sample])
def test_less_evidence_of_a_freezer_names_nothing_else(dropped):
    for seed in range(8):
        world = lasting(seed, "http hangs", 20, Rig(clients=0))
        lines = [x for x in still(world, frozen=True) if not isinstance(x, dropped)]
        assert {s.family for s in fold.fold(lines)} <= {"FROZEN", "WEDGED"}
