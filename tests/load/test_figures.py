"""A server that stalls, in the figures that a person reads: an open load tells of it, closed users do not."""

from __future__ import annotations

import pytest

from seatrial.checks.areas.soak import measured, table
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, Dropped, LoadRow, Phase, PhaseSort, SoakRun
from seatrial.report.timeline.spans import Window
from seatrial.report.timeline.waits import of_load
from tests.load.simulated import Queue

HOUR_S = 3600.0
STALL_S = (1800.0, 1920.0)
S = SECOND


def sailed(sort: PhaseSort, *, places: int = 256, **more: object) -> SoakRun:
    """An hour of eight slots of four seconds each, which stand still for two minutes in its middle."""
    queue, rows = Queue(stalls=(STALL_S,), places=places), list[LoadRow]()
    queue.listeners.append(rows.append)
    queue.sail(SoakPhase(name=sort.value, sort=sort, seconds=HOUR_S, **more))
    phases = (
        Phase(endpoint="8080", what="start", at=0),
        Phase(endpoint="8080", what="phase", at=0, name=sort.value, sort=sort),
        Phase(endpoint="8080", what="drain", at=int(HOUR_S * S)),
    )
    dropped = tuple(
        Dropped(endpoint="8080", intended_at=ticket.intended_at, phase=sort.value, workload=ticket.asked.workload)
        for ticket in queue.dropped
    )
    return SoakRun(rows=tuple(rows), counters=(), phases=phases, dropped=dropped)


def line_of(run: SoakRun) -> table.PhaseFigures:
    return table.table(run)[0]


def test_two_minutes_show_in_the_p99_of_an_open_load_and_not_in_that_of_closed_users() -> None:
    opened, closed = line_of(sailed(PhaseSort.OPEN, rps=(1.5,))), line_of(sailed(PhaseSort.CLOSED))
    assert opened.ttft_p99 is not None
    assert closed.ttft_p99 is not None
    assert opened.requests == pytest.approx(1.5 * HOUR_S, rel=0.05)
    assert opened.ttft_p99.value > 100.0
    assert closed.ttft_p99.value < 1.0


def test_what_the_stall_costs_is_told_where_the_pool_is_too_small_for_it() -> None:
    """Forty places are taken within half a minute of the stall: who comes then is dropped, and p99 lies beyond."""
    run = sailed(PhaseSort.OPEN, rps=(1.5,), places=40)
    line = line_of(run)
    assert line.dropped > 0.01 * (line.requests + line.dropped)
    assert line.ttft_p99 is not None
    assert line.ttft_p99.beyond
    told = dict(measured.of_phases(run))["soak: open"]
    assert f"{line.dropped} dropped" in told
    assert "p99 beyond" in told


def test_the_timeline_has_it_at_its_time() -> None:
    window = Window(0, int(HOUR_S * S))
    run = sailed(PhaseSort.OPEN, rps=(1.5,))
    latency, errors = of_load(run.rows, run.dropped, window)
    at, most = max(latency.upper, key=lambda point: point[1])
    assert most > 100.0
    assert STALL_S[0] - 60 <= at / S <= STALL_S[1]
    assert not errors.bars
    quiet, _ = of_load(sailed(PhaseSort.CLOSED).rows, (), window)
    assert sum(value > 10 for _, value in quiet.upper) <= 4  # the eight that were under way
