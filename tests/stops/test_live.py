"""The live form: a stop is handed out as soon as its evidence is complete, and again only when it changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from seatrial.records import Clock, Stop
from seatrial.stops import clock, fold, handing
from seatrial.stops.state.cases import change, open_case
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.server import Server, State
from seatrial.stops.state.sights import Sight
from tests.stops.simulation import MS, S, World
from tests.stops.simulation_family import Tree

SEEDS = range(60)


def given(world: World) -> list[tuple[Stop, int]]:
    """Each stop as it was handed out, and at which line's time."""
    state, out = fold.start(), []
    for line in world.seal():
        state, now = fold.step(state, line)
        out += [(stop, line.t) for stop in now]
    final = {stop.id: stop for stop in fold.finish(state)}
    last = {stop.id: stop for stop, _ in out}
    assert set(last) == set(final)
    for name, stop in final.items():
        assert (stop.family, stop.until is None, stop.signal) == (
            last[name].family, last[name].until is None, last[name].signal)  # fmt: skip
    return out


def test_a_death_whose_evidence_is_complete_is_told_within_two_heartbeats():
    for seed in SEEDS:
        world = Tree(seed).run_for(8 + seed / 60).die(9)
        ((stop, at),) = given(world.run_for(8))
        assert stop.family == "STOPPED"
        assert S <= at - world.life.dead_at <= 2 * S + 100 * MS


def test_one_whose_status_is_not_known_waits_for_more():
    for seed in SEEDS:
        world = Tree(seed).run_for(8).die(9, reports="")
        found = given(world.replace(400).run_for(8))
        assert [stop.family for stop, _ in found] == ["RESTARTED"]


def test_a_successor_that_answers_at_once_makes_it_a_restart_at_once():
    for seed in SEEDS:
        world = Tree(seed).run_for(8 + seed / 60).die(9).replace(150)
        ((stop, at),) = given(world.run_for(8))
        assert stop.family == "RESTARTED"
        assert at - world.lives[0].dead_at <= 1200 * MS  # the next look finds that it answers


def test_a_crash_loop_is_told_whole_and_kept_small(monkeypatch):
    world = Tree(1).run_for(5)
    for _ in range(70):
        world.die(9).replace(200).run_for(5)
    lines = world.seal()
    state, most = fold.start(), 0
    for line in lines:
        state, _ = fold.step(state, line)
        most = max(most, *(len(server.cases) for server in state.servers.values()), 0)
    found = fold.finish(state)
    assert most <= handing.CASES_KEPT + 2
    assert [stop.family for stop in found] == ["RESTARTED"] * 70
    assert len({stop.id for stop in found}) == 70
    monkeypatch.setattr(handing, "CASES_KEPT", 1000)
    assert fold.fold(lines) == found


def test_what_is_put_away_leaves_ids_apart_and_what_still_lasts(monkeypatch):
    """A stop that was withdrawn is not told, and its number is not given again; an old open one keeps no other."""
    monkeypatch.setattr(handing, "CASES_KEPT", 0)
    server = Server("a")
    for n in range(8):
        server = open_case(server, "STOPPED", n * S, n * S, alive=Proof(n * S, "x"))
        case = server.cases[-1]
        until = None if n == 0 else n * S
        server = change(server, case, until=until, statement=replace(case.statement, withdrawn=n in (1, 2)))
    state = State(servers={"a": server})
    for t in range(20 * S, 200 * S, 2 * S):
        state, _ = clock.ticked(state, Clock(v=2, w="recorder", n=1, t=t, boot_ns=t, wall_ns=t, raw_ns=t))
    left = state.servers["a"]
    assert [case.id for case in left.cases] == ["a-1"]
    assert [stop.id for stop in left.done] == ["a-4", "a-5", "a-6", "a-7", "a-8"]
    assert open_case(left, "STOPPED", 300 * S, 300 * S, alive=Proof(300 * S, "x")).cases[-1].id == "a-9"


def test_what_is_over_for_an_hour_is_put_away_and_what_lasts_is_not():
    lost = open_case(Server("a"), "UNOBSERVED", S, S, alive=Proof(0, "x"), shown=Sight.LOST)
    server = open_case(lost, "STOPPED", 9 * S, 9 * S, alive=Proof(8 * S, "x"))
    server = change(server, server.cases[-1], until=10 * S)
    state, hour = State(servers={"a": server}), 3600 * S
    seen: list[tuple[int, int]] = []
    for t in range(20 * S, hour + 30 * S, 2 * S):
        state, _ = clock.ticked(state, Clock(v=2, w="recorder", n=1, t=t, boot_ns=t, wall_ns=t, raw_ns=t))
        seen.append((t, len(state.servers["a"].done)))
    assert next(t for t, done in seen if done) == hour + 12 * S
    assert [case.id for case in state.servers["a"].cases] == ["a-1"]
    assert [stop.id for stop in fold.finish(state)] == ["a-1", "a-2"]


def test_a_later_successor_updates_what_was_told():
    for seed in SEEDS:
        found = given(Tree(seed).run_for(8).die(11).replace(9_000).run_for(8))
        assert [(stop.id, stop.family, stop.until is None) for stop, _ in found] == [
            ("a-1", "STOPPED", True), ("a-1", "RESTARTED", False)]  # fmt: skip


TWICE: dict[str, Callable[[Tree], object]] = {
    "FROZEN": lambda w: w.freeze().run_for(9).thaw(),
    "DEAF": lambda w: (setattr(w, "deaf", True), w.run_for(9), setattr(w, "deaf", False)),
    "IMPOSTOR": lambda w: (w.die(9), w.squat(300), w.run_for(6), w.die(15), w.replace(400)),
}


@pytest.mark.parametrize("family", TWICE)
def test_what_lasts_is_told_when_it_is_known_and_when_it_is_over(family):
    for seed in SEEDS:
        world = Tree(seed).run_for(8)
        TWICE[family](world)
        found = given(world.run_for(8))
        assert [(stop.id, stop.family, stop.until is None) for stop, _ in found] == [
            ("a-1", family, True), ("a-1", family, False)]  # fmt: skip


def test_a_runner_is_told_when_its_successor_is_found():
    for seed in SEEDS:
        world = Tree(seed, runner=True).run_for(8).end_runner(9).run_for(1).start_runner()
        ((stop, at),) = given(world.run_for(12))
        assert stop.family == "RUNNER REPLACED"
        assert at - stop.seen_at <= S + 100 * MS


def test_a_gap_is_told_at_the_heartbeat_that_ends_it():
    for seed in SEEDS:
        world = Tree(seed).run_for(8)
        world.paused = True
        world.run_for(7).paused = False
        ((stop, at),) = given(world.run_for(6))
        assert (stop.family, at) == ("UNOBSERVED", stop.seen_at)


def test_ids_stay_apart_whatever_becomes_of_a_stop():
    for seed in SEEDS:
        world = Tree(seed).run_for(6)
        world.deaf = True
        world.run_for(3.5).paused = True
        world.run_for(4).paused = False
        world.run_for(0.2).die(9).replace(2000, generation=1).run_for(6).die(11).run_for(4)
        found = fold.fold(world.seal())
        assert len({stop.id for stop in found}) == len(found)
