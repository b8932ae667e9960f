"""Less evidence: a cause may fall to UNKNOWN and a stop lose precision, but nothing is named that was not so.

Every kind of line and every kind of fact is removed in turn from runs of every family. What is left must be found as
the same family, or as one that claims less, or not at all; a cause keeps a part of its statements, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from seatrial.records import STREAMS, Clock, Event, Happening, LoadRow, Probe, Sample, Sent, Stop
from seatrial.stops import fold
from seatrial.stops.state.families import weaker
from tests.stops.removed import KINDS, Drop, lacking, left, no_counts, no_statuses, without, without_event
from tests.stops.simulation import World
from tests.stops.simulation_family import GIB, Tree

SEEDS = range(12)
DROPS: dict[str, Drop] = {
    **KINDS,
    "heartbeats": without(Clock),
    "rows": without(LoadRow),
    "requests": without(Sent, LoadRow),
    "errors of the driver": without_event(Happening.XID),
    "exits by the recorder": without_event(Happening.EXIT, writer="recorder"),
    "exits by the keeper": without_event(Happening.EXIT, writer="keeper"),
    "exits": without_event(Happening.EXIT),
    "exits of children": without_event(Happening.EXIT, child=True),
    "births": without_event(Happening.FOUND),
    "births of children": without_event(Happening.FOUND, child=True),
    "facts": lacking(Event, facts={}),
    "statuses": no_statuses,
    "kills for memory": no_counts,
    "the cgroup's count": lacking(Probe, oom_cgroup=None),
    "owners": lacking(Probe, owner=None, inode=None, owners=(), strangers=()),
    "CPU time": lacking(Sample, cpu_ns=None, switches=None),
    "sizes": lacking(Sample, size=None, size_limit=None),
    "states": lacking(Sample, state=None),
    "/health": lacking(Probe, health=None, error=""),
}


def dead(status: int, *, oom: bool = False, log: Iterable[str] = (), xid: int = 0, share: float = 0.0,
         after_ms: float = 0) -> Callable[[int], World]:  # fmt: skip
    def run(seed: int) -> World:
        world = Tree(seed, **({"limit of address space": str(2 * GIB)} if share else {}))
        if share:
            world.size, world.size_limit = int(2 * GIB * share), 2 * GIB
        world.run_for(8)
        if xid:
            world.xid(xid)
        world.die(status, oom=oom)
        if log:
            world.log(*log)
        return world.replace(after_ms).run_for(6) if after_ms else world.run_for(6)

    return run


def frozen(seed: int) -> World:
    return Tree(seed).run_for(6).freeze().run_for(9).thaw().run_for(6)


def deaf(seed: int) -> World:
    world = Tree(seed).run_for(6)
    world.deaf = True
    return world.run_for(8)


def stepped(seed: int) -> World:
    return Tree(seed).run_for(6).step_clock(240).run_for(6)


def stopped_monitor(seed: int) -> World:
    world = Tree(seed).run_for(6)
    world.paused = True
    world.run_for(9).paused = False
    return world.run_for(6)


RUNS: dict[str, Callable[[int], World]] = {
    "SIGKILL": dead(9),
    "SIGKILL by the kernel": dead(9, oom=True),
    "SIGSEGV": dead(11),
    "SIGABRT": dead(6, log=["GGML_ASSERT(x) failed"], xid=31),
    "a CUDA error": dead(6, log=["CUDA error: unspecified launch failure"], xid=79),
    "the limit": dead(6, share=0.98, log=["terminate called", "what(): std::bad_alloc"]),
    "the limit, and an assertion": dead(6, share=0.98, log=["GGML_ASSERT(x) failed"]),
    "far from the limit": dead(6, share=0.2, log=["GGML_ASSERT(x) failed"]),
    "a lying log": dead(9, log=["Out of memory: Killed process 4123"]),
    "exit 3": dead(3 << 8),
    "exit 0": dead(0),
    "a restart": dead(9, after_ms=150),
    "a restart after a crash": dead(6, log=["GGML_ASSERT(x) failed"], after_ms=2000),
    "an impostor": lambda seed: Tree(seed).run_for(8).die(9).squat(400).run_for(6),
    "an impostor beside it": lambda seed: Tree(seed).run_for(8).squat(0, lives=True).run_for(6),
    "a runner": lambda seed: Tree(seed, runner=True).run_for(8).end_runner(11).run_for(1).start_runner().run_for(8),
    "a freeze": frozen,
    "deafness": deaf,
    "a stepped clock": stepped,
    "a stopped monitor": stopped_monitor,
    "a job that is killed": lambda seed: Tree(seed, clients=0, job="yes").run_for(8).die(9).run_for(5),
}


@pytest.mark.parametrize("name", RUNS)
def test_less_evidence_names_nothing_else(name):
    for seed in SEEDS:
        lines = RUNS[name](seed).seal()
        whole = [stop for stop in fold.fold(lines) if stop.family != "UNOBSERVED"]
        assert len(whole) == (0 if name == "a stopped monitor" else 1), [stop.family for stop in whole]
        for dropped, drop in DROPS.items():
            for stop in fold.fold(left(lines, drop)):
                assert stop.family == "UNOBSERVED" or is_less(stop, whole), (name, dropped, seed, stop)


def is_less(stop: Stop, whole: list[Stop]) -> bool:
    """Whether a stop says no more than the one by all evidence did."""
    for full in whole:
        less = weaker(full.family, full.rung) - STREAMS  # a broken stream is no weaker word for what broke it
        family = stop.family == full.family or stop.family in less
        cause = stop.cause.startswith("UNKNOWN") or set(stop.cause.split("; ")) <= set(full.cause.split("; "))
        told = stop.signal in (full.signal, None) and stop.code in (full.code, None)
        kind = stop.kind in (full.kind, "unknown", "") or (full.kind, stop.kind) == ("oom", "signal")
        around = stop.alive_at <= full.dead_at and stop.dead_at >= full.alive_at
        if family and cause and told and kind and around and (not stop.planned or full.planned):
            return True
    return False
