"""The living and the dead of a family: masters whose workers work, workers that follow each other, what only waits."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

from seatrial.records import Event, Sample
from tests.faults import faults_process
from tests.faults.processes import Process, free_port, until
from tests.faults.rows import Expected, Row, Trial
from tests.stops.simulation import World


class Prefork(Process):
    """A master and its workers."""

    real, model, key = False, "prefork", ""

    def __init__(self, trial: Trial, *options: str) -> None:
        self.port = free_port(trial.rng)
        super().__init__(trial.folder, "prefork", f"--port={self.port}", *options, orders=False)
        self.workers: list[int] = self.said["workers"]


def family(*options: str) -> Callable[[Trial], None]:
    """A server of that script, watched."""

    def setup(t: Trial) -> None:
        server = Prefork(t, *options)
        t.started.append(server)
        t.watch.add(server)

    return setup


def told(number: int) -> Callable[[Trial], None]:
    """Every worker is told by a signal to wait."""

    def strike(t: Trial) -> None:
        for pid in t.server.workers or [t.server.pid]:
            t.struck_at = t.server.send(number, pid)

    return strike


def recycle(t: Trial) -> None:
    """Those workers that the watch knows end one after another; their master starts others.

    Raises:
        TrialError: it knows none.
    """

    def known() -> list[int]:
        seen = [x.pid for x in t.watch.lines() if isinstance(x, Event) and x.what == "found"]
        return [pid for pid in t.server.workers if pid in seen]

    for pid in until(known, "the watch knows a worker"):
        t.struck_at = t.server.send(signal.SIGTERM, pid)
        until(lambda pid=pid: any(isinstance(x, Event) and x.what == "exit" and x.pid == pid for x in t.watch.lines()),
              "its end is seen")  # fmt: skip
    t.facts["over"] = time.monotonic_ns()


def behead(t: Trial) -> None:
    """The master is killed; its workers serve on."""
    t.signal(signal.SIGKILL)


def kill_all(t: Trial) -> None:
    """The whole family is killed, the master first: for a moment a worker alone has the port."""
    t.signal(signal.SIGKILL)
    for pid in t.server.workers:
        t.server.send(signal.SIGKILL, pid)


def grow(t: Trial) -> int:
    """Its memory grows while the recorder looks; when that was done."""
    grown = t.server.order("grow", mb=300, seconds=4.0).at
    until(lambda: any(isinstance(x, Sample) and x.t > grown for x in t.watch.lines()), "it is looked at")
    return grown


def grow_and_die(t: Trial) -> None:
    grow(t)
    t.signal(signal.SIGKILL)
    t.server.reap()


def grow_and_free(t: Trial) -> None:
    t.struck_at = grow(t)
    t.facts["over"] = t.server.order("free").at


def noted(t: Trial) -> None:
    """A server whose log is named to the watch."""
    t.watch.add(t.serve(), log=True)


def writes(rate: int) -> Callable[[Trial], None]:
    """It writes so many lines a second for eight seconds."""

    def strike(t: Trial) -> None:
        t.struck_at = t.server.order("log", rate=rate, seconds=8.0).at

    return strike


def _held(world: Any) -> None:
    world.freeze(by="cgroup").run_for(world.random.uniform(6, 20)).thaw().run_for(8)


def _waits(world: World) -> None:
    world.freeze(by="").run_for(world.random.uniform(6, 12)).thaw().run_for(8)


FAULTS = (
    Row(id="MEMORY", title="memory grows by 300 MB in 4 s, then SIGKILL", setup=faults_process.plain,
        strike=grow_and_die,
        expected=(Expected(family="STOPPED", kind="signal", signal=9, says=("memory grew from", "earlyoom")),)),
    Row(id="MASTER", title="a master killed, its workers serve on", setup=family(), strike=behead,
        expected=(Expected(family="STOPPED", kind="signal", signal=9, says=("is no new server",)),)),
    Row(id="WHOLE", title="a master and its workers are killed, one after another", setup=family(), strike=kill_all,
        expected=(Expected(family="STOPPED", kind="signal", signal=9, once=True),)),
)  # fmt: skip
TWINS = (
    Row(id="STORM", title="4,000 lines a second in its log", setup=noted, strike=writes(4_000), ticks=12,
        notices=("LOG STORM",), must_notice="LOG STORM"),
    Row(id="CHATTY", title="300 lines a second in its log, by right", setup=noted, strike=writes(300), ticks=10),
    Row(id="FREED", title="memory grows by 300 MB in 4 s, and is freed", setup=faults_process.plain,
        strike=grow_and_free, ticks=6),
    Row(id="WAITS", title="workers wait for a slow backend, and their master for them", setup=family(),
        strike=told(signal.SIGUSR1), ticks=9),
    Row(id="CALL", title="one thread in a long call", setup=family("--alone"), strike=told(signal.SIGUSR1), ticks=9),
    Row(id="POLLS", title="one thread that polls", setup=family("--alone"), strike=told(signal.SIGUSR2), ticks=9),
    Row(id="RECYCLED", title="workers recycled by their master", setup=family(), strike=recycle, ticks=8),
    Row(id="OWN", title="the same, each with a LISTEN socket of its own", setup=family("--own"), strike=recycle,
        ticks=8, rests_on=("probes", "socket", "/health", "fingerprint", "exit status", "exits", "start ticks")),
)  # fmt: skip
SIMULATED = (
    (Row(id="HELD", title="its cgroup frozen for 6 to 20 s", setup=lambda _: None,
         expected=(Expected(family="FROZEN", says=("a freezer holds it",), also=("STREAM STALL",)),)), _held, World),
    (Row(id="STILL", title="nothing moves for 6 to 12 s, and no sign says why", setup=lambda _: None), _waits, World),
)  # fmt: skip
