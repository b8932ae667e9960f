"""RUNNER REPLACED on simulated runs, and what a child's end must not be taken for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.records import Ask, Event, LoadRow, Meter, Stop
from seatrial.stops import fold
from tests.stops.simulation import S, World
from tests.stops.simulation_family import Tree

SEEDS = range(60)


def one(world: World) -> Stop:
    found = fold.fold(world.seal())
    assert len(found) == 1, [(s.family, s.kind, s.evidence) for s in found]
    return found[0]


@pytest.mark.parametrize(("status", "kind", "signal", "code"), [
    (9, "signal", 9, None), (11, "crash", 11, None), (0x80 | 6, "crash", 6, None), (2 << 8, "exit", None, 2),
    (0, "exit", None, 0), (15, "signal", 15, None), (None, "unknown", None, None),
])  # fmt: skip
def test_a_child_replaced_under_a_living_parent_is_one_stop(status, kind, signal, code):
    for seed in SEEDS:
        world = Tree(seed, runner=True).run_for(8 + seed / 60)
        before = {s.id for s in world.streams if s.sent_at <= world.now and not 0 < s.ended_at < world.now}
        world.end_runner(status).run_for(world.random.uniform(0.05, 20))
        old, new = world.child_gone, world.start_runner().child
        stop = one(world.run_for(12))
        assert (stop.family, stop.kind, stop.signal, stop.code) == ("RUNNER REPLACED", kind, signal, code)
        assert (stop.pid, stop.incarnation, stop.successor) == (old.pid, old.incarnation, new.incarnation)
        assert stop.alive_at <= old.dead_at <= stop.dead_at
        assert stop.dead_at - old.dead_at < 10_000_000
        assert abs(stop.until - new.born_at) <= 0.02 * S
        assert set(stop.suspects) == before
        assert f"under its parent {world.life.pid}" in stop.evidence[0]
        assert stop.cause.startswith("UNKNOWN")
        assert stop.alike == ("ollama/ollama #9330: a runner ends under a living parent", *stop.alike[1:])
        assert any("oom_kill +0" in text for text in stop.excluded)


def test_a_successor_may_be_written_down_before_the_end_it_follows():
    """The recorder says at once whom it finds, and how a process ended only once it knows."""
    for seed in SEEDS:
        world = Tree(seed, runner=True).run_for(8).end_runner(9).run_for(0.05)
        old, new = world.child_gone, world.start_runner().child
        lines = list(world.run_for(12).seal())
        end = next(x for x in lines if isinstance(x, Event) and x.what == "exit" and x.pid == old.pid)
        found = next(x for x in lines if isinstance(x, Event) and x.what == "found" and x.pid == new.pid)
        seen = new.born_at + world.random.randrange(S // 20)  # by a recorder that had to wait for its turn
        facts = {**end.facts, "alive_at": str(old.dead_at - S // 6)}
        later = replace(end, t=found.t + 1, at=seen, signalled_at=seen, facts=facts)
        late = [later if x is end else x for x in lines]
        (stop,) = fold.fold(sorted(late, key=lambda x: x.t))
        assert (stop.family, stop.signal, stop.pid) == ("RUNNER REPLACED", 9, old.pid)
        assert stop.successor == new.incarnation
        assert abs(stop.until - new.born_at) <= 0.07 * S


@pytest.mark.parametrize("status", [9, 15, 0])
def test_a_child_that_ends_without_a_successor_is_no_stop(status):
    for seed in range(30):
        world = Tree(seed, runner=True).run_for(8).end_runner(status).run_for(30)
        assert fold.fold(world.seal()) == ()


@pytest.mark.parametrize("status", [11, 0x80 | 6, 7])
def test_a_runner_that_crashes_without_a_successor_is_a_stop(status):
    for seed in SEEDS:
        world = Tree(seed, runner=True).run_for(8 + seed / 60)
        before = {s.id for s in world.streams if s.sent_at <= world.now and not 0 < s.ended_at < world.now}
        world.end_runner(status).run_for(30)
        old = world.child_gone
        stop = one(world)
        assert (stop.family, stop.kind, stop.signal) == ("STOPPED", "crash", status & 0x7F)
        assert (stop.pid, stop.incarnation, stop.successor, stop.until) == (old.pid, old.incarnation, "", None)
        assert stop.alive_at <= old.dead_at <= stop.dead_at <= old.dead_at + 10_000_000
        assert stop.seen_at <= old.dead_at + 8 * S
        assert set(stop.suspects) == before
        assert f"child of {world.life.pid}, which lives, /health 200" in stop.evidence
        assert stop.rung == "the process of its runner"
        assert stop.cause.startswith("UNKNOWN")


@pytest.mark.parametrize("cgroup", [True, False])
def test_a_runner_that_is_killed_for_memory_is_a_stop(cgroup):
    """A kill that the next probe counts, and that its end does not tell yet."""
    for seed in SEEDS:
        world = Tree(seed, runner=True, cgroup=cgroup).run_for(12).end_runner(9)
        world.oom_host += 1
        world.oom_cgroup += 1
        stop = one(world.run_for(30))
        assert (stop.family, stop.kind, stop.signal) == ("STOPPED", "oom" if cgroup else "signal", 9)
        assert cgroup or stop.hypotheses[0].startswith("the OOM killer")
        assert not any("OOM" in text for text in stop.excluded)


@pytest.mark.parametrize("after", [20, 75])
def test_a_successor_makes_another_family_of_a_crash_that_was_told(after):
    for seed in range(30):
        world = Tree(seed, runner=True).run_for(8).end_runner(11).run_for(after)
        old, new = world.child_gone, world.start_runner().child
        state, given = fold.start(), []
        for line in world.run_for(12).seal():
            state, due = fold.step(state, line)
            given += due
        assert [(s.id, s.family, s.until is None) for s in given] == [
            ("a-1", "STOPPED", True), ("a-1", "RUNNER REPLACED", False)]  # fmt: skip
        (stop,) = fold.finish(state)
        assert (stop.family, stop.pid, stop.successor) == ("RUNNER REPLACED", old.pid, new.incarnation)
        assert abs(stop.until - new.born_at) <= 0.02 * S


def test_a_crash_that_was_told_hides_no_stop_of_the_server():
    for seed in range(30):
        world = Tree(seed, runner=True).run_for(8).end_runner(11).run_for(20)
        found = fold.fold(world.die(9).replace(400).run_for(20).seal())
        assert [(s.family, s.signal) for s in found] == [("STOPPED", 11), ("RESTARTED", 9)]
        assert found[0].until is None
        world = Tree(seed, runner=True).run_for(8).end_runner(11).run_for(20)
        found = fold.fold(world.freeze().run_for(9).thaw().run_for(5).seal())
        assert [s.family for s in found] == ["STOPPED", "FROZEN"]


def test_a_helper_that_crashes_is_none_nor_is_one_that_is_not_known():
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(8)
        world.child.born_at = world.now - S // 2
        assert fold.fold(world.end_runner(11).run_for(20).seal()) == ()
        world = Tree(seed, runner=True).run_for(8).end_runner(11).run_for(20)
        lines = [x for x in world.seal() if not (isinstance(x, Event) and x.what == "found" and x.parent)]
        assert fold.fold(lines) == ()


def test_helpers_that_come_and_go_are_no_runners():
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(8)
        world.child.born_at = world.now - S // 2
        world.end_runner(9).run_for(0.2).start_runner()
        world.run_for(6).end_runner(0).run_for(0.2).start_runner()  # it ended in order after six seconds
        assert fold.fold(world.run_for(8).seal()) == ()


@pytest.mark.parametrize("other", [
    {"arguments": "runner --model another --port 4001"},  # the parent was asked for another model
    {"exe": "/usr/bin/nvidia-smi"},
])  # fmt: skip
def test_another_program_or_model_is_no_successor(other):
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(8).end_runner(9).run_for(0.5).start_runner(**other)
        assert fold.fold(world.run_for(8).seal()) == ()


@pytest.mark.parametrize("status", [0, 15, 9, 1 << 8])
def test_a_model_that_made_room_for_another_and_came_back_was_not_replaced(status):
    other = "runner --model another --port 4001"
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(12).end_runner(status)
        world.run_for(0.5).start_runner(arguments=other).run_for(12)
        world.end_runner(status).run_for(0.5).start_runner()
        assert fold.fold(world.run_for(8).seal()) == ()


@pytest.mark.parametrize("status", [11, 0x80 | 6])
def test_a_crash_before_another_model_came_is_one(status):
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(12).end_runner(status)
        world.run_for(0.5).start_runner(arguments="runner --model another --port 4001").run_for(12)
        world.end_runner(15).run_for(0.5).start_runner()
        stop = one(world.run_for(8))
        assert (stop.family, stop.kind) == ("RUNNER REPLACED", "crash")


@pytest.mark.parametrize("status", [0, 15, 9])
def test_what_is_loaded_again_after_a_sleep_was_not_replaced(status):
    for seed in range(20):
        world = Tree(seed, runner=True, clients=0).run_for(12).end_runner(status)
        for _ in range(15):
            world.run_for(1)._put(world.now, Meter(name="a", source="ollama /api/ps", asleep=True))
        world.start_runner()
        world._put(world.now + S, Meter(name="a", source="ollama /api/ps", asleep=False))
        assert fold.fold(world.run_for(8).seal()) == ()


def test_a_sleep_at_another_time_excuses_nothing():
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(3)
        world._put(world.now, Meter(name="a", source="ollama /api/ps", asleep=True))
        world._put(world.now + S, Meter(name="a", source="ollama /api/ps", asleep=False))
        world.run_for(9).end_runner(9).run_for(2).start_runner().run_for(8)
        world._put(world.now, Meter(name="a", source="ollama /api/ps", asleep=True))
        assert one(world.run_for(3)).family == "RUNNER REPLACED"


@pytest.mark.parametrize("status", [0, 15])
def test_an_end_in_order_that_broke_no_request_is_none(status):
    """A gateway that runs a helper twice; a model whose time was over, and that the next request loads again."""
    for seed in range(20):
        world = Tree(seed, runner=True, clients=0).run_for(12).end_runner(status).run_for(1).start_runner()
        assert fold.fold(world.run_for(8).seal()) == ()


def test_a_request_told_after_the_successor_may_show_what_the_end_broke():
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(12).end_runner(0).run_for(0.02)
        new = world.start_runner().child
        lines = list(world.run_for(8).seal())
        rows = [x for x in lines if isinstance(x, LoadRow) and x.outcome == "cut"]
        late = [replace(x, t=new.born_at + 6 * S) if x in rows else x for x in lines]
        (stop,) = fold.fold(sorted(late, key=lambda x: x.t))
        assert (stop.family, stop.code) == ("RUNNER REPLACED", 0)


def test_a_successor_after_more_than_a_minute_is_another_matter():
    world = Tree(3, runner=True).run_for(8).end_runner(9).run_for(75).start_runner()
    assert fold.fold(world.run_for(8).seal()) == ()


def test_children_that_end_with_a_planned_stop_are_none():
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(8).announce().run_for(0.01).end_runner(9)
        world.die(15).replace(900, generation=1).start_runner()
        assert fold.fold(world.run_for(8).seal()) == ()


def test_a_server_that_dies_with_its_children_is_one_stop():
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(8).end_runner(9).die(9).replace(400).start_runner()
        stop = one(world.run_for(8))
        assert stop.family == "RESTARTED"


def test_a_child_that_ended_shortly_before_a_stop_is_evidence_of_it():
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(8).end_runner(9).run_for(3)
        world.deaf = True
        stop = one(world.run_for(8))
        assert stop.family == "DEAF"
        assert any(f"its child {world.child_gone.pid} ended by SIGKILL" in text for text in stop.evidence)
        assert "the process that listened was its child" in stop.hypotheses[0]


def test_two_replacements_are_two_stops():
    for seed in range(20):
        world = Tree(seed, runner=True).run_for(8).end_runner(9).run_for(1).start_runner().run_for(12)
        world.end_runner(11).run_for(2).start_runner()
        found = fold.fold(world.run_for(8).seal())
        assert [(s.family, s.signal) for s in found] == [("RUNNER REPLACED", 9), ("RUNNER REPLACED", 11)]


def test_without_the_births_of_children_nothing_is_said():
    world = Tree(5, runner=True).run_for(8).end_runner(9).run_for(1).start_runner().run_for(8)
    lines = [x for x in world.seal() if not (isinstance(x, Event) and x.what == "found" and x.parent)]
    assert fold.fold(lines) == ()


def without_engine(seed: int, status: int | None, *, answered: bool = False, mode: str = "cuda error") -> list[Stop]:
    """The stops of a server whose runner ends, and whose canaries then fail or, one of them, are answered."""
    world = Tree(seed, runner=True, clients=0).run_for(12)
    lines = list(world.end_runner(status).run_for(60).seal())
    at = world.child_gone.dead_at
    asks = [(world.start + S, "ok"), *((at + n * S, "http_5xx") for n in range(2, 40, 4))]
    asks += [(at + S, "ok")] if answered else []
    lines += [
        Ask(v=2, w="recorder", n=10_000 + n, t=t + S // 9, name="a", rung="canary", id=f"canary-{n}", asked_at=t,
            ended_at=t + S // 10, status=200 if said == "ok" else 500, outcome=said,
            first_at=t + S // 20 if said == "ok" else 0, detail="" if said == "ok" else "generate() failed")
        for n, (t, said) in enumerate(sorted(asks))
    ]  # fmt: skip
    return list(fold.fold(sorted(lines, key=lambda line: line.t)))


@pytest.mark.parametrize("status", [9, 1, 1 << 8, 11])
def test_a_runner_after_whom_no_token_comes_is_told_as_its_end_once(status):
    for seed in range(10):
        (stop,) = without_engine(seed, status)
        assert (stop.family, stop.signal, stop.code) == ("STOPPED", status & 0x7F or None, status >> 8 or None)
        assert any(text.startswith(f"child of {stop.pid - 1}, which lives, /health ") for text in stop.evidence)
        assert stop.alive_at <= stop.dead_at
        assert stop.cause.startswith("UNKNOWN")
        assert stop.rung == "the process of its runner"


@pytest.mark.parametrize("status", [0, 15, None])
def test_a_runner_that_ended_in_order_or_nobody_knows_how_is_evidence_of_a_wedge_alone(status):
    for seed in range(10):
        (stop,) = without_engine(seed, status)
        assert stop.family == "WEDGED"


def test_a_runner_after_whom_a_token_came_is_not_the_engine_that_a_wedge_lacks():
    for seed in range(10):
        (stop,) = without_engine(seed, 9, answered=True)
        assert stop.family == "WEDGED"
