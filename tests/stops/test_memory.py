"""Memory before a death: told where it grew, of whom, and never as a cause."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from seatrial.records import Line, Sample, Stop
from seatrial.stops import fold
from seatrial.stops.state.memory import POINTS_KEPT, USERS_KEPT, used
from seatrial.stops.state.server import Memory
from tests.stops.simulation import S, World

MIB = 1 << 20


def lines(world: World, use, *, of: int = 0) -> list[Line]:
    """The record with how much memory a process used, by seconds before its death; of a child where a pid is given."""
    dead = world.lives[0].dead_at or world.now
    found: list[Line] = []
    for line in world.seal():
        found.append(line)
        if isinstance(line, Sample) and line.pid == world.lives[0].pid:
            size = use((dead - line.t) / S)
            if of:
                found.append(replace(line, pid=of, incarnation=f"i-{of}", parent=line.pid, memory=size, t=line.t + 1))
            else:
                found[-1] = replace(line, memory=size)
    return found


def stepped(seconds_left: float) -> int:
    return (94 if seconds_left > 13 else 94 + 150 * (14 - max(1, round(seconds_left)))) * MIB


def one(world: World, use, **more) -> Stop:
    (stop,) = fold.fold(lines(world, use, **more))
    return stop


@pytest.mark.parametrize("status", [9, 15])
def test_memory_that_grew_is_told_and_who_may_have_killed_for_it(status):
    for seed in range(20):
        stop = one(World(seed).run_for(40).die(status).run_for(6), stepped)
        told = [text for text in stop.evidence if "memory grew from 94 to" in text]
        assert len(told) == 1, stop.evidence
        assert 11 <= int(told[0].partition(" in ")[2].split(" ")[0]) <= 15
        assert any("systemd-oomd, earlyoom" in text for text in stop.hypotheses)
        assert stop.cause.startswith("UNKNOWN")


def test_memory_of_a_child_is_told_as_that():
    stop = one(World(1).run_for(40).die(9).run_for(6), stepped, of=5001)
    assert any(text.startswith("the memory of its process 5001 grew from 94 to") for text in stop.evidence)


def test_a_kill_that_the_kernel_counted_needs_no_other_killer():
    stop = one(World(2).run_for(40).die(9, oom=True).run_for(6), stepped)
    assert any("memory grew" in text for text in stop.evidence)
    assert not any("earlyoom" in text for text in stop.hypotheses)


@pytest.mark.parametrize(("what", "use"), [
    ("freed again", lambda left: (94 if left < 5 else 2000) * MIB),
    ("never grew", lambda left: 2000 * MIB),
    ("a model was loaded long ago", lambda left: (94 if left > 130 else 2000) * MIB),
    ("a little", lambda left: int(94 + max(0.0, 13 - left)) * MIB),
    ("not read", lambda left: None),
])  # fmt: skip
def test_memory_that_did_not_grow_before_the_end_is_not_told(what, use):
    stop = one(World(3).run_for(150).die(9).run_for(6), use)
    assert not any("memory" in text for text in (*stop.evidence, *stop.hypotheses) if "oom_kill" not in text), what


def test_memory_that_grows_and_is_freed_is_no_stop():
    assert fold.fold(lines(World(4).run_for(60), lambda left: int(94 + 2000 * (left % 20) / 20) * MIB)) == ()


def test_what_is_kept_is_bounded():
    memory = Memory()
    for n, pid in itertools.product(range(100), range(2 * USERS_KEPT)):
        line = Sample(name="a", pid=pid, incarnation=f"i-{pid}", memory=(n % 7) * 100 * MIB, t=n * S)
        memory = used(memory, line)
    assert len(memory.used) == len(memory.pids) == USERS_KEPT
    assert max(map(len, memory.used.values())) <= POINTS_KEPT
