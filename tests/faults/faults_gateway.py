"""A gateway that lives while the server behind it is dead, and gateways that are busy or slow and well."""

from __future__ import annotations

from seatrial.records import SECOND
from tests.faults.faults_process import kill
from tests.faults.rows import Expected, Row, Trial
from tests.faults.watching import wait_until

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
