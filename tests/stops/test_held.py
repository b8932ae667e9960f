"""A WEDGED whose engine is a child that a signal holds: neither is that excluded, nor is nothing known of it."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Line, Sample, Stop
from seatrial.stops import fold
from tests.stops.simulation import S
from tests.stops.simulation_work import Engine, Rig, lasting

SIGNAL = "a stop by a signal (its process is in state S)"
CHILD = 31


def with_child(world: Engine, *, held_from: int = 0, until: int = 0) -> list[Line]:
    """The record with a child of the server, which a signal holds between two times."""
    lines = world.seal()
    child = [
        replace(x, pid=CHILD, incarnation="boot-ns-child", parent=x.pid, cpu_ns=7 * S, n=90_000 + at,
                state="T" if held_from <= x.t <= until else "S")
        for at, x in enumerate(lines) if isinstance(x, Sample)
    ]  # fmt: skip
    return sorted([*lines, *child], key=lambda x: x.t)


def wedged(seed: int, *, held_s: float) -> Stop:
    """An engine that stands for a minute, whose child was held from ``held_s`` before its end."""
    world = lasting(seed, "wedged", 60, Rig(clients=0, scheduler=False))
    began = world.ended - int(held_s * S)
    (stop,) = fold.fold(with_child(world, held_from=began, until=world.ended))
    assert stop.family == "WEDGED"
    return stop


def test_a_child_that_is_held_is_told_and_a_signal_is_not_excluded():
    for seed in range(15):
        stop = wedged(seed, held_s=60)
        assert f"its process {CHILD} is held by a signal or a debugger, in state T" in stop.evidence
        assert stop.cause.startswith(f"UNKNOWN: its process {CHILD} is held")
        assert not any(text.startswith("a stop by a signal") for text in stop.excluded)


def test_no_child_that_runs_is_called_held():
    for seed in range(15):
        world = lasting(seed, "wedged", 60, Rig(clients=0, scheduler=False))
        for lines in (world.seal(), with_child(world), with_child(world, held_from=world.began - 9 * S,
                                                                   until=world.began - 4 * S)):  # fmt: skip
            (stop,) = fold.fold(lines)
            assert SIGNAL in stop.excluded
            assert stop.cause == "UNKNOWN: no evidence tells why the engine does not work on"
            assert not any("held" in text for text in stop.evidence)
