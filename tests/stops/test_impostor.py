"""IMPOSTOR on simulated runs: another program owns the port; and restarts and relatives that are none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.records import Event, Probe, Stop
from seatrial.stops import fold
from tests.stops.simulation import World
from tests.stops.simulation_family import SERVER, Tree

SEEDS = range(60)


def one(world: World) -> Stop:
    found = fold.fold(world.seal())
    assert len(found) == 1, [(s.family, s.kind, s.evidence) for s in found]
    return found[0]


@pytest.mark.parametrize("status", [9, 11, 0, 3 << 8])
def test_another_program_at_the_port_of_a_dead_one_is_one_finding_with_its_exit_status(status):
    for seed in SEEDS:
        world = Tree(seed).run_for(8 + seed / 60).die(status)
        world.squat(world.random.choice([90, 900, 9_000, 90_000]))
        stop = one(world.run_for(8))
        old, new = world.lives
        assert stop.family == "IMPOSTOR"
        assert (stop.signal, stop.code) == ((status, None) if 0 < status < 128 else (None, status >> 8))
        assert (stop.incarnation, stop.successor) == (old.incarnation, new.incarnation)
        assert stop.alive_at <= old.dead_at <= stop.dead_at <= old.dead_at + 10_000_000
        assert stop.until is None
        assert stop.rung == "the LISTEN socket: another program owns it"
        assert any("owned by python -m http.server" in text and "declared was llama-server" in text
                   for text in stop.evidence)  # fmt: skip


def test_another_program_beside_a_living_one_is_an_impostor_too():
    for seed in SEEDS:
        world = Tree(seed).run_for(8).squat(0, lives=True)
        stop = one(world.run_for(8))
        assert (stop.family, stop.signal, stop.kind) == ("IMPOSTOR", None, "")
        assert stop.incarnation == world.lives[0].incarnation
        assert stop.alive_at <= stop.dead_at
        assert "the declared one lives" in stop.evidence


def test_an_answer_from_a_new_socket_whose_owner_is_not_known_yet_is_no_life_of_the_declared_one():
    for seed in range(20):
        world = Tree(seed).run_for(8)
        stranger = world.squat(0, lives=True).life.pid
        lines, early = [], None
        for line in world.run_for(8).seal():
            if isinstance(line, Probe) and line.owner is not None:
                inode = 7 if line.owner == world.lives[0].pid else 8
                line = replace(line, inode=inode)  # noqa: PLW2901 - the same line, with what the simulation leaves out
            if isinstance(line, Event) and line.pid == stranger and early is None:
                early = Probe(name="a", listens=True, inode=8, health=200, w="recorder", n=1, t=line.t - 1)
                lines.append(early)
            lines.append(line)
        (stop,) = fold.fold(lines)
        assert stop.family == "IMPOSTOR"
        assert early is not None
        assert stop.alive_at < early.t


def test_the_end_of_the_declared_one_later_is_told_with_the_impostor():
    for seed in SEEDS:
        stop = one(Tree(seed).run_for(8).squat(0, lives=True).run_for(20).end_old(11).run_for(5))
        assert (stop.family, stop.signal) == ("IMPOSTOR", 11)


def test_a_deaf_server_whose_port_is_taken_is_one_finding():
    for seed in SEEDS:
        world = Tree(seed).run_for(8)
        world.deaf = True
        stop = one(world.run_for(6).squat(0, lives=True).run_for(8))
        assert stop.family == "IMPOSTOR"
        assert any(text.startswith("DEAF for") for text in stop.evidence)


def test_the_declared_program_comes_back_and_the_impostor_is_over():
    for seed in SEEDS:
        world = Tree(seed).run_for(8).die(9).squat(400).run_for(8)
        world.die(15).replace(300)
        stop = one(world.run_for(8))
        assert stop.family == "IMPOSTOR"
        assert stop.until is not None
        assert abs(stop.until - world.life.born_at) < 20_000_000


@pytest.mark.parametrize(("exe", "arguments"), [
    (SERVER, "llama-server -m x.gguf"),
    ("/opt/llama-b4000/llama-server", "llama-server -m x.gguf"),
    (f"{SERVER} (deleted)", "llama-server -m x.gguf"),
    (SERVER, "llama-server -m y.gguf -c 4096"),
])  # fmt: skip
def test_the_same_program_is_a_restart_wherever_it_lies(exe, arguments):
    for seed in SEEDS:
        stop = one(Tree(seed).run_for(8).die(9).squat(300, exe=exe, arguments=arguments).run_for(8))
        assert stop.family == "RESTARTED"
        moved = [text for text in stop.evidence if text.startswith("the path of its program changed")]
        assert bool(moved) == ("b4000" in exe)
        assert ("its successor was started with other arguments" in stop.evidence) == ("y.gguf" in arguments)
        other = "its successor's arguments name another model: x.gguf -> y.gguf"
        assert (other in stop.evidence) == ("y.gguf" in arguments)


def test_a_relative_is_no_impostor():
    for seed in range(20):
        world = Tree(seed).run_for(8)
        assert fold.fold(world.squat(0, lives=True, parent=world.life.pid).run_for(8).seal()) == ()
        world = Tree(seed, parent="9999").run_for(8)
        above = replace(world.lines()[0], facts={"exe": "/bin/sh", "parent": "4130"})
        lines = [above, *world.squat(0, lives=True).run_for(8).seal()[1:]]
        assert fold.fold(lines) == ()


def test_a_planned_change_of_programs_is_nothing():
    for seed in range(20):
        assert fold.fold(Tree(seed).run_for(8).announce().run_for(0.01).die(15).squat(500).run_for(8).seal()) == ()


def test_a_program_that_cannot_be_told_is_a_restart():
    for seed in range(20):
        lines = Tree(seed).run_for(8).die(9).squat(300).run_for(8).seal()
        blind = [replace(x, facts={}) if isinstance(x, Event) and x.what == "found" else x for x in lines]
        assert [s.family for s in fold.fold(blind)] == ["RESTARTED"]
