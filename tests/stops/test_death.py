"""STOPPED and RESTARTED on simulated runs, hundreds of phases each."""

from __future__ import annotations

import pytest

from seatrial.records import Event, LoadRow, Probe, Sample, Stop
from seatrial.stops import fold
from tests.stops.simulation import MS, S, World

SEEDS = range(30)


def one(world: World) -> Stop:
    found = fold.fold(world.seal())
    assert len(found) == 1, [(s.family, s.kind, s.evidence) for s in found]
    return found[0]


@pytest.mark.parametrize(("status", "kind", "signal", "code"), [
    (9, "signal", 9, None), (15, "signal", 15, None), (1, "signal", 1, None), (11, "crash", 11, None),
    (0x80 | 6, "crash", 6, None), (3 << 8, "exit", None, 3), (0, "exit", None, 0),
])  # fmt: skip
@pytest.mark.parametrize("reports", ["r", "k", "rk"])
def test_each_end_of_a_process_is_one_stop_with_its_status(status, kind, signal, code, reports):
    for seed in SEEDS:
        world = World(seed).run_for(8).die(status, reports=reports)
        life = world.life
        flying = {s.id for s in world.streams if s.sent_at <= life.dead_at and not s.clean}
        stop = one(world.run_for(6))
        assert (stop.family, stop.kind, stop.signal, stop.code) == ("STOPPED", kind, signal, code)
        assert stop.cause.startswith("UNKNOWN")
        assert 0 <= stop.dead_at - life.dead_at <= 10 * MS
        assert stop.dead_at - stop.alive_at <= 250 * MS
        assert set(stop.suspects) == flying
        assert any("oom_kill +0" in text for text in stop.excluded)
        assert stop.source == ("waitid" if "k" in reports else "pidfd-info")
        assert stop.until is None
        if "r" in reports:
            assert stop.uptime_s == pytest.approx((life.dead_at - life.born_at) / S, abs=0.05)


def test_the_oom_killer_is_named_by_the_cgroup_alone():
    for seed in SEEDS:
        stop = one(World(seed).run_for(8).die(9, oom=True).run_for(6))
        assert (stop.kind, stop.signal) == ("oom", 9)
        assert "OOM" in stop.cause
        blind = one(World(seed, cgroup=False).run_for(8).die(9, oom=True).run_for(6))
        assert blind.kind == "signal"
        assert blind.cause.startswith("UNKNOWN")
        assert blind.hypotheses[0].startswith("the OOM killer")
        assert not any("OOM" in text for text in blind.excluded)


def test_an_oom_kill_of_another_process_is_not_taken_for_ours():
    for seed in SEEDS:
        world = World(seed).run_for(8)
        world.oom_host += 1  # the cgroup's own count does not move
        assert one(world.die(9).run_for(6)).kind == "signal"


def test_a_supervisor_that_restarts_at_once_is_seen_with_its_gap():
    for seed in SEEDS:
        world = World(seed).run_for(8).die(11, reports="r").replace(150).run_for(8)
        first, second = world.lives
        stop = one(world)
        assert (stop.family, stop.signal) == ("RESTARTED", 11)
        assert (stop.incarnation, stop.successor) == (first.incarnation, second.incarnation)
        assert stop.until is not None
        assert 0 < stop.until - (first.signalled_at + 150 * MS) < 1010 * MS  # the next look


def test_a_restart_whose_end_nobody_saw_is_still_a_restart():
    for seed in SEEDS:
        stop = one(World(seed).run_for(8).die(9, reports="").replace(300).run_for(8))
        assert (stop.family, stop.kind, stop.signal) == ("RESTARTED", "unknown", None)
        assert stop.source.startswith("unobservable")


def test_our_own_restart_after_a_stop_is_a_recovery_and_no_second_verdict():
    for seed in SEEDS:
        world = World(seed).run_for(8).die(9).replace(900, generation=1).run_for(8)
        stop = one(world)
        assert stop.family == "STOPPED"
        assert stop.successor == world.life.incarnation
        assert stop.until is not None
        assert stop.until > world.life.born_at


def test_a_successor_after_forty_minutes_ends_a_stop_and_is_no_restart():
    stop = one(World(1).run_for(8).die(9).replace(2_400_000).run_for(5))
    assert stop.family == "STOPPED"
    assert stop.until is not None
    assert (stop.until - stop.dead_at) / S == pytest.approx(2400, abs=1)


def test_two_deaths_are_two_stops():
    for seed in SEEDS:
        world = World(seed).run_for(8).die(9).replace(900, generation=1).run_for(8).die(11).run_for(5)
        found = fold.fold(world.seal())
        assert [(s.family, s.signal) for s in found] == [("STOPPED", 9), ("STOPPED", 11)]
        assert len({s.id for s in found}) == 2


@pytest.mark.parametrize("writer", ["keeper", "recorder"])
def test_planned_stops_and_the_end_of_the_run_are_no_stops(writer):
    for seed in SEEDS:
        assert fold.fold(World(seed).run_for(8).seal()) == ()
        world = World(seed).run_for(8).announce().run_for(0.02).die(15).replace(900, generation=1).run_for(8)
        lines = [x for x in world.seal() if not (isinstance(x, Event) and x.what == "planned-stop" and x.w != writer)]
        assert fold.fold(lines) == ()


def test_a_death_before_the_announcement_stays_a_stop_though_it_is_reported_after():
    for seed in SEEDS:
        world = World(seed).run_for(8).die(9, reports="r").run_for(0.1).announce().replace(700, generation=1).run_for(8)
        assert one(world).signal == 9


def test_an_announced_stop_that_did_not_happen_covers_no_later_death():
    stop = one(World(1).run_for(8).announce().run_for(90).die(9).run_for(5))
    assert stop.signal == 9


def test_a_child_that_ends_is_no_stop_of_the_server():
    world = World(3).run_for(5)
    child = Event(what="exit", name="a", at=world.now, pid=9, incarnation="c", parent=4123, status=9, t=world.now,
                  w="recorder")  # fmt: skip
    world.out.append(child)
    assert fold.fold(world.run_for(5).seal()) == ()


DROPS = {
    "samples": lambda x: isinstance(x, Sample),
    "probes": lambda x: isinstance(x, Probe),
    "rows": lambda x: isinstance(x, LoadRow),
    "the recorder's exits": lambda x: isinstance(x, Event) and x.what == "exit" and x.w == "recorder",
    "the keeper's exits": lambda x: isinstance(x, Event) and x.what == "exit" and x.w == "keeper",
    "found": lambda x: isinstance(x, Event) and x.what == "found",
}


@pytest.mark.parametrize("dropped", DROPS)
@pytest.mark.parametrize("oom", [False, True])
def test_less_evidence_never_names_another_cause(dropped, oom):
    for seed in range(20):
        lines = World(seed).run_for(8).die(9, oom=oom).run_for(6).seal()
        (whole,) = fold.fold(lines)
        found = fold.fold(x for x in lines if not DROPS[dropped](x))
        assert len(found) == 1, dropped
        assert found[0].cause == whole.cause or found[0].cause.startswith("UNKNOWN")
        assert found[0].signal in (whole.signal, None)


def test_a_round_uptime_speaks_for_a_launcher():
    world = World(1)
    world.life.born_at = world.now + 8 * S - 1800 * S
    world.out.clear()
    world._put(world.now, Event(what="found", name="a", at=world.now, **world._who(world.life)))
    stop = one(world.run_for(8).die(15).run_for(5))
    assert "1800 s (it was 1800 s: speaks for it: consistent, not proven)" in stop.hypotheses[0]


def test_the_live_fold_gives_a_stop_once_and_again_when_it_is_over():
    for seed in SEEDS:
        world = World(seed).run_for(8).die(9).run_for(5).replace(900, generation=1).run_for(8)
        state, given = fold.start(), []
        for line in world.seal():
            state, now = fold.step(state, line)
            given += now
        assert [(s.id, s.until is None) for s in given] == [("a-1", True), ("a-1", False)]
        assert fold.finish(state)[0].id == "a-1"
