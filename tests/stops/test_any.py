"""The fold on records that lie, lack lines or come in any order: it never raises, and its intervals stay intervals."""

from __future__ import annotations

import random
import time

from msgspec.structs import replace

from seatrial.records import Event, Line, LoadRow, Probe, Received, Sample, Sent
from seatrial.stops import fold
from tests.stops.simulation import MS, S, World


def troubled(seed: int) -> World:
    """A run in which everything happens, in an order of its own."""
    world = World(seed).run_for(4)
    deeds = [
        lambda w: w.die(w.random.choice([9, 11, 3 << 8])).replace(w.random.choice([100, 900, 9000])),
        lambda w: w.announce().run_for(0.01).die(15).replace(500, generation=w.life.generation + 1),
        lambda w: w.freeze().run_for(w.random.uniform(0.5, 9)).thaw(),
        lambda w: (setattr(w, "deaf", True), w.run_for(5), setattr(w, "deaf", False)),
        lambda w: (setattr(w, "paused", True), w.run_for(6), setattr(w, "paused", False)),
    ]
    for _ in range(4):
        world.random.choice(deeds)(world)
        world.run_for(world.random.uniform(1, 6))
    return world


def spoiled(lines: tuple[Line, ...], rng: random.Random) -> list[Line]:
    """Some lines gone, some twice and late, some with fields that make no sense; in order of time, as they are read."""
    out: list[Line] = []
    for line in lines:
        if rng.random() < 0.1:
            continue
        out.append(_odd(line, rng) if rng.random() < 0.05 else line)
        if rng.random() < 0.05:
            out.append(replace(line, t=line.t + rng.randrange(5 * S)))
    return sorted(out, key=lambda line: line.t)


def _odd(line: Line, rng: random.Random) -> Line:
    if isinstance(line, Sample):
        return replace(line, state=None, cpu_ns=None, switches=None, pid=rng.choice([0, -1, line.pid]))
    if isinstance(line, Event):
        facts = {"oom_host": "many", "alive_at": "9" * 30, "oom_cgroup": "\u00b2"}
        status = rng.choice([None, -1, 2**40])
        return replace(line, at=rng.choice([0, line.at * 2, 1]), pid=rng.choice([0, 7]), status=status, facts=facts)
    if isinstance(line, Probe):
        return replace(line, listens=None, health=rng.choice([None, 0, 999]), oom_host=-5)
    if isinstance(line, LoadRow):
        return replace(line, first_at=0, last_at=2**60, gap_from=-1, id="")
    return replace(line, t=rng.randrange(2**62))


def test_no_record_makes_it_raise_and_every_interval_is_one():
    for seed in range(150):
        lines = troubled(seed).seal()
        assert fold.fold(lines) == fold.fold(lines)
        for found in fold.fold(spoiled(lines, random.Random(seed))):
            assert found.alive_at <= found.dead_at
            assert found.id


def test_what_happened_is_what_is_told():
    """Without spoiling: no stop of a family that did not happen, and never another cause than UNKNOWN."""
    for seed in range(150):
        for found in fold.fold(troubled(seed).seal()):
            assert found.alive_at <= found.dead_at
            assert found.until is None or found.until >= found.dead_at
            assert found.cause.startswith("UNKNOWN") or found.family == "UNOBSERVED"


def test_a_recording_of_the_suites_gives_proofs_of_life_and_suspects():
    """Received lines bear the times of their frames: the last before the end is the last sign of life."""
    world = World(7, clients=0).run_for(5)
    t = world.now
    world.out.append(Sent(endpoint="a", scenario="s", method="POST", path="/", v=1, w="gw0", n=900, t=t - S))
    world.die(9).run_for(0.09)
    frames = ((t - 80 * MS, 10), (t + 2 * MS, 10), (t + 900 * MS, 5))
    world.out.append(
        Received(
            id="gw0-900", endpoint="a", scenario="s", method="POST", path="/", request=(0, 0), response=(0, 0),
            frames=frames, sent_at=t - S, ended_at=world.now, error="reset", v=1, w="gw0", n=901, t=world.now,
        )
    )  # fmt: skip
    (stop,) = fold.fold(world.run_for(5).seal())
    assert stop.alive_at == t + 2 * MS
    assert stop.suspects == ("gw0-900",)
    assert stop.proof == "bytes of the answer to gw0-900"


def test_eight_hours_of_one_server_are_folded_in_seconds():
    world = World(1).run_for(600)
    lines = world.lines()
    began = time.process_time()
    fold.fold(lines)
    took = time.process_time() - began
    assert took * 48 < 20, f"{took:.2f} s for ten minutes with four streams"
    assert len(lines) > 1800
