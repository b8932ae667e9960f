"""Servers of which no process can be seen: another user's, one on another host, one behind a forwarder."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from seatrial.records import Ask, Event, Line, LoadRow, Probe, Sample, Sent, Stop
from seatrial.verdict import stops
from tests.verdict.simulation import S, World

SEEDS = range(20)
Change = Callable[[Probe], Probe]


def seen(world: World, change: Change, *, process: bool = False) -> list[Line]:
    """The record with other probes; without ``process`` and without requests, but for the canary."""
    gone: tuple[type[Line], ...] = (Sent, LoadRow) if process else (Sent, LoadRow, Sample, Event)
    return [change(x) if isinstance(x, Probe) else x for x in world.lines() if not isinstance(x, gone)]


def told(lines: list[Line]) -> list[Stop]:
    return [stop for stop in stops.fold(lines) if stop.family != "UNOBSERVED"]


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
