"""CLOCK STEPPED, and what a gap in our own heartbeat may be taken for, on simulated runs."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.records import Clock, Event, Line
from seatrial.stops import fold
from tests.stops.simulation import MS, S, World
from tests.stops.simulation_family import Tree

SEEDS = range(60)


def families(lines: tuple[Line, ...]) -> list[str]:
    return sorted(stop.family for stop in fold.fold(lines))


@pytest.mark.parametrize("seconds", [240, -240, 0.7, -3600])
def test_a_stepped_clock_is_one_notice_and_no_restart(seconds):
    for seed in SEEDS:
        (stop,) = fold.fold(Tree(seed).run_for(5).step_clock(seconds).run_for(5).seal())
        assert (stop.family, stop.name, stop.silent) == ("CLOCK STEPPED", "", False)
        assert stop.step_ns == pytest.approx(seconds * S, abs=5 * MS)
        assert stop.dead_at - stop.alive_at < 1.2 * S
        assert any("a restart" in text for text in stop.excluded)


def test_it_is_handed_out_at_the_heartbeat_that_shows_it():
    state, given = fold.start(), []
    for line in Tree(1).run_for(5).step_clock(240).run_for(5).seal():
        state, now = fold.step(state, line)
        given += [(stop.id, stop.seen_at == line.t) for stop in now]
    assert given == [("clock-1", True)]


def test_steps_add_up_and_each_is_told():
    world = Tree(3)
    for _ in range(3):
        world.run_for(4).step_clock(60)
    found = fold.fold(world.run_for(4).seal())
    assert [(stop.id, round(stop.step_ns / S)) for stop in found] == [(f"clock-{n}", 60) for n in (1, 2, 3)]


def test_a_slew_is_no_step():
    for seed in SEEDS:
        world = Tree(seed)
        for _ in range(30):
            world.step_clock(0.0005).run_for(1)  # 500 ppm
        assert families(world.seal()) == []


def test_a_suspend_is_unobserved_though_the_wall_clock_went_on():
    for seed in SEEDS:
        world = Tree(seed).run_for(12)
        woke = world.start + 6 * S
        lines = tuple(_after_sleep(x) if isinstance(x, Clock) and x.t > woke else x for x in world.seal())
        assert families(lines) == ["UNOBSERVED"]


def _after_sleep(clock: Clock) -> Clock:
    return replace(clock, boot_ns=clock.boot_ns + 600 * S, wall_ns=clock.wall_ns + 600 * S)


def test_a_clock_that_is_stepped_while_a_server_restarts_is_both():
    for seed in SEEDS:
        world = Tree(seed).run_for(8).step_clock(240).die(9)
        world.replace(300)
        assert families(world.run_for(8).seal()) == ["CLOCK STEPPED", "RESTARTED"]


def test_a_recorder_stopped_between_reading_its_clocks_and_writing_them_saw_no_step():
    for seed in SEEDS:
        world = Tree(seed).run_for(6)
        world.paused = True
        world.run_for(10).paused = False
        lines = list(world.run_for(8).seal())
        late = next(n for n, x in enumerate(lines) if isinstance(x, Clock) and x.t > world.start + 15 * S)
        old = lines[late]
        lines[late] = replace(
            old, wall_ns=old.wall_ns - 10 * S, boot_ns=old.boot_ns - 10 * S, raw_ns=old.raw_ns - 10 * S
        )
        assert families(tuple(lines)) == ["UNOBSERVED"]


def seen_late(world: World, exit_seen: bool) -> World:
    """The monitor runs again: it finds the old one gone, if it had a pidfd, and the new one."""
    old, new = world.lives
    at = world.now + 5 * MS
    if exit_seen:
        facts = {"alive_at": str(world.start + 6 * S)} if world.random.random() < 0.5 else {}
        world._put(at, Event(what="exit", name="a", at=at, signalled_at=at, status=9, source="pidfd-info", facts=facts,
                             **world._who(old)))  # fmt: skip
    world._put(at + MS, Event(what="found", name="a", at=at + MS, **world._who(new)))
    return world


@pytest.mark.parametrize("exit_seen", [True, False])
def test_a_restart_behind_a_stopped_monitor_is_inferred_inside_the_window(exit_seen):
    """F24: what happened while nobody looked is placed within what was not observed, and never more exactly."""
    for seed in SEEDS:
        world = Tree(seed, clients=0).run_for(7)
        world.paused = True
        world.run_for(2 + seed / 30).die(9, reports="")
        world.replace(109)
        world.out.pop()  # nobody saw it come
        world.run_for(10 - (world.now - world.start - 7 * S) / S).paused = False
        found = fold.fold(seen_late(world, exit_seen).run_for(8).seal())
        assert sorted(s.family for s in found) == ["RESTARTED", "UNOBSERVED"]
        stop = next(s for s in found if s.family == "RESTARTED")
        gap = next(s for s in found if s.family == "UNOBSERVED")
        assert stop.alive_at <= world.lives[0].dead_at <= stop.dead_at
        assert gap.alive_at - S <= stop.alive_at
        assert stop.dead_at <= gap.dead_at + S
        assert any(text.startswith("UNOBSERVED 1") and "inferred inside the window" in text for text in stop.evidence)
        assert stop.successor == world.life.incarnation


def test_a_monitor_that_was_stopped_makes_nothing_of_what_it_saw_before_and_after():
    """State T in the last sample before the gap, and in the first after it: two short stops, as far as is known."""
    for seed in SEEDS:
        world = Tree(seed).run_for(6)
        world.freeze().run_for(1.2).paused = True
        world.thaw().run_for(8).freeze().run_for(0.5).paused = False
        world.run_for(1.2).thaw()
        assert families(world.run_for(8).seal()) == ["UNOBSERVED"]
