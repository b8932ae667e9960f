"""A gateway that lives while the server behind it is dead, and gateways that are busy or slow and well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from seatrial.records import SECOND, Clock, Event, Line
from tests.faults.faults_canary import BUSY, ERROR
from tests.faults.faults_process import kill
from tests.faults.rows import Expected, Row, Trial
from tests.faults.watching import wait_until
from tests.stops.simulation_work import Engine, Mode, Rig

DEAD = ("502", "503", "504", "500", "silent", "cut")
"""What gateways of whom somebody wrote do once their backend takes no connection."""
BUSY_S = 6.0
SLOW_S = 6.0


def doors(t: Trial, *arguments: str) -> None:
    """A gateway and the server behind it, both watched; the operator has said how they stand."""
    server = t.serve()
    t.facts["gateway"] = gateway = t.front(server, *arguments)
    t.watch.add(gateway, canary=True)
    t.watch.add(server, "b", canary=t.rng.random() < 0.5)
    t.watch.tell("behind", "a", "b")
    if t.rng.random() < 0.5:
        t.watch.traffic(gateway, clients=1)


def before_a_silent_one(t: Trial) -> None:
    """The gateway alone is asked: nobody waits at the server itself. Streams under way would stall, and truly so."""
    t.facts["gateway"] = gateway = t.front(t.serve())
    t.watch.add(gateway, canary=True)
    t.watch.add(t.server, "b")
    t.watch.tell("behind", "a", "b")


def before_a_death(t: Trial) -> None:
    """Whatever the gateway will say, and whether it answers /health itself, is drawn."""
    own = ("--own",) if t.rng.random() < 0.5 else ()
    doors(t, f"--dead={t.rng.choice(DEAD)}", *own)


def turn_away(t: Trial) -> None:
    """Every chat is turned away with 503 for a while, as by a gateway whose places are all taken."""
    t.struck_at = t.facts["gateway"].order("spoil", how="503", event=1, streams=1_000_000).at
    wait_until(t.struck_at + int(BUSY_S * SECOND))
    t.facts["gateway"].order("spoil", how="503", event=1, streams=1).get()


def slow_down(t: Trial) -> None:
    """The server behind it reads every prompt for long; the gateway waits and does nothing."""
    t.struck_at = t.server.order("prefill", seconds=SLOW_S, how="burn").at


FAULTS = (
    Row(id="F27c", title="gateway lives, the server behind it is killed", setup=before_a_death, strike=kill, ticks=24,
        expected=(Expected(family="STOPPED", name="b", kind="signal", signal=9, also=("STREAM STALL", "TRUNCATED")),
                  Expected(family="WEDGED", cause=("b, which stands behind it",), says=("the fault is behind it",),
                           also=("STREAM STALL", "TRUNCATED", "FAILED IN-BAND")))),
)  # fmt: skip
TWINS = (
    Row(id="T27c", title=f"a gateway turns every chat away for {BUSY_S:.0f} s", setup=doors, strike=turn_away, ticks=9),
    Row(id="T27d", title=f"a gateway before a server that reads each prompt for {SLOW_S:.0f} s",
        setup=before_a_silent_one, strike=slow_down, ticks=14, rests_on=("counters", "samples", "CPU, switches")),
)  # fmt: skip


class Doors:
    """On the simulated clock: a gateway and the server behind it, of one recorder."""

    def __init__(self, seed: int) -> None:
        self.gate = Engine(seed, Rig(scheduler=False, clients=0, elsewhere=True, name="a"))
        self.back = Engine(seed, Rig(clients=0, name="b"))
        self.said = Event(what="behind", name="a", at=self.gate.start, text="b", v=1, w="recorder", n=1,
                          t=self.gate.start)  # fmt: skip

    @property
    def now(self) -> int:
        return self.gate.now

    def run_for(self, seconds: float) -> Doors:
        self.gate.run_for(seconds)
        self.back.run_for(seconds)
        return self

    def seal(self) -> list[Line]:
        gate = [replace(line, **_of_77(line)) for line in self.gate.seal()]
        back = [line for line in self.back.seal() if not isinstance(line, Clock)]  # one recorder has one heartbeat
        return sorted([self.said, *gate, *back], key=lambda line: line.t)


def _of_77(line: Line) -> dict[str, int]:
    """The gateway is another process."""
    return {name: 77 for name in ("pid", "owner") if getattr(line, name, 0)}


def _both(gate: Mode, back: Mode, seconds: float, ends: dict[str, Any] | None = None) -> Callable[[Any], None]:
    """For a while so; then both serve."""

    def deed(doors: Doors) -> None:
        doors.gate.mode, doors.back.mode = gate, back
        if ends is not None:
            doors.gate.ends = lambda _: ends
        doors.run_for(seconds)
        doors.gate.mode = doors.back.mode = "serve"
        doors.gate.ends = lambda _: None
        doors.run_for(30)

    return deed


def _row(name: str, title: str, *expected: Expected) -> Row:
    return Row(id=name, title=title, setup=lambda _: None, expected=expected)


SIMULATED = (
    (_row("G01", "a gateway hands chats to a server whose engine stands still",
          Expected(family="WEDGED", name="b"), Expected(family="WEDGED", cause=("b, which stands behind it",))),
     _both("wedged", "wedged", 100), Doors),
    (_row("G02", "a gateway says 500, what is behind it is right",
          Expected(family="WEDGED", kind="gateway", cause=("the gateway",))),
     _both("serve", "serve", 70, ERROR), Doors),
    (_row("G03", "a gateway busy for two minutes: 503 to every chat"), _both("serve", "serve", 120, BUSY), Doors),
    (_row("G04", "a gateway before a server that reads a prompt for 70 s"), _both("wedged", "prefill", 70), Doors),
)  # fmt: skip
