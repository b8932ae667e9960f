"""The timing verdicts on a simulated clock: hundreds of phases, with the shipped limits."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from seatrial.verdict import stops
from seatrial.verdict.limits import Limits
from tests.faults.ablation import ablate
from tests.faults.rows import Expected, Row
from tests.faults.verdict import Account, account
from tests.verdict.simulation import S, World

Deed = Callable[[World], None]


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


def _row(name: str, title: str, *expected: Expected, notices: tuple = (), must: str | None = None) -> Row:
    return Row(id=name, title=title, setup=lambda _: None, expected=expected, notices=notices, must_notice=must)


def _stopped(signal: int | None, kind: str, code: int | None = None) -> Expected:
    return Expected(family="STOPPED", kind=kind, signal=signal, code=code)


ROWS: tuple[tuple[Row, Deed], ...] = (
    (_row("F01", "SIGKILL", _stopped(9, "signal")), _die(9)),
    (_row("F02", "SIGABRT", _stopped(6, "crash")), _die(6)),
    (_row("F03", "SIGSEGV", _stopped(11, "crash")), _die(11)),
    (_row("EXIT", "exit 3", _stopped(None, "exit", 3)), _die(3 << 8)),
    (_row("F06", "SIGSTOP for 5 to 20 s", Expected(family="FROZEN", also=("STREAM STALL",))), _freeze),
    (_row("F07", "replaced within 150 ms", Expected(family="RESTARTED", kind="signal", signal=9)), _restart),
    (_row("F09", "listener closed", Expected(family="DEAF")), _deafen),
    (_row("F23", "wall clock stepped", notices=("CLOCK STEPPED",), must="CLOCK STEPPED"), _clock),
    (_row("F30", "restart that was announced"), _planned),
    (_row("SHORT", "SIGSTOP for less than a second"), _stop_short),
    (_row("BLIND", "recorder stopped for 10 s", notices=("UNOBSERVED",), must="UNOBSERVED"), _blind),
    (_row("CONTROL", "nothing happens"), _end),
)


def run(times: int, seed: int) -> list[Account]:
    """Each row so many times. Ablation is done on the first twenty of each."""
    found = []
    for row, deed in ROWS:
        for n in range(times):
            world = World(seed * 10_000 + n).run_for(6)
            struck_at = world.now
            deed(world)
            lines = list(world.seal())
            told = stops.fold(lines)
            done = account(row, n, told, struck_at)
            ablated = ablate(lines, Limits(), told) if n < 20 else {}
            found.append(replace(done, ablated=ablated))
    return found
