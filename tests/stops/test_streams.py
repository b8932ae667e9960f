"""STREAM STALL, TRUNCATED, EMPTY and FAILED IN-BAND: from rows of clients and from the canary, and what is none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.records import Ask, Line, LoadRow, Meter, Stop
from seatrial.stops import fold
from tests.stops.simulation import MS, S, Stream
from tests.stops.simulation_work import Engine, Rig

SEEDS = range(20)
FAULTS = {
    "truncated": ("TRUNCATED", "cut"),
    "no_terminator": ("TRUNCATED", "no terminator"),
    "empty": ("EMPTY", ""),
    "sse_error": ("FAILED IN-BAND", ""),
}


def one(world: Engine) -> Stop:
    found = fold.fold(world.seal())
    assert len(found) == 1, [(s.family, s.kind, s.evidence) for s in found]
    return found[0]


def running(world: Engine) -> Stream:
    """A stream under way that has had tokens."""
    while not any(s.tokens for s in world._running()):
        world.run_for(0.2)
    return max(world._running(), key=lambda s: len(s.tokens))


def silent_row(world: Engine, silence: float, outcome: str, **more: object) -> LoadRow:
    """The row of a stream that gave 20 tokens and then none for some seconds; the server works on others."""
    began = world.now
    world.run_for(silence + 3)
    row = LoadRow(
        id="load1-9000", endpoint="a", outcome=outcome, intended_at=began, sent_at=began, first_at=began + S,
        last_at=began + 3 * S, ended_at=began + 3 * S + int(silence * S), deltas=20, v=1, w="load1", n=9000,
        t=world.now + MS,
    )  # fmt: skip
    return replace(row, **more)


@pytest.mark.parametrize("outcome", FAULTS)
def test_each_fault_of_a_stream_has_its_family(outcome):
    family, kind = FAULTS[outcome]
    for seed in SEEDS:
        world = Engine(seed).run_for(15)
        stream = running(world)
        world.end_with(stream, outcome, detail="what it said")
        broke = world.now
        stop = one(world.run_for(12))
        assert (stop.family, stop.kind, stop.streams, stop.suspects) == (family, kind, 1, (stream.id,))
        assert (stop.dead_at, stop.alive_at, stop.until) == (broke, max(t for t in stream.tokens if t <= broke), None)
        assert stop.evidence[0].startswith(stream.id)
        assert "what it said" in stop.evidence[0]
        assert stop.cause.startswith("UNKNOWN")
        assert not stop.silent


def test_many_streams_of_a_family_are_one_stop():
    world = Engine(3).run_for(15)
    broke = []
    for _ in range(30):
        world.end_with(running(world), "truncated")
        broke.append(world.now)
        world.run_for(0.5)
    stop = one(world.run_for(12))
    assert (stop.streams, len(stop.suspects)) == (30, 20)
    assert stop.dead_at == broke[0]  # its time is the first's; of the last it tells how much later that was
    later = (broke[-1] - broke[0]) / S
    assert f"30 streams so far (30 cut), the last {later:.0f} s after the first" in stop.evidence


def test_what_a_stop_broke_belongs_to_the_stop():
    for seed in SEEDS:
        world = Engine(seed).run_for(15)
        for stream in list(world._running()):
            world.end_with(stream, "truncated")
        world.silent = True
        stop = one(world.die(9).run_for(12))
        assert (stop.family, stop.signal) == ("STOPPED", 9)


def test_what_a_planned_stop_broke_is_nothing():
    for seed in SEEDS:
        world = Engine(seed).run_for(15).announce().run_for(0.2)
        for stream in list(world._running()):
            world.end_with(stream, "truncated")
        world.silent = True
        assert fold.fold(world.die(15).run_for(12).seal()) == ()


def test_streams_that_stall_in_a_wedge_belong_to_it():
    for seed in SEEDS:
        world = Engine(seed, Rig(scheduler=False)).run_for(15)
        world.mode = "wedged"
        assert one(world.run_for(80)).family == "WEDGED"


def test_a_stall_while_the_server_works_on_nothing_else_tells_whose_it_was():
    """The server's counters: moving or through with it, it is the network or a gateway; standing, the engine."""
    for seed in SEEDS:
        for moves, running_now, cause in (
            (True, 1, "network or gateway"), (False, 0, "network or gateway"), (False, 1, "engine"),
            (True, 3, "UNKNOWN"),
        ):  # fmt: skip
            world = Engine(seed, Rig(canary=False, clients=0)).run_for(15)
            row = silent_row(world, 31, "stall")
            lines = [_counted(x, row, moves=moves, running=running_now) for x in world.seal()]
            found = fold.fold(sorted([*lines, row], key=lambda line: line.t))
            assert [(s.family, s.cause.startswith(cause)) for s in found] == [("STREAM STALL", True)], (cause, found)
            assert (found[0].dead_at, found[0].until) == (row.last_at, None)
            assert bool(found[0].hypotheses) == (cause == "UNKNOWN")


def _counted(line: Line, row: LoadRow, *, moves: bool, running: int) -> Line:
    if not isinstance(line, Meter) or not row.last_at < line.t < row.ended_at:
        return line
    return replace(line, running=running, progress=line.t if moves else 5)


def test_a_stream_that_stalled_and_went_on_is_a_stall_that_is_over():
    for seed in SEEDS:
        world = Engine(seed).run_for(15)
        began = world.now
        row = silent_row(world, 40, "ok", gap_from=began + 2 * S, gap_to=began + 36 * S, last_at=began + 40 * S,
                         finish_reason="stop")  # fmt: skip
        world.out.append(row)
        stop = one(world.run_for(6))
        assert (stop.family, stop.dead_at, stop.until) == ("STREAM STALL", began + 2 * S, began + 36 * S)


def test_streams_that_wait_for_the_prefill_of_another_are_in_order():
    for seed in SEEDS:
        world = Engine(seed, Rig(canary=False)).run_for(15)
        world._give_up = lambda: None  # type: ignore[method-assign]  # clients that are patient
        world.mode = "prefill"
        world.run_for(40).mode = "serve"
        assert fold.fold(world.run_for(10).seal()) == ()


def test_a_request_that_never_had_a_token_is_no_stall():
    for seed in SEEDS:
        world = Engine(seed).run_for(15)
        world.out.append(silent_row(world, 31, "stall", first_at=0, last_at=0, deltas=0))
        assert fold.fold(world.run_for(8).seal()) == ()


def test_done_without_a_finish_reason_is_a_fault_only_where_others_have_one():
    for seed in SEEDS:
        world = Engine(seed).run_for(25)
        world.end_with(running(world), "ok")
        stop = one(world.run_for(12))
        assert (stop.family, stop.kind, stop.streams) == ("TRUNCATED", "protocol", 1)
        never = [replace(x, finish_reason="") if isinstance(x, LoadRow) else x for x in world.seal()]
        assert fold.fold(never) == ()


def test_cancelled_refused_and_busy_are_no_faults_of_a_stream():
    for outcome in ("cancelled", "refused", "busy", "http_4xx", "http_5xx", "reset"):
        world = Engine(2).run_for(15)
        world.end_with(running(world), outcome)
        assert fold.fold(world.run_for(12).seal()) == ()


# the canary


def asked(world: Engine, outcome: str, **fields: object) -> None:
    """A canary that was over at this moment."""
    base = Ask(name="a", rung="canary", id=f"canary-{9000 + len(world.out)}", asked_at=world.now - S)
    world._put(world.now, replace(base, ended_at=world.now, status=200, outcome=outcome, **fields))


@pytest.mark.parametrize("outcome", FAULTS)
def test_the_canary_sees_each_fault(outcome):
    family, kind = FAULTS[outcome]
    for seed in SEEDS:
        world = Engine(seed, Rig(clients=0)).run_for(25)
        asked(world, outcome)
        stop = one(world.run_for(15))
        assert (stop.family, stop.kind, stop.streams) == (family, kind, 1)


@pytest.mark.parametrize("outcome", ["empty", "no_terminator"])
def test_a_canary_that_never_got_more_says_nothing(outcome):
    """A base model that ends at once, or a server that never ends its streams, is as it was set up."""
    world = Engine(2, Rig(clients=0, canary=False)).run_for(5)
    for _ in range(6):
        asked(world, outcome)
        world.run_for(10)
    assert fold.fold(world.seal()) == ()


def test_a_stall_hidden_by_keep_alive_comments_is_told_while_it_lasts():
    for seed in SEEDS:
        world = Engine(seed, Rig(clients=0, canary=False)).run_for(15)
        began = world.now
        ask = Ask(name="a", rung="canary", id="canary-7", asked_at=began, status=200, first_at=began + 300 * MS,
                  last_at=began + 300 * MS, deltas=1)  # fmt: skip
        state, told = fold.start(), []
        for second in range(1, 60):
            world.run_for(1)
            world._put(world.now, replace(ask, comments=second // 5))
        for line in world.lines():
            state, given = fold.step(state, line)
            told += given
        stop = one(world)
        assert (stop.family, stop.kind, stop.streams) == ("STREAM STALL", "pings", 1)
        assert "hidden by 6 keep-alive comments" in stop.evidence[0]
        assert [s.id for s in told[:1]] == [stop.id]


def test_a_family_is_handed_out_once_and_again_when_it_has_grown():
    world = Engine(3).run_for(15)
    for _ in range(100):
        world.end_with(running(world), "truncated")
        world.run_for(1)
    state, told = fold.start(), []
    for line in world.run_for(12).seal():
        state, given = fold.step(state, line)
        told += given
    assert {stop.id for stop in told} == {"a-truncated"}
    assert len(told) in (2, 3)
    assert [stop.streams for stop in told] == sorted(stop.streams for stop in told)
