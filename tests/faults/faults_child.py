"""Ends of the child that does the work under a parent that lives, and of children that were not needed any more."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from seatrial.records import SECOND, Event
from tests.faults.processes import until
from tests.faults.rows import Expected, Row, Trial
from tests.faults.watching import wait_until

LIVES_S = 12.0
"""A child that lived so long counts as a runner, whatever ended it."""


def engined(*options: str) -> Callable[[Trial], None]:
    """A server that answers 500 to every chat without its child; the canary alone asks it."""

    def setup(t: Trial) -> None:
        server = t.serve(*options)
        t.facts["began"] = server.order("engine").at
        t.watch.add(server, canary=True)
        runner = t.facts["runner"] = server.order("runner_pid").get()["pid"]

        def known() -> bool:
            return any(isinstance(x, Event) and x.what == "found" and x.pid == runner for x in t.watch.lines())

        until(known, "the runner is found")

    return setup


def kill_child(t: Trial) -> None:
    """A signal that no process sends itself: of such an end alone nothing is known."""
    t.struck_at = t.server.send(t.rng.choice([signal.SIGKILL, signal.SIGHUP]), t.facts["runner"])


def lived(t: Trial) -> None:
    wait_until(t.facts["began"] + int(LIVES_S * SECOND))


def recycle(t: Trial) -> None:
    lived(t)
    t.struck_at = t.server.order("recycle").at


def unload(t: Trial) -> None:
    """Nobody asks it anything just then."""
    lived(t)
    t.struck_at = time.monotonic_ns()
    t.server.order("unload").get()


FAULTS = (
    Row(id="F28", title="the engine's child killed, its parent lives and answers 500", setup=engined(),
        strike=kill_child, ticks=24,
        expected=(Expected(family="STOPPED", kind="signal", says=("which lives, /health 200",)),)),
    Row(id="ROUTED", title="a router's child killed, its model stands as failed", setup=engined("--router"),
        strike=kill_child, ticks=24,
        expected=(Expected(family="STOPPED", kind="signal", says=("which lives, /health 200",)),)),
)  # fmt: skip
TWINS = (
    Row(id="T28a", title="a worker recycled by its master", setup=engined(), strike=recycle, ticks=10,
        rests_on=("exit status",)),
    Row(id="T28b", title="a child killed by its parent when nobody needed it", setup=engined(), strike=unload,
        ticks=10),
    Row(id="RESTING", title="a router that has unloaded its model", setup=engined("--router"), strike=unload, ticks=10),
)  # fmt: skip
