"""Servers of which no process can be seen: another user's, one on another host, one behind a forwarder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from seatrial.records import Ask, Event, Line, LoadRow, Meter, Probe, Sample, Sent, Stop
from seatrial.stops import fold
from tests.stops.simulation import S, World
from tests.stops.simulation_work import Engine, Rig, lasting

SEEDS = range(8)
Change = Callable[[Probe], Probe]


def seen(world: World, change: Change, *, process: bool = False) -> list[Line]:
    """The record with other probes; without ``process`` and without requests, but for the canary."""
    gone: tuple[type[Line], ...] = (Sent, LoadRow) if process else (Sent, LoadRow, Sample, Event)
    return [change(x) if isinstance(x, Probe) else x for x in world.lines() if not isinstance(x, gone)]


def told(lines: list[Line]) -> list[Stop]:
    return [stop for stop in fold.fold(lines) if stop.family != "UNOBSERVED"]


# another user's


def foreign(world: World, inodes: dict[int, int]) -> Change:
    """The socket is seen and its owner is not. ``inodes``: from when on, by time."""

    def change(probe: Probe) -> Probe:
        inode = [number for since, number in inodes.items() if since <= probe.t][-1]
        return replace(probe, owner=None, inode=inode if probe.listens else None, oom_cgroup=None)

    return change


def test_each_stop_of_another_users_server_is_told_and_is_over_when_it_listens_again():
    for seed in SEEDS:
        world = World(seed).run_for(8)
        inodes, times = {0: 1}, []
        for number in (2, 3):
            world.deaf = True
            times.append(world.now)
            world.run_for(9)
            times.append(world.now)
            inodes[world.now] = number
            world.deaf = False
            world.run_for(12)
        found = told(seen(world, foreign(world, inodes)))
        assert [(s.family, s.kind) for s in found] == [("STOPPED", "unknown")] * 2
        for stop, (begin, end) in zip(found, (times[:2], times[2:]), strict=True):
            assert stop.alive_at <= begin <= stop.dead_at <= begin + 1.1 * S
            assert stop.until is not None
            assert end <= stop.until <= end + 1.1 * S


def test_another_users_server_that_listens_with_another_socket_was_restarted():
    for seed in SEEDS:
        for away in (0, 0.6):
            world = World(seed).run_for(8)
            world.deaf = bool(away)
            begin = world.now
            world.run_for(away).deaf = False
            (stop,) = told(seen(world.run_for(8), foreign(world, {0: 1, world.now - 8 * S: 2})))
            assert (stop.family, stop.kind, stop.until is not None) == ("RESTARTED", "unknown", True)
            assert stop.alive_at <= begin <= stop.dead_at <= begin + 1.7 * S
            assert stop.cause == "UNKNOWN: how it ended is not observable"
            assert stop.rung.startswith("the LISTEN socket")
            assert not any("restart" in text for text in stop.excluded)


def test_another_users_server_can_be_wedged_after_a_stop():
    for seed in SEEDS:
        world = World(seed).run_for(8)
        world.deaf = True
        world.run_for(9).deaf = False
        world.run_for(5)
        asked = Ask(v=1, w="recorder", n=1, t=world.now, name="a", rung="canary", id="canary-1", asked_at=world.now)
        world.run_for(300)
        world.out += [replace(asked, t=asked.t + k * S) for k in range(300)]
        found = told(seen(world, foreign(world, {0: 1})))
        assert [s.family for s in found] == ["STOPPED", "WEDGED"]


def test_another_users_server_that_is_well_is_no_stop():
    for seed in SEEDS:
        world = World(seed).run_for(60)
        assert told(seen(world, foreign(world, {0: 1}))) == []


# another host, or behind what hands connections on


def far(world: World, error: str, begin: int, end: int, *, health: int | None = None) -> list[Line]:
    """Nothing but HTTP is seen, and between two times the question ends so."""

    def change(probe: Probe) -> Probe:
        probe = replace(probe, listens=None, owner=None, oom_host=None, oom_cgroup=None)
        return replace(probe, health=health, error=error) if begin <= probe.t < end else probe

    return seen(world, change)


def forwarded(lines: list[Line], exe: str = "/usr/bin/ssh") -> list[Line]:
    """Its main process is another program."""
    return [
        replace(x, facts={"exe": exe}) if isinstance(x, Event) and x.what == "found" else x
        for x in lines
        if not isinstance(x, Sent | LoadRow)
    ]


CLOSED = {"refused": "the connection", "reset": "HTTP answers", "cut": "HTTP answers", "tls": "TLS",
          "not-http": "HTTP answers"}  # fmt: skip


@pytest.mark.parametrize("error", CLOSED)
def test_a_remote_server_that_answers_nothing_has_stopped(error):
    for seed in SEEDS:
        world = World(seed).run_for(9)
        begin = world.now
        end = world.run_for(15).now
        (stop,) = fold.fold(far(world.run_for(8), error, begin, end))
        assert (stop.family, stop.kind, stop.pid) == ("STOPPED", "unknown", 0)
        assert begin - 1.1 * S <= stop.alive_at <= begin <= stop.dead_at <= begin + 1.1 * S
        assert stop.until is not None
        assert abs(stop.until - end) <= 1.1 * S
        assert stop.rung.startswith(CLOSED[error])
        assert stop.cause.startswith("UNKNOWN")
        assert stop.excluded == ()
        assert all("; would show: " in text for text in stop.hypotheses)


@pytest.mark.parametrize("error", [*CLOSED, "unreachable"])
def test_a_blip_is_no_stop(error):
    for seed in SEEDS:
        world = World(seed).run_for(9)
        begin = world.now
        end = world.run_for(2).now
        assert fold.fold(far(world.run_for(8), error, begin, end)) == ()


def test_a_server_to_which_there_is_no_way_is_unobserved():
    for seed in SEEDS:
        world = World(seed).run_for(9)
        begin = world.now
        end = world.run_for(15).now
        (stop,) = fold.fold(far(world.run_for(8), "unreachable", begin, end))
        assert (stop.family, stop.kind) == ("UNOBSERVED", "")
        assert stop.alive_at <= begin
        assert stop.until is not None
        assert abs(stop.until - end) <= 1.1 * S
        assert "no route" in stop.cause


def test_silence_of_a_server_of_which_nothing_else_is_seen_is_unobserved_after_long():
    world = World(5).run_for(9)
    begin = world.now
    end = world.run_for(60).now
    assert fold.fold(far(world.run_for(200), "deadline", begin, end)) == ()
    (stop,) = fold.fold(far(world, "deadline", begin, begin + 200 * S))
    assert stop.family == "UNOBSERVED"
    asked = begin + 100 * S  # a token comes within the silence, which is counted anew from there
    token = Ask(v=2, w="recorder", n=1, t=asked, name="a", rung="canary", id="canary-1", asked_at=asked - S,
                ended_at=asked, first_at=asked, last_at=asked, outcome="ok")  # fmt: skip
    silent = [*far(world, "deadline", begin, begin + 200 * S), token]
    assert fold.fold(sorted(silent, key=lambda line: line.t)) == ()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_health_that_says_for_long_that_it_is_not_well_is_a_wedge(status):
    for seed in SEEDS:
        world = World(seed).run_for(9)
        begin = world.now
        end = world.run_for(70).now
        (stop,) = fold.fold(far(world.run_for(8), "", begin, end, health=status))
        assert stop.family == "WEDGED"
        assert begin - 1.1 * S <= stop.alive_at <= begin <= stop.dead_at <= begin + 1.1 * S
        assert stop.until is not None
        assert abs(stop.until - end) <= 1.1 * S
        assert f"/health: {status}" in stop.evidence
        assert not any("is well" in text for text in (stop.rung, *stop.evidence))
        assert stop.rung.endswith("not well")


def test_health_that_says_so_shortly_or_from_the_start_is_none():
    for seed in SEEDS:
        world = World(seed).run_for(9)
        begin = world.now
        end = world.run_for(35).now
        assert fold.fold(far(world.run_for(60), "", begin, end, health=503)) == ()
        assert fold.fold(far(world, "", 0, end, health=503)) == ()
        assert fold.fold(far(world, "", 0, world.now + S, health=501)) == ()


def test_a_local_server_whose_health_turns_to_503_for_good_is_wedged_and_one_that_loads_is_not():
    for seed in range(8):
        for mode, families in (("asleep", ["WEDGED"]), ("loading", [])):
            world = lasting(seed, mode, 200, Rig(clients=0, canary=False))
            lines = [
                replace(x, health=503) if isinstance(x, Probe) and world.began < x.t < world.ended else x
                for x in world.seal()
            ]
            lines = [x for x in lines if not isinstance(x, Meter)]  # its counters would say that it sleeps
            found = fold.fold(lines)
            assert [s.family for s in found] == families
            assert all("/health: 503" in s.evidence for s in found)


def test_loading_is_an_excuse_for_ten_minutes():
    """A client waits all the while, and its process idles."""
    for seconds, families in ((400, []), (800, ["WEDGED"])):
        world = Engine(3, Rig(scheduler=False, clients=1))
        world.mode = "wedged"
        world.run_for(seconds)
        lines = [replace(x, health=503) if isinstance(x, Probe) else x for x in world.seal()]
        found = [s for s in fold.fold(lines) if s.family != "STREAM STALL"]
        assert [s.family for s in found] == families
        assert all("/health: 503" in s.evidence for s in found)


@pytest.mark.parametrize("error", ["reset", "cut", "not-http"])
def test_what_stands_behind_a_forwarder_has_stopped(error):
    for seed in SEEDS:
        world = World(seed).run_for(9)
        begin = world.now
        end = world.run_for(15).now
        lines = [
            replace(x, health=None, error=error) if isinstance(x, Probe) and begin <= x.t < end else x
            for x in forwarded(list(world.run_for(8).lines()))
        ]
        (stop,) = fold.fold(lines)
        assert (stop.family, stop.kind, stop.pid, stop.excluded) == ("STOPPED", "unknown", 0, ())
        assert "ssh (pid 4123) lives, and only hands connections on" in stop.evidence[0]
        assert stop.hypotheses[0].startswith("what stands behind the address ended")
        assert "misconfigured" in stop.hypotheses[1]
        assert stop.until is not None


def test_a_living_server_that_closes_every_connection_is_wedged_where_that_lasts():
    for seconds, families in ((30, []), (70, ["WEDGED"])):
        for seed in SEEDS:
            world = lasting(seed, "asleep", seconds, Rig(clients=0, canary=False, scheduler=False))
            lines = [
                replace(x, health=None, error="cut") if isinstance(x, Probe) and world.began < x.t < world.ended else x
                for x in world.seal()
            ]
            found = fold.fold(lines)
            assert [s.family for s in found] == families
            assert all("connections taken and closed unanswered" in s.evidence[0] and s.until for s in found)


# an address without a LISTEN socket of ours


def routed(world: World, error: str, begin: int, end: int) -> list[Line]:
    """A rule of the firewall leads the port elsewhere: it answers, and nobody is ever seen to listen."""

    def change(probe: Probe) -> Probe:
        probe = replace(probe, listens=False, owner=None, inode=None, oom_cgroup=None)
        return replace(probe, health=None, error=error) if begin <= probe.t < end else probe

    return seen(world, change)


@pytest.mark.parametrize("error", ["refused", "reset", "cut"])
def test_an_address_without_a_socket_of_ours_is_judged_as_from_afar(error):
    for seed in SEEDS:
        world = World(seed).run_for(9)
        begin = world.now
        end = world.run_for(15).now
        (stop,) = fold.fold(routed(world.run_for(8), error, begin, end))
        assert (stop.family, stop.kind, stop.excluded) == ("STOPPED", "unknown", ())
        assert begin - 1.1 * S <= stop.alive_at <= begin <= stop.dead_at <= begin + 1.1 * S
        assert stop.until is not None
        assert abs(stop.until - end) <= 1.1 * S


def test_an_address_without_a_socket_of_ours_that_answers_is_no_stop_and_can_be_wedged():
    for seed in SEEDS:
        world = World(seed).run_for(20)
        asked = Ask(v=1, w="recorder", n=1, t=world.now, name="a", rung="canary", id="canary-1", asked_at=world.now)
        world.run_for(160)
        assert fold.fold(routed(world, "", 0, 0)) == ()
        world.out += [replace(asked, t=asked.t + k * S) for k in range(160)]
        assert [s.family for s in fold.fold(routed(world, "", 0, 0))] == ["WEDGED"]


def inside(world: World, error: str, begin: int, end: int) -> list[Line]:
    """A process was named, and it serves at an address of its container: its socket cannot be seen from here."""

    def change(probe: Probe) -> Probe:
        probe = replace(probe, listens=None, owner=None)
        return replace(probe, health=None, error=error) if begin <= probe.t < end else probe

    return seen(world, change, process=True)


def test_a_named_process_at_an_address_of_a_container_that_refuses_is_deaf():
    for seed in SEEDS:
        world = World(seed).run_for(9)
        begin = world.now
        end = world.run_for(15).now
        (stop,) = fold.fold(inside(world.run_for(8), "refused", begin, end))
        assert (stop.family, stop.pid) == ("DEAF", 4123)
        assert stop.rung == "the connection: refused"
        assert "its LISTEN socket is not observable from here" in stop.evidence[0]
        assert stop.until is not None
        assert abs(stop.until - end) <= 1.1 * S


def test_a_named_process_at_an_address_of_a_container_that_ends_is_one_stop():
    for seed in SEEDS:
        world = World(seed, clients=0).run_for(9)
        world.die(9).run_for(10)
        (stop,) = fold.fold(inside(world, "", 0, 0))
        assert (stop.family, stop.signal) == ("STOPPED", 9)


def test_a_named_process_that_breaks_every_connection_is_wedged_where_that_lasts():
    for seed in SEEDS:
        world = lasting(seed, "asleep", 70, Rig(clients=0, canary=False, scheduler=False))
        (stop,) = fold.fold(inside(world, "reset", world.began, world.ended))
        assert stop.family == "WEDGED"
        assert "connections taken and broken unanswered" in stop.evidence[0]
        assert stop.until is not None
