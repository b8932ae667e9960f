"""A simulated night as the lines that a load and a recorder would have left of it, for all that reads records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seatrial.records import (
    SECOND,
    Counters,
    Gpu,
    Line,
    LoadRow,
    LogRate,
    Meter,
    Phase,
    PhaseSort,
    Record,
    Sample,
    SoakRun,
    Stage,
)
from tests.detectors.nights import MINUTE_S, Sim

START = 1000 * SECOND
NAME, PID = "8080", 4123
SORTS = (PhaseSort.CLOSED, PhaseSort.OPEN, PhaseSort.BASELINE, PhaseSort.FILL)
"""Of the simulated phases 0 to 3; -1 is the warm-up."""

EVERY_S = 20
"""Seconds between two samples."""

PROMPT, DRAFTED = 10_000, 10_000
"""Tokens of each request: as many as tell a share to a hundredth of a per cent."""

REST_S = 60

EDGE_S = 0.01
"""Nothing is sent or ends so near to the border of a minute."""


def run_of(sim: Sim) -> SoakRun:
    """The soak as its rules read it."""
    return SoakRun.of(NAME, Record(lines(sim)))


def lines(sim: Sim) -> Iterator[Line]:
    """All lines, each with its time and its writer; not in order of time."""
    yield from rows(sim)
    yield from phases(sim)
    yield from seen(sim)
    for phase, when in (("before", at(0)), ("after", at(sim.minutes * MINUTE_S + REST_S))):
        yield Counters(w="load1", t=when, endpoint=NAME, phase=phase, source="none")


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def rows(sim: Sim) -> Iterator[LoadRow]:
    """A row a request. Those of a minute are sent and end in it, and as many are in flight in it as were simulated.

    Raises:
        ValueError: more are in flight in a minute than end in it.
    """
    number = 0
    for minute in range(sim.minutes):
        begin, many = minute * MINUTE_S, max(int(sim.work[minute]), 1)
        lasts = sim.load[minute] * MINUTE_S / many  # so many are in flight then
        if lasts > MINUTE_S - 2 * EDGE_S:
            raise ValueError(f"{many} requests of minute {minute} cannot be {sim.load[minute]:.1f} at a time")
        apart = (MINUTE_S - 2 * EDGE_S - lasts) / many
        wrong = set(np.linspace(0, many - 1, int(min(sim.broken[minute], many)), dtype=int).tolist())
        for each in range(many):
            number += 1
            yield _row(sim, number, begin + EDGE_S + each * apart, lasts, minute, broken=each in wrong)
        number += 1
        sent = at(begin + MINUTE_S / 2)
        first = sent + round(float(sim.ttft[minute]) * SECOND)
        yield LoadRow(
            **_head(number, first + SECOND), outcome="ok", intended_at=sent, sent_at=sent, first_at=first,
            last_at=first, ended_at=first, tokens=1, prompt_tokens=20, finish_reason="length", status=200, cap=1,
            deltas=1, named=("m",), canary=True, workload="canary", phase=phase_of(sim, minute),
        )  # fmt: skip


def _row(sim: Sim, number: int, sent_s: float, lasts: float, minute: int, *, broken: bool) -> LoadRow:
    sent, ended = at(sent_s), at(sent_s + lasts)
    first = at(sent_s + min(float(sim.ttft[minute]), lasts / 2))
    pace = float(sim.decode[minute])
    tokens = max(2, int((ended - first) / SECOND * pace))
    last = min(first + round((tokens - 1) / pace * SECOND), ended)
    told = {} if broken else {"tokens": tokens, "prompt_tokens": PROMPT, "last_at": last, "finish_reason": "stop"}
    if not broken:
        told |= {"cached": round(float(sim.cached[minute]) * PROMPT)}
        told |= {"drafted": DRAFTED, "accepted": round(float(sim.accepted[minute]) * DRAFTED)}
    return LoadRow(
        **_head(number, ended), outcome="truncated" if broken else "ok", intended_at=sent, sent_at=sent,
        first_at=first, ended_at=ended, status=200, workload="chat", cap=10 * tokens, deltas=tokens, named=("m",),
        phase=phase_of(sim, minute), **told,
    )  # fmt: skip


def _head(number: int, t: int) -> dict[str, object]:
    return {"w": "load1", "n": number, "t": t, "id": f"load1-{number}", "endpoint": NAME}


def phase_of(sim: Sim, minute: int) -> str:
    """The name of the phase of a minute: its sort, for each comes once."""
    code = int(sim.phase[minute])
    return str(PhaseSort.WARM_UP if code < 0 else SORTS[code])


def phases(sim: Sim) -> Iterator[Phase]:
    """The line before each phase, and those at the beginning and the end of it all."""
    end = sim.minutes * MINUTE_S
    begin = {"seconds": f"{end:g}", "users": "4", "slots": "4"}
    told: list[tuple[float, Stage, str, dict[str, str]]] = [(0, Stage.START, "", begin)]
    before = ""
    for minute in range(sim.minutes):
        name = phase_of(sim, minute)
        if name != before:
            told.append((minute * MINUTE_S, Stage.PHASE, name, {}))
        before = name
    told += [(end, Stage.DRAIN, "", {}), (end + REST_S, Stage.END, "", {"how": "drained"})]
    for seconds, what, name, facts in told:
        when, sort = at(seconds), PhaseSort(name) if name else None
        yield Phase(w="load1", t=when, endpoint=NAME, what=what, at=when, facts=facts, name=name, sort=sort)


def seen(sim: Sim, every_s: int = EVERY_S) -> Iterator[Line]:
    """What a recorder saw of processes, GPUs, the log and the server's own word; samples so many seconds apart."""
    for minute in range(sim.minutes):
        for second in range(0, int(MINUTE_S), every_s):
            now = at(minute * MINUTE_S + second)
            held = {"memory": int(sim.memory[minute]), "fds": max(0, int(sim.fds[minute]))}
            threads = max(0, int(sim.threads[minute]))
            yield Sample(w="recorder", t=now, name=NAME, pid=PID, incarnation="1", threads=threads, **held)
            yield Gpu(w="recorder", t=now, index=0, uuid="GPU-0", processes={str(PID): int(sim.vram[minute])})
        now, many = at((minute + 1) * MINUTE_S), round(sim.log[minute] * MINUTE_S)
        since = at(minute * MINUTE_S)
        yield LogRate(w="recorder", t=now, name=NAME, file="server.log", since=since, lines=many, size=80 * many)
    end = sim.minutes * MINUTE_S + REST_S
    for second in range(5):
        running, waiting = sim.rest.running, sim.rest.waiting
        yield Meter(w="recorder", t=at(end - second), name=NAME, source="llama.cpp /metrics", running=running,
                    waiting=waiting)  # fmt: skip
