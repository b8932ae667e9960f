"""FROZEN, DEAF and UNOBSERVED on simulated runs, and what must not be taken for them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.records import Clock, Event, LoadRow, Probe, Sample, Sent, Stop
from seatrial.stops import fold
from tests.stops.simulation import MS, S, World

SEEDS = range(30)


def one(world: World) -> Stop:
    found = fold.fold(world.seal())
    assert len(found) == 1, [(s.family, s.kind, s.evidence) for s in found]
    return found[0]


def frozen(seed: int, seconds: float = 15.0) -> tuple[World, int, int]:
    world = World(seed).run_for(6 + seed / 30)
    begin = world.freeze().now
    end = world.run_for(seconds).thaw().now
    return world.run_for(8), begin, end


def test_a_stopped_process_is_frozen_to_within_a_second_and_a_half():
    for seed in SEEDS:
        world, begin, end = frozen(seed)
        stop = one(world)
        assert stop.family == "FROZEN"
        assert stop.alive_at <= begin + MS <= stop.dead_at + MS
        assert stop.dead_at - stop.alive_at <= 1.2 * S
        assert stop.until is not None
        assert abs((stop.until - stop.alive_at) - (end - begin)) <= 1.5 * S
        assert abs((stop.until - stop.dead_at) - (end - begin)) <= 1.5 * S
        assert stop.kind == ""
        assert (stop.signal, stop.code, stop.successor) == (None, None, "")
        assert len(stop.suspects) == 4
        assert stop.cause.startswith("UNKNOWN")


def test_tokens_make_the_length_of_a_freeze_exact():
    for seed in SEEDS:
        world, begin, end = frozen(seed)
        stop = one(world)
        assert stop.until is not None
        assert abs((stop.until - stop.alive_at) - (end - begin)) <= 250 * MS


def test_a_freeze_without_traffic_is_seen_too():
    for seed in SEEDS:
        world = World(seed, clients=0).run_for(6)
        begin = world.freeze().now
        end = world.run_for(10).thaw().now
        stop = one(world.run_for(5))
        assert stop.family == "FROZEN"
        assert stop.until is not None
        assert abs((stop.until - stop.dead_at) - (end - begin)) <= 1.5 * S


def test_a_freezer_that_shows_no_state_t_is_seen_by_what_its_cgroup_says():
    for seed in SEEDS:
        world, begin, end = frozen(seed)
        lines = [_in_state_s(x) for x in world.seal()]
        assert "FROZEN" not in {stop.family for stop in fold.fold(lines)}
        lines = [replace(x, frozen=True) if isinstance(x, Sample) and begin <= x.t < end else x for x in lines]
        (stop,) = fold.fold(lines)
        assert stop.family == "FROZEN"
        assert stop.until is not None
        assert abs((stop.until - stop.dead_at) - (end - begin)) <= 2.6 * S
        assert "freezer" in stop.hypotheses[0]


def _in_state_s(line):
    return replace(line, state="S") if isinstance(line, Sample) else line


def test_a_stop_of_a_second_is_no_freeze():
    for seed in SEEDS:
        world, _, _ = frozen(seed, 0.9)
        assert fold.fold(world.seal()) == ()


def test_a_slow_prefill_is_no_freeze():
    """No token and no /health for forty seconds, but the process works."""
    for seed in SEEDS:
        world = World(seed).run_for(6)
        world.mute = True
        world.run_for(40)
        world.mute = False
        assert fold.fold(world.run_for(5).seal()) == ()


def test_an_idle_server_that_does_not_move_is_not_frozen():
    world = World(1, clients=0).run_for(60)
    lines = [_still(x) for x in world.seal()]
    assert fold.fold(lines) == ()


def _still(line):
    return replace(line, cpu_ns=5, switches=5) if isinstance(line, Sample) else line


def test_a_frozen_server_that_we_restart_is_one_stop():
    for seed in SEEDS:
        world = World(seed).run_for(6).freeze().run_for(9).announce().run_for(0.01).die(9)
        stop = one(world.replace(900, generation=1).run_for(8))
        assert stop.family == "FROZEN"
        assert stop.successor == world.life.incarnation
        assert stop.until is not None


@pytest.mark.parametrize(("seconds", "family"), [(3.5, "STOPPED"), (20, "FROZEN")])
def test_a_frozen_server_that_is_killed_is_one_stop(seconds, family):
    for seed in SEEDS:
        stop = one(World(seed).run_for(6).freeze().run_for(seconds).die(9).run_for(5))
        assert (stop.family, stop.signal, stop.until) == (family, 9, None)


def test_a_closed_listener_under_a_living_process_is_deaf():
    for seed in SEEDS:
        world = World(seed).run_for(6)
        world.deaf = True
        begin = world.now
        stop = one(world.run_for(10))
        assert (stop.family, stop.until, stop.signal) == ("DEAF", None, None)
        assert stop.alive_at <= begin <= stop.dead_at
        assert stop.dead_at - stop.alive_at <= 1.1 * S
        assert stop.rung == "the LISTEN socket"


def test_a_listener_that_comes_back_ends_the_deafness():
    for seed in SEEDS:
        world = World(seed).run_for(6)
        world.deaf = True
        world.run_for(10).deaf = False
        stop = one(world.run_for(5))
        assert stop.family == "DEAF"
        assert stop.until is not None
        assert 9 * S <= stop.until - stop.dead_at <= 11.1 * S


def test_a_deaf_server_that_soon_ends_has_stopped():
    for seed in SEEDS:
        world = World(seed).run_for(6)
        world.deaf = True
        stop = one(world.run_for(3.5).die(0).run_for(5))
        assert (stop.family, stop.code) == ("STOPPED", 0)
        assert stop.evidence[0].startswith("DEAF for")


def test_a_server_that_is_still_loading_is_not_deaf():
    for seed in SEEDS:
        world = World(seed).run_for(6).announce().run_for(0.01).die(15).replace(50, generation=1)
        world.deaf = True  # it lives and does not listen yet
        world.run_for(20).deaf = False
        assert fold.fold(world.run_for(5).seal()) == ()


def test_the_monitor_paused_is_unobserved_and_no_stop():
    for seed in SEEDS:
        world = World(seed).run_for(6)
        world.paused = True
        begin = world.run_for(0).now
        world.run_for(10).paused = False
        stop = one(world.run_for(6))
        assert stop.family == "UNOBSERVED"
        assert begin - 1.1 * S <= stop.alive_at <= begin
        assert stop.until is not None
        assert 9 * S <= stop.until - stop.alive_at <= 12 * S


def test_a_restart_while_the_monitor_is_paused_lies_within_what_was_not_observed():
    for seed in SEEDS:
        world = World(seed, clients=0).run_for(6)
        world.paused = True
        world.run_for(3).die(9, reports="").run_for(1)
        world.replace(100).out.pop()  # nobody sees the successor come either ...
        world.run_for(4).paused = False
        found_at = world.now + S  # ... until the monitor runs again
        world._put(found_at, Event(what="found", name="a", at=found_at, **world._who(world.life)))
        found = fold.fold(world.run_for(6).seal())
        assert sorted(s.family for s in found) == ["RESTARTED", "UNOBSERVED"]
        restart = next(s for s in found if s.family == "RESTARTED")
        assert restart.alive_at <= world.lives[0].dead_at <= restart.dead_at


def test_a_recorder_that_dies_leaves_the_rest_unobserved():
    world = World(5).run_for(6)
    world.paused = True
    world.run_for(10)
    lines = [x for x in world.lines() if not (isinstance(x, Event) and x.what == "seal")]
    (stop,) = fold.fold(lines)
    assert (stop.family, stop.until) == ("UNOBSERVED", None)


def test_a_recorder_sealed_in_the_middle_of_a_run_leaves_the_rest_unobserved():
    """Its keeper is killed, its input ends, and it seals: what the users did after that nobody watched."""
    for seed in SEEDS:
        world = World(seed).run_for(6)
        world._put(world.now, Event(what="seal", name="", at=world.now))
        world.paused = True
        world.run_for(10)
        (stop,) = fold.fold(world.lines())
        assert (stop.family, stop.dead_at) == ("UNOBSERVED", world.lines()[-1].t)
        assert world.start + 5 * S <= stop.alive_at <= world.start + 6 * S


def test_a_record_without_any_heartbeat_is_unobserved_from_the_first_request():
    world = World(5).run_for(2)
    lines = [line for line in world.lines() if line.w != "recorder"]
    (stop,) = fold.fold(lines)
    first = min(line.t for line in lines if isinstance(line, Sent))
    assert (stop.family, stop.name, stop.alive_at, stop.dead_at) == ("UNOBSERVED", "a", first, lines[-1].t)
    assert stop.evidence == ("no heartbeat of the recorder at all",)
    assert fold.fold(line for line in lines if not isinstance(line, Sent | LoadRow)) == ()


def test_a_machine_that_slept_was_not_observed():
    world = World(5).run_for(12)
    woke = world.start + 6 * S
    lines = [
        replace(x, boot_ns=x.boot_ns + 600 * S, wall_ns=x.wall_ns + 600 * S)
        if isinstance(x, Clock) and x.t > woke
        else x
        for x in world.seal()
    ]
    (stop,) = fold.fold(lines)
    assert stop.family == "UNOBSERVED"
    assert "slept for 600" in stop.evidence[0]


@pytest.mark.parametrize("dropped", [Sample, Probe, LoadRow])
def test_less_evidence_of_a_freeze_names_nothing_else(dropped):
    for seed in range(20):
        world, _, _ = frozen(seed)
        found = fold.fold(x for x in world.seal() if not isinstance(x, dropped))
        assert [s.family for s in found] == ([] if dropped is Sample else ["FROZEN"])
        assert all(s.cause.startswith("UNKNOWN") for s in found)


def test_a_remote_server_that_refuses_has_stopped_and_how_is_not_observable():
    world = World(2).run_for(6)
    world.die(9, reports="").run_for(8)
    far = [
        replace(x, listens=None, owner=None, oom_host=None, oom_cgroup=None) if isinstance(x, Probe) else x
        for x in world.lines()
        if not isinstance(x, Sample | Event)
    ]
    (stop,) = fold.fold(far)
    assert (stop.family, stop.kind, stop.until) == ("STOPPED", "unknown", None)
    assert stop.source.startswith("unobservable")
    assert not any("OOM" in text or "planned" in text for text in stop.excluded)
