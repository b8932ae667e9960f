"""What looks like a WEDGED and is none: each on simulated runs, at random phase."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.records import Event, Line, LoadRow, Probe, Sample
from seatrial.stops import fold
from tests.stops.simulation import S
from tests.stops.simulation_work import Engine, Mode, Rig, lasting

SEEDS = range(25)
ALONE = Rig(clients=0)
TWINS: dict[str, tuple[Mode, float, Rig]] = {
    "a prefill of 40 s": ("prefill", 40, ALONE),
    "a prefill of 40 s on a GPU": ("prefill", 40, Rig(clients=0, gpu=True)),
    "a prefill of 100 s, the scheduler not asked": ("prefill", 100, Rig(clients=0, scheduler=False)),
    "a prefill of 60 s, from afar": ("prefill", 60, Rig(clients=0, process=False)),
    "a prefill whose progress alone shows": ("quiet prefill", 90, ALONE),
    "a queue": ("queue", 140, ALONE),
    "a queue, the scheduler not asked": ("queue", 140, Rig(clients=0, scheduler=False)),
    "a sleeper": ("asleep", 100, Rig(clients=0, canary=False)),
    "a model being loaded": ("loading", 100, ALONE),
    "a model being loaded, the scheduler not asked": ("loading", 100, Rig(clients=0, scheduler=False)),
    "a hiccup": ("wedged", 6, Rig()),
    "a longer hiccup, the scheduler not asked": ("wedged", 25, Rig(scheduler=False)),
    "a long hiccup from afar": ("wedged", 25, Rig(scheduler=False, process=False)),
    "a proxy, while another's prefill holds the engine elsewhere": (
        "wedged",
        100,
        Rig(clients=0, scheduler=False, elsewhere=True),
    ),
    "long streams": ("serve", 150, Rig()),
    "long streams from afar": ("serve", 150, Rig(scheduler=False, process=False, canary=False)),
}


@pytest.mark.parametrize("twin", TWINS)
def test_a_twin_is_no_stop(twin):
    mode, seconds, rig = TWINS[twin]
    for seed in SEEDS:
        found = fold.fold(lasting(seed, mode, seconds, rig).seal())
        assert found == (), (seed, found[0].evidence)


def test_a_client_that_does_not_read_is_no_stop():
    """The server idles because its answers are not taken: its scheduler answers, and no slot works."""
    for seed in SEEDS:
        for canary in (True, False):
            world = Engine(seed, Rig(clients=2, canary=canary)).run_for(15)
            world.reads = False
            world.silent = True
            assert fold.fold(world.run_for(150).seal()) == ()


def test_one_stream_that_lasts_for_minutes_is_no_stop():
    """A client tells of its tokens only at the end; through a gateway its process idles the while."""
    for seed in SEEDS:
        for process in (True, False):
            rig = Rig(clients=1, canary=False, scheduler=False, process=process)
            world = Engine(seed, rig)
            world.random.random = lambda: 0.99  # type: ignore[method-assign]  # no stream ends
            world.run_for(200)
            for stream in world._running():
                world._end(stream, world.now, clean=True)
            world.silent = True
            lines = [_idle(x) for x in world.run_for(5).seal()]
            assert fold.fold(lines) == ()


def _idle(line: Line) -> Line:
    return replace(line, cpu_ns=line.t // 500) if isinstance(line, Sample) else line


def test_a_sleeper_that_a_client_wakes_is_no_stop():
    """It sleeps without work, and then loads its model for long while the client waits."""
    for seed in SEEDS:
        world = Engine(seed, Rig(clients=2, canary=False)).run_for(15)
        world.silent = True
        world.run_for(12)
        for stream in world._running():
            world._end(stream, world.now, clean=True)
        world.mode = "asleep"
        world.run_for(50).silent = False
        world.run_for(2).mode = "loading"
        world.run_for(28).mode = "serve"
        assert fold.fold(world.run_for(10).seal()) == ()


def test_an_answer_cut_by_max_tokens_is_in_order():
    for seed in SEEDS:
        world = Engine(seed).run_for(40)
        lines = [replace(x, finish_reason="length") if isinstance(x, LoadRow) else x for x in world.seal()]
        assert fold.fold(lines) == ()


def test_a_server_that_loads_its_model_at_the_start_is_not_wedged():
    for seed in SEEDS:
        world = Engine(seed, Rig(scheduler=False))
        world.mode = "wedged"
        world.run_for(100)
        lines = [replace(x, health=503) if isinstance(x, Probe) and x.t < world.now - S else x for x in world.seal()]
        assert fold.fold(lines) == ()


def test_a_planned_stop_of_a_silent_server_is_no_stop():
    for seed in SEEDS:
        world = Engine(seed, ALONE).run_for(15).announce()
        world.mode = "wedged"
        world.run_for(25).die(15)
        assert fold.fold(world.seal()) == ()


def test_what_was_not_observed_is_not_held_against_it():
    """The recorder stood still for half a minute: the silence of that time is ours."""
    for seed in SEEDS:
        world = Engine(seed, ALONE).run_for(15)
        world.paused = True
        world.mode = "wedged"
        world.run_for(40)
        world.mode, world.paused = "serve", False
        assert [s.family for s in fold.fold(world.run_for(6).seal())] == ["UNOBSERVED"]


def test_a_proxy_that_idles_says_nothing_of_what_stands_behind_it():
    for seed in SEEDS:
        lines = [
            replace(x, facts={"exe": "/usr/bin/docker-proxy"}) if isinstance(x, Event) and x.what == "found" else x
            for x in lasting(seed, "wedged", 60, Rig(scheduler=False)).seal()
        ]
        assert "WEDGED" not in {s.family for s in fold.fold(lines)}
