"""Canaries that are sent and not answered, on simulated runs: what is told, when, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.records import Ask, Clock, Event, Happening, Line, Probe, Stop
from seatrial.stops import fold
from tests.stops.simulation import S
from tests.stops.simulation_work import Engine, Rig

SEEDS = range(5)
ALONE = Rig(clients=0)
ERROR = {"status": 500, "outcome": "http_5xx", "detail": "generate() failed"}
REFUSED = {"status": 400, "outcome": "http_4xx", "detail": "max_tokens must be at least 2"}
BUSY = {"status": 503, "outcome": "busy", "detail": "no available workers"}
LIMITED = {"status": 429, "outcome": "busy", "detail": "slow down"}
CUT = {"outcome": "reset"}


def told(world: Engine) -> tuple[Stop, ...]:
    return fold.fold(world.seal())


def ending(seed: int, *rows: tuple[int, dict[str, Any] | None], rig: Rig = ALONE) -> Engine:
    """So many canaries end so, then as many otherwise; of the last row all that follow do."""

    def ends(number: int) -> dict[str, Any] | None:
        for many, fields in rows:
            if number <= many:
                return fields
            number -= many
        return rows[-1][1]

    world = Engine(seed, rig)
    world.ends = ends
    return world


@pytest.mark.parametrize(
    ("fields", "words"),
    [(ERROR, "HTTP 500 generate() failed"), (CUT, "the connection was closed unanswered"),
     ({"outcome": "truncated", "status": 200}, "the answer was cut"),
     ({"status": 502, "outcome": "http_5xx"}, "HTTP 502"),
     ({"status": 200, "outcome": "sse_error", "detail": "CUDA error"}, "an error inside the stream CUDA error")],
)  # fmt: skip
def test_canaries_that_fail_from_the_first_on_are_told_within_a_minute(fields, words):
    for seed in SEEDS:
        world = ending(seed, (1, fields))
        found = [stop for stop in told(world.run_for(75)) if stop.family == "WEDGED"]
        assert len(found) == 1
        (stop,) = found
        assert stop.seen_at - stop.dead_at <= 61 * S
        assert stop.evidence[0].endswith(f" canaries: {words}")
        assert stop.rung.startswith("tokens: /health is well, and the canary fails")
        assert stop.cause.startswith("UNKNOWN")
        assert stop.until is None


@pytest.mark.parametrize("health", [200, 404, 500, None])
def test_whatever_health_says_meanwhile_canaries_that_fail_are_told(health):
    rungs = {200: "tokens: /health is well", 404: "tokens: /health is well", 500: "tokens: the canary fails, and",
             None: "HTTP answers: /health is silent, and"}  # fmt: skip
    for seed in SEEDS:
        world = ending(seed, (3, None), (1, ERROR)).run_for(31)
        world.health = health
        found = [stop for stop in told(world.run_for(42)) if stop.family == "WEDGED"]
        assert [stop.rung.startswith((rungs[health], "HTTP answers: /health says")) for stop in found] == [True]


@pytest.mark.parametrize("fields", [REFUSED, {"status": 404, "outcome": "http_4xx"}, {"status": 501, "outcome":
                         "http_5xx"}, {"outcome": "empty"}, {"outcome": "not_a_stream"}, {"outcome": "http_other"},
                         {"outcome": "malformed"}, {"outcome": "too_large"}])  # fmt: skip
def test_what_our_question_may_have_brought_about_is_no_stop(fields):
    for seed in SEEDS:
        assert told(ending(seed, (1, fields)).run_for(120)) == ()


def test_a_refusal_where_one_was_answered_is_a_failure():
    for seed in SEEDS:
        (stop,) = told(ending(seed, (2, None), (1, REFUSED)).run_for(70))
        assert (stop.family, stop.evidence[0]) == ("WEDGED", "3 canaries: HTTP 400 max_tokens must be at least 2")


@pytest.mark.parametrize("fields", [BUSY, LIMITED])
def test_who_turns_canaries_away_is_told_after_five_minutes_and_not_before(fields):
    for seed in SEEDS:
        for before in (0, 2):
            world = ending(seed, (before, None), (1, fields))
            assert fold.fold(world.run_for(280 + 10 * before).lines()) == ()
            (stop,) = told(world.run_for(60))
            assert 300 * S <= stop.seen_at - stop.dead_at <= 313 * S
            number, _, rest = stop.evidence[0].partition(" canaries, 0 answered: ")
            assert rest == f'HTTP {fields["status"]} "{fields["detail"]}"'
            assert 29 <= int(number) <= 33


def test_who_is_busy_for_a_while_is_left_alone():
    for seed in SEEDS:
        for many in (1, 12, 28):
            assert told(ending(seed, (2, None), (many, BUSY), (9, None)).run_for(400)) == ()


def test_a_server_may_be_busy_for_as_long_as_it_asked_for_and_may_load_for_ten_minutes():
    for seed in range(4):
        asked = BUSY | {"retry_s": 400.0}
        loads = BUSY | {"detail": "Loading model"}
        for fields, seconds in ((asked, 400), (loads, 600)):
            world = ending(seed, (1, fields))
            assert fold.fold(world.run_for(seconds - 20).lines()) == ()
            assert [stop.family for stop in told(world.run_for(40))] == ["WEDGED"]
        for seconds in (0.1, -5, float("nan"), float("inf")):  # too little, and a record that was tampered with
            short = ending(seed, (1, BUSY | {"retry_s": seconds}))
            assert fold.fold(short.run_for(280).lines()) == ()
            assert len(fold.fold(short.run_for(40).lines())) == (seconds != float("inf"))


def test_while_others_are_served_a_server_is_busy_by_right():
    for seed in range(4):
        assert told(ending(seed, (2, None), (1, LIMITED), rig=Rig(clients=3)).run_for(500)) == ()


def test_five_of_twenty_are_told_and_four_are_not():
    for seed in SEEDS:
        for many, rows in ((4, [(1, ERROR), (4, None)] * 4), (5, [(1, ERROR), (3, None)] * 5)):
            found = told(ending(seed, (4, None), *rows, (30, None)).run_for(330))
            assert len(found) == (many == 5)
            for stop in found:
                assert (stop.family, stop.evidence[0]) == (
                    "WEDGED", "5 of the last 20 canaries failed: HTTP 500 generate() failed")  # fmt: skip
                assert stop.rung == "tokens: too many canaries fail"
                assert stop.until is not None
                assert stop.alive_at < stop.dead_at


def test_every_second_that_fails_is_one_story():
    for seed in SEEDS:
        for rig in (ALONE, Rig(clients=3)):
            found = told(ending(seed, *[(1, None), (1, ERROR)] * 30, rig=rig).run_for(400))
            assert [(stop.family, stop.until) for stop in found] == [("WEDGED", None)]


def test_what_a_stop_has_told_is_not_told_again():
    """Ten fail and are told; the server is mended, and much later fails once."""
    for seed in SEEDS:
        found = told(ending(seed, (3, None), (9, ERROR), (4, None), (1, ERROR), (30, None)).run_for(300))
        assert [stop.family for stop in found] == ["WEDGED"]


def test_canaries_that_failed_within_a_stop_begin_no_other_one():
    """A gateway says 502 by its /health for half a minute, and then all is well: its canaries had failed meanwhile."""
    for seed in SEEDS:
        world = ending(seed, (3, None), (9, ERROR), rig=Rig(clients=0, canary_s=5)).run_for(20)
        world.health = 502
        world.run_for(46)
        world.health = 200
        world.ends = lambda _: None
        found = told(world.run_for(60))
        assert [stop.family for stop in found] == ["WEDGED"]


def test_of_what_happened_in_another_life_nothing_is_counted():
    for seed in SEEDS:
        world = ending(seed, (2, None), (2, ERROR), (4, None), (2, ERROR), (9, None)).run_for(41)
        world.announce().run_for(0.01).die(15).replace(400, generation=1).run_for(100)
        assert told(world) == ()


def test_an_older_record_and_a_strange_one_are_judged():
    """No field is there, or each is strange."""
    strange = Ask(name="a", rung="canary", id="", asked_at=-5, ended_at=1, outcome="\x1b[31m", detail="x" * 9999)
    for seed in SEEDS:
        world = ending(seed, (1, ERROR)).run_for(30)
        world.out += [replace(strange, v=1, w="recorder", n=n, t=world.now) for n in range(30)]
        told(world.run_for(40))


def test_health_that_never_was_well_is_told_after_ten_minutes():
    for seed in range(4):
        world = Engine(seed, Rig(clients=0, canary=False))
        world.mode, world.health = "loading", 503
        assert fold.fold(world.run_for(590).lines()) == ()
        (stop,) = told(world.run_for(20))
        assert (stop.family, stop.rung) == ("WEDGED", "HTTP answers: /health says that it is not well")


def test_a_server_that_loads_for_minutes_is_left_alone():
    for seed in range(4):
        world = Engine(seed, Rig(clients=0, canary=False))
        world.mode, world.health = "loading", 503
        world.run_for(400)
        world.mode, world.health = "serve", 200
        assert told(world.run_for(60)) == ()


def test_canaries_that_all_fail_while_clients_are_served_are_one_story():
    """A client's token ends no stop that canaries alone show."""
    for seed in SEEDS:
        found = [stop for stop in told(ending(seed, (1, ERROR), rig=Rig(clients=3)).run_for(600)) if stop.silent]
        assert [(stop.family, stop.until) for stop in found] == [("WEDGED", None)]
        assert found[0].rung.startswith("tokens: too many canaries fail")


def written(*asks: Ask) -> tuple[Stop, ...]:
    """What is told of a server that is well, and of these canaries."""
    lines: list[Line] = [Event(what=Happening.FOUND, name="a", t=S, at=S, pid=7, incarnation="i-7", w="recorder")]
    for t in range(S, asks[-1].t + 5 * S, S):
        lines.append(Clock(w="recorder", wall_ns=t, boot_ns=t, raw_ns=t, t=t + 1))
        lines.append(Probe(name="a", listens=True, owner=7, health=200, t=t + 2, w="recorder"))
    return fold.fold(sorted([*lines, *asks], key=lambda line: line.t))


def once(n: int, at: int, **fields: Any) -> Ask:
    end = at * S + S // 2
    return Ask(name="a", rung="canary", id=f"canary-{n}", asked_at=at * S, ended_at=end, t=end, w="recorder", **fields)


def not_sent(n: int, at: int) -> Ask:
    return Ask(name="a", rung="canary", id=f"canary-{n}", asked_at=at * S, t=at * S, w="recorder",
               skipped="others are connected")  # fmt: skip


@pytest.mark.parametrize("fields", [LIMITED, ERROR])
def test_what_was_asked_long_ago_is_no_row_with_what_is_asked_now(fields):
    """Canaries were due meanwhile and were not sent, so that nobody knows how the server was."""
    right = once(1, 10, outcome="ok", status=200, first_at=10 * S + S // 3)
    held = [not_sent(100 + n, 30 + 10 * n) for n in range(70)]
    rare = [once(n, at, **fields) for n, at in ((2, 20), (3, 380), (4, 720))]
    assert written(*sorted((right, *rare, *held), key=lambda ask: ask.t)) == ()


@pytest.mark.parametrize(("fields", "rung"), [(LIMITED, "turned away"), (ERROR, "the canary fails")])
def test_a_row_goes_on_over_single_canaries_that_were_not_sent(fields, rung):
    right = once(1, 10, outcome="ok", status=200, first_at=10 * S + S // 3)
    asks = [once(n, 20 * n, **fields) for n in range(2, 24)]
    held = [not_sent(100 + n, 20 * n + 10) for n in range(2, 24)]
    (stop,) = written(*sorted((right, *asks, *held), key=lambda ask: ask.t))
    assert stop.family == "WEDGED"
    assert rung in stop.rung
