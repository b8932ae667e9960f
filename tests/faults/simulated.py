"""The timing verdicts on a simulated clock: hundreds of phases, with the shipped limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from seatrial.stops import fold
from seatrial.stops.state.limits import Limits
from tests.faults.ablation import ablate
from tests.faults.found import brought
from tests.faults.rows import Expected, Row
from tests.faults.verdict import Account, account
from tests.stops.simulation import S, World
from tests.stops.simulation_family import Tree
from tests.stops.simulation_work import Engine, Mode, Rig

Deed = Callable[[Any], None]


def _die(status: int) -> Deed:
    return lambda w: _end(w.die(status))


def _end(world: World) -> None:
    world.run_for(8)


def _restart(w: World) -> None:
    w.die(9).replace(w.random.uniform(60, 150)).run_for(8)


def _planned(w: World) -> None:
    w.announce().run_for(0.01).die(15).replace(500, generation=w.life.generation + 1).run_for(8)


def _freeze(w: World) -> None:
    w.freeze().run_for(w.random.uniform(5, 20)).thaw().run_for(8)


def _stop_short(w: World) -> None:
    w.freeze().run_for(w.random.uniform(0.1, 0.9)).thaw().run_for(8)


def _deafen(w: World) -> None:
    w.deaf = True
    w.run_for(8)


def _blind(w: World) -> None:
    w.paused = True
    w.run_for(10)
    w.paused = False
    w.run_for(5)


def _clock(w: World) -> None:
    w.wall_step = w.random.choice([-240, 240]) * S
    w.run_for(8)


def _runner(w: Tree) -> None:
    w.end_runner(w.random.choice([9, 11])).run_for(w.random.uniform(0.05, 20)).start_runner().run_for(8)


def _squat(w: Tree) -> None:
    w.die(9)
    w.squat(w.random.choice([90, 900, 9_000])).run_for(8)


def _mode(mode: Mode, seconds: float) -> Deed:
    def deed(w: Engine) -> None:
        w.mode = mode
        w.run_for(seconds)
        if mode != "wedged":
            w.mode = "serve"
            w.run_for(8)

    return deed


def _alone(seed: int) -> Engine:
    """Only a canary: streams under way would stall for as long as another's prefill takes, and truly so."""
    return Engine(seed, Rig(clients=0))


def _row(name: str, title: str, *expected: Expected, notices: tuple = (), must: str | None = None,
         rests_on: tuple[str, ...] = ()) -> Row:  # fmt: skip
    return Row(id=name, title=title, setup=lambda _: None, expected=expected, notices=notices, must_notice=must,
               rests_on=rests_on)  # fmt: skip


def _stopped(signal: int | None, kind: str, code: int | None = None) -> Expected:
    return Expected(family="STOPPED", kind=kind, signal=signal, code=code)


PROGRESS = ("counters",)
ROWS: tuple[tuple[Row, Deed, Callable[[int], World]], ...] = (
    (_row("F01", "SIGKILL", _stopped(9, "signal")), _die(9), World),
    (_row("F02", "SIGABRT", _stopped(6, "crash")), _die(6), World),
    (_row("F03", "SIGSEGV", _stopped(11, "crash")), _die(11), World),
    (_row("EXIT", "exit 3", _stopped(None, "exit", 3)), _die(3 << 8), World),
    (_row("F06", "SIGSTOP for 5 to 20 s", Expected(family="FROZEN", also=("STREAM STALL",))), _freeze, World),
    (_row("F07", "replaced within 150 ms", Expected(family="RESTARTED", kind="signal", signal=9)), _restart, World),
    (_row("F09", "listener closed", Expected(family="DEAF")), _deafen, World),
    (_row("F23", "wall clock stepped", notices=("CLOCK STEPPED",), must="CLOCK STEPPED"), _clock, World),
    (_row("F30", "restart that was announced"), _planned, World),
    (_row("SHORT", "SIGSTOP for less than a second"), _stop_short, World),
    (_row("BLIND", "recorder stopped for 10 s", notices=("UNOBSERVED",), must="UNOBSERVED"), _blind, World),
    (_row("CONTROL", "nothing happens"), _end, World),
    (_row("F08", "port taken by another program", Expected(family="IMPOSTOR")), _squat, Tree),
    (
        _row("F10", "engine gives no token", Expected(family="WEDGED", also=("STREAM STALL",))),
        _mode("wedged", 70),
        Engine,
    ),
    (_row("F22", "child replaced", Expected(family="RUNNER REPLACED")), _runner, lambda seed: Tree(seed, runner=True)),
    (_row("F29", "prefill of 100 s, the process busy"), _mode("prefill", 100), _alone),
    (_row("F29q", "prefill of 100 s, only progress shows it", rests_on=PROGRESS), _mode("quiet prefill", 100), _alone),
    (_row("F31", "asleep for 60 s", rests_on=PROGRESS), _mode("asleep", 60), _alone),
    *brought("SIMULATED"),
)


def run(times: int, seed: int) -> list[Account]:
    """Each row so many times. Ablation is done on the first twenty of each."""
    found = []
    for row, deed, begin in ROWS:
        for n in range(times):
            world = begin(seed * 10_000 + n).run_for(15)
            struck_at = world.now
            deed(world)
            lines = list(world.seal())
            told = fold.fold(lines)
            done = account(row, n, told, struck_at)
            ablated = ablate(lines, Limits(), told, row.rests_on) if n < 20 else {}
            found.append(replace(done, ablated=ablated))
    return found
