"""WEDGED on simulated runs: what must be found, how fast, and what is said of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.records import Ask, Event, Line, LoadRow, Meter, Probe, Received, Sample, Stop, Threads
from seatrial.stops import fold
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.work import Flow, Work
from seatrial.stops.work import flow
from tests.stops.simulation import S, World
from tests.stops.simulation_work import Engine, Mode, Rig, lasting

SEEDS = range(25)
SIGHT = {
    "all": (Rig(), 30, 10),
    "without a canary": (Rig(canary=False), 30, 10),
    "without clients": (Rig(clients=0), 45, 10),
    "with a GPU": (Rig(gpu=True), 30, 10),
    "without a scheduler": (Rig(scheduler=False), 70, 45),
    "the canary alone": (Rig(scheduler=False, clients=0, canary_s=5), 80, 45),
    "clients alone": (Rig(scheduler=False, canary=False), 80, 45),
    "a proxy": (Rig(scheduler=False, clients=0, elsewhere=True), 160, 120),
    "from afar": (Rig(process=False, scheduler=False), 160, 120),
    "from afar, clients alone": (Rig(process=False, scheduler=False, canary=False), 160, 120),
}
"""What there is to be seen; how long it lasts; how long the silence must be, by the evidence there is."""


def one(world: Engine, limits: Limits | None = None) -> Stop:
    found = fold.fold(world.seal(), limits)
    assert len(found) == 1, [(s.family, s.kind, s.evidence) for s in found]
    return found[0]


@pytest.mark.parametrize("sight", SIGHT)
def test_an_engine_that_gives_no_token_is_wedged(sight):
    rig, seconds, need = SIGHT[sight]
    for seed in SEEDS:
        world = lasting(seed, "wedged", seconds, rig)
        stop = one(world)
        waits = 10 if rig.clients == 0 else 1  # the canary is the first to meet it
        assert (stop.family, stop.kind, stop.signal) == ("WEDGED", "", None)
        assert stop.alive_at <= world.began + S
        assert world.began - S <= stop.dead_at <= world.began + waits * S
        assert stop.dead_at + need * S <= stop.seen_at <= stop.dead_at + (need + 5) * S
        assert stop.until is not None
        assert world.ended <= stop.until <= world.ended + 6 * S
        assert stop.cause.startswith("UNKNOWN")
        assert all("; would show: " in guess for guess in stop.hypotheses)


def test_the_first_broken_rung_is_named_by_what_was_asked():
    rungs = {
        "the scheduler": lasting(3, "wedged", 30),
        "tokens": lasting(3, "wedged", 70, Rig(scheduler=False)),
        "HTTP answers": lasting(3, "http hangs", 30),
    }
    for rung, world in rungs.items():
        assert one(world).rung.startswith(rung)


def test_a_scheduler_that_answers_leaves_the_engine():
    for seed in SEEDS:
        world = Engine(seed).run_for(15)
        world.mode, world.engine_stands = "prefill", True
        stop = one(world.run_for(70))
        assert stop.rung.startswith("the engine")
        assert stop.until is None


def test_the_evidence_is_what_was_seen():
    stop = one(lasting(4, "wedged", 30, Rig(gpu=True)))
    said = "\n".join(stop.evidence)
    for word in ("/health: 200", "scheduler silent for 1", "requests of clients in flight", "canary: asked", "no token",
                 "of one core over 1", "GPU: not busy"):  # fmt: skip
        assert word in said
    assert any("a long prefill" in text for text in stop.excluded)
    assert 1 <= len(stop.suspects) <= 3
    far = one(lasting(4, "wedged", 160, SIGHT["from afar"][0]))
    assert "CPU: not observable here" in far.evidence
    assert not any("ran on" in text or "prefill" in text for text in far.excluded)


def test_that_a_proxy_idles_excludes_no_prefill():
    for elsewhere in (True, False):
        stop = one(lasting(1, "wedged", 160, Rig(scheduler=False, clients=0, elsewhere=elsewhere)))
        assert any(text.startswith("a long prefill") for text in stop.excluded) is not elsewhere


def test_threads_tell_a_deadlock():
    world = lasting(4, "wedged", 30)
    t = world.began + 9 * S
    threads = tuple((n, "srv", "S", 5, "futex_wait_queue") for n in range(6))
    line = Threads(name="a", pid=4123, incarnation=world.life.incarnation, threads=threads, total=6)
    world.out.append(replace(line, v=1, w="recorder", n=1, t=t))
    stop = one(world)
    assert "all 6 threads sleep" in stop.evidence
    assert any(guess.startswith("a deadlock") and "seen: none runs" in guess for guess in stop.hypotheses)


def test_a_child_that_ended_just_before_may_have_been_the_engine():
    world = lasting(4, "wedged", 30)
    event = Event(what="exit", name="a", at=world.began, pid=77, parent=4123, status=9, v=1, w="recorder", n=1,
                  t=world.began)  # fmt: skip
    world.out.append(event)
    assert "seen: pid 77" in one(world).hypotheses[0]


def test_a_canary_that_fails_again_and_again_under_a_healthy_http_layer_is_a_wedge():
    for seed in SEEDS:
        world = lasting(seed, "cuda error", 45, Rig(clients=0))
        stop = one(world)
        assert stop.family == "WEDGED"
        assert stop.evidence[0] == "3 canaries: HTTP 500 CUDA error"
        assert world.began - S <= stop.dead_at <= world.began + 11 * S
        assert stop.until is not None
        assert world.ended <= stop.until <= world.ended + 12 * S


def test_two_failed_canaries_are_none():
    for seed in SEEDS:
        assert fold.fold(lasting(seed, "cuda error", 15, Rig(clients=0)).seal()) == ()


def test_a_wedge_that_is_killed_is_one_stop():
    for seed in SEEDS:
        world = Engine(seed).run_for(15)
        world.mode = "wedged"
        world.run_for(20).die(9)
        stop = one(world)
        assert (stop.family, stop.signal, stop.until) == ("WEDGED", 9, None)
        assert "its process ended later" in stop.evidence


def test_a_stopped_process_is_frozen_and_not_wedged():
    for seed in SEEDS:
        world = lasting(seed, "wedged", 30)
        lines = [_stopped(x) if world.began < x.t < world.ended else x for x in world.seal()]
        assert [s.family for s in fold.fold(lines)] == ["FROZEN"]


def _stopped(line: Line) -> Line:
    if isinstance(line, Sample):
        return replace(line, state="T", cpu_ns=10**12, switches=10**6)
    return replace(line, health=None, error="deadline") if isinstance(line, Probe) else line


def test_it_is_told_while_it_lasts_and_again_when_it_is_over():
    world = lasting(5, "wedged", 30)
    state = fold.start()
    told = []
    for line in world.seal():
        state, given = fold.step(state, line)
        told += [(line.t, stop) for stop in given]
    (first, begun), (_, over) = told[0], told[-1]
    assert world.began + 10 * S < first < world.began + 16 * S
    assert (begun.family, begun.until, begun.id) == ("WEDGED", None, over.id)
    assert over.until is not None


def test_shorter_limits_find_it_sooner():
    limits = Limits(wedged_silent=2 * S, wedged=4 * S)
    for seed in SEEDS:
        for rig in (Rig(), Rig(scheduler=False)):
            world = lasting(seed, "wedged", 12, rig)
            stop = one(world, limits)
            assert stop.family == "WEDGED"
            assert stop.seen_at <= world.began + 12 * S


@pytest.mark.parametrize("dropped", [Sample, Probe, LoadRow, Meter, Ask, Event])
@pytest.mark.parametrize("mode", ["wedged", "cuda error"])
def test_less_evidence_names_nothing_else(dropped, mode: Mode):
    for seed in range(12):
        lines = [x for x in lasting(seed, mode, 60).seal() if not isinstance(x, dropped)]
        found = fold.fold(lines)
        assert {s.family for s in found} <= {"WEDGED", "STREAM STALL"}  # its clients were left without an answer
        assert all(s.cause.startswith("UNKNOWN") for s in found if s.family == "WEDGED")


def test_the_head_of_an_answer_is_no_token():
    """A gateway that holds every stream sends it at once, and keep-alive comments after it."""
    told = {"w": "c", "n": 1, "endpoint": "a", "method": "POST", "path": "/chat/completions", "request": (0, 0),
            "response": (0, 0), "error": "idle"}  # fmt: skip
    for frames, scenario, progress in (
        (((5, 99),), "chat/plain", 0),
        (((5, 99), (7, 180)), "chat/plain", 7),
        (((5, 99), (7, 14)), "soak/closed", 0),
    ):
        line = Received(v=2, t=10, id="c-1", scenario=scenario, frames=frames, **told)
        assert flow.received(Work(flow=Flow(flying={"c-1": 1})), line).flow.progress_at == progress


def test_a_server_without_any_work_is_not_wedged():
    """No client waits and no canary is sent: whether it would answer nobody knows."""
    for seed in range(10):
        assert fold.fold(World(seed, clients=0).run_for(150).seal()) == ()
