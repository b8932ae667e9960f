"""Twins of faults, which must not alarm, and controls, in which nothing is done at all."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Sequence

from msgspec.structs import replace

from seatrial.records import SECOND, Clock, Line
from tests.faults import faults_process, faults_stream
from tests.faults.found import brought
from tests.faults.rows import Row, Trial
from tests.faults.watching import slow_reader, wait_until

PREFILL_S = 10.0
"""Longer than every limit of WEDGED but that of a busy process."""
STEP_NS = 240 * SECOND


GRACE_S = 5.0
"""Between TERM and KILL of an announced restart: llama-server with streams in flight does not end by TERM."""


def patient(t: Trial) -> None:
    """A server with a canary and a client that waits for long."""
    server = t.serve()
    t.watch.add(server, canary=True)
    t.watch.traffic(server, clients=1, patience_s=60)


def sleeper(t: Trial) -> None:
    """A server that unloads its model when nobody asks, and says so in its arguments."""
    server = t.serve("--sleep-idle-seconds", "60")
    t.watch.add(server)


def brief(t: Trial) -> None:
    """Clients whose answers end by max_tokens."""
    server = t.serve()
    t.watch.add(server, canary=t.rng.random() < 0.5)
    t.watch.traffic(server, tokens=3)


def prefill(t: Trial) -> None:
    """Every prompt takes long to read: on the processor, or elsewhere with progress shown."""
    how = t.rng.choice(["burn", "shown"])
    t.struck_at = t.server.order("prefill", seconds=PREFILL_S, how=how).at


def restart_as_planned(t: Trial) -> None:
    """By SIGTERM, and where that is not heeded in time by SIGKILL, as a supervisor does it."""
    t.watch.command(planned_stop="a")
    t.struck_at = time.monotonic_ns()
    wait_until(t.struck_at + SECOND // 20)
    t.server.send(signal.SIGTERM)
    t.server.ended_or_killed(GRACE_S)
    t.again()


def sleep(t: Trial) -> None:
    """It sleeps for three seconds; the next request wakes it, and waits until the model is loaded."""
    t.struck_at = t.server.order("sleep", load_s=5.0).at
    wait_until(t.struck_at + 3 * SECOND)
    t.watch.traffic(t.server, clients=1, patience_s=60)


def read_slowly(t: Trial) -> None:
    t.struck_at = time.monotonic_ns()
    t.facts["slow"] = stack = contextlib.ExitStack()
    stack.enter_context(slow_reader(t.server))


def step_clock(t: Trial, lines: Sequence[Line]) -> list[Line]:
    """The record with the wall clock stepped from a moment on: no clock of the machine is touched."""
    step = t.rng.choice([-STEP_NS, STEP_NS])
    t.facts["step"] = step
    return [replace(x, wall_ns=x.wall_ns + step) if isinstance(x, Clock) and x.t > t.struck_at else x for x in lines]


def nothing(t: Trial) -> None:
    t.struck_at = time.monotonic_ns()


def stop_recorder(t: Trial) -> None:
    t.struck_at = t.watch.suspend()
    wait_until(t.struck_at + 5 * SECOND)
    t.watch.go_on()


ROWS: tuple[Row, ...] = (
    Row(id="F23", title="wall clock stepped by 240 s (in the record)", setup=faults_process.talking, strike=nothing,
        history=step_clock, notices=("CLOCK STEPPED",), must_notice="CLOCK STEPPED"),
    Row(id="F29", title=f"prefill of {PREFILL_S:.0f} s", setup=patient, strike=prefill, ticks=15,
        rests_on=("counters", "samples", "CPU, switches")),
    Row(id="F30", title="restart that was announced", setup=faults_process.talking, strike=restart_as_planned,
        real=True),
    Row(id="F31", title="asleep, then woken with 5 s of loading", setup=sleeper, strike=sleep, ticks=12),
    Row(id="F32", title="answers that end by max_tokens", setup=brief, strike=nothing, real=True),
    Row(id="SLOW", title="a client that reads slowly", setup=faults_process.asked, strike=read_slowly, ticks=9,
        real=True),
    Row(id="BLIND", title="recorder stopped for 5 s, server well", setup=faults_process.talking, strike=stop_recorder,
        notices=("UNOBSERVED",), must_notice="UNOBSERVED"),
    *brought("TWINS"),
)  # fmt: skip

LONG = 11
CONTROLS = tuple(
    Row(
        id=f"C-{setup.__name__}",
        title=f"nothing happens: {text}",
        setup=setup,
        strike=nothing,
        ticks=ticks,
        real=setup is faults_process.talking,
    )
    for setup, text, ticks in (
        (faults_process.plain, "a server", 7),
        (faults_process.talking, "a server with clients", 5),
        (faults_process.asked, "a server with a canary", LONG),
        (faults_process.logged, "a server whose log is read", 5),
        (faults_process.supervised, "a supervised server", 7),
        (faults_process.parental, "a server with a child", 8),
        (faults_process.beset, "another program waits for the port", 5),
        (faults_process.two, "two servers", 5),
        (faults_stream.behind, "a gateway", LONG),
        (faults_stream.both_sides, "a gateway and its server", 5),
    )
)
