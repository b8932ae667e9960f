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

PROMPT, DRAFTED = 1000, 1000
REST_S = 60


def run_of(sim: Sim) -> SoakRun:
    """The soak as its rules read it."""
    return SoakRun.of(NAME, Record(lines(sim)))


def lines(sim: Sim) -> Iterator[Line]:
    """All lines, each with its time and its writer; not in order of time."""
    yield from _rows(sim)
    yield from _phases(sim)
    yield from _seen(sim)


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def _rows(sim: Sim) -> Iterator[Line]:
    number = 0
    for minute in range(sim.minutes):
        begin, many = minute * MINUTE_S, max(int(sim.work[minute]), 1)
        lasts = sim.load[minute] * MINUTE_S / many  # so many are in flight then
        wrong = set(np.linspace(0, many - 1, int(min(sim.broken[minute], many)), dtype=int).tolist())
        for each in range(many):
            number += 1
            yield _row(sim, number, begin + each * MINUTE_S / many, lasts, minute, broken=each in wrong)
        number += 1
        sent = at(begin + 30)
        first = at(begin + 30 + float(sim.ttft[minute]))
        yield LoadRow(
            **_head(number, first + SECOND), outcome="ok", intended_at=sent, sent_at=sent, first_at=first,
            last_at=first, ended_at=first, tokens=1, status=200, canary=True, workload="canary",
        )  # fmt: skip


def _row(sim: Sim, number: int, sent_s: float, lasts: float, minute: int, *, broken: bool) -> LoadRow:
    sent, ended = at(sent_s), at(sent_s + lasts)
    first = at(sent_s + min(float(sim.ttft[minute]), lasts / 2))
    pace = float(sim.decode[minute])
    tokens = max(2, int((ended - first) / SECOND * pace))
    last = first + round((tokens - 1) / pace * SECOND)
    told = {} if broken else {"tokens": tokens, "prompt_tokens": PROMPT, "last_at": last}
    if not broken:
        told |= {"cached": round(float(sim.cached[minute]) * PROMPT)}
        told |= {"drafted": DRAFTED, "accepted": round(float(sim.accepted[minute]) * DRAFTED)}
    return LoadRow(
        **_head(number, max(ended, last)), outcome="truncated" if broken else "ok", intended_at=sent, sent_at=sent,
        first_at=first, ended_at=max(ended, last), status=200, workload="chat", **told,
    )  # fmt: skip


def _head(number: int, t: int) -> dict[str, object]:
    return {"w": "load1", "n": number, "t": t, "id": f"load1-{number}", "endpoint": NAME}


def _phases(sim: Sim) -> Iterator[Line]:
    end = sim.minutes * MINUTE_S
    begin = {"seconds": f"{end:g}", "users": "4", "slots": "4"}
    told: list[tuple[float, Stage, PhaseSort | None, dict[str, str]]] = [(0, Stage.START, None, begin)]
    before = None
    for minute, code in enumerate(sim.phase.astype(int).tolist()):
        if code != before:
            told.append((minute * MINUTE_S, Stage.PHASE, PhaseSort.WARM_UP if code < 0 else SORTS[code], {}))
        before = code
    told += [(end, Stage.DRAIN, None, {}), (end + REST_S, Stage.END, None, {"how": "drained"})]
    for seconds, what, sort, facts in told:
        when, name = at(seconds), str(sort or "")
        yield Phase(w="load1", t=when, endpoint=NAME, what=what, at=when, facts=facts, name=name, sort=sort)
    for phase, when in (("before", at(0)), ("after", at(end + REST_S))):
        yield Counters(w="load1", t=when, endpoint=NAME, phase=phase, source="none")


def _seen(sim: Sim) -> Iterator[Line]:
    for minute in range(sim.minutes):
        for second in range(0, int(MINUTE_S), EVERY_S):
            now = at(minute * MINUTE_S + second)
            held = {"memory": int(sim.memory[minute]), "fds": max(0, int(sim.fds[minute]))}
            threads = max(0, int(sim.threads[minute]))
            yield Sample(w="watch", t=now, name=NAME, pid=PID, incarnation="1", threads=threads, **held)
            yield Gpu(w="watch", t=now, index=0, uuid="GPU-0", processes={str(PID): int(sim.vram[minute])})
        if sim.log[minute] > 2:
            now, many = at((minute + 1) * MINUTE_S), int(sim.log[minute] * MINUTE_S)
            since = at(minute * MINUTE_S)
            yield LogRate(w="watch", t=now, name=NAME, file="server.log", since=since, lines=many, size=80 * many)
    end = sim.minutes * MINUTE_S + REST_S
    for second in range(5):
        running, waiting = sim.rest.running, sim.rest.waiting
        yield Meter(w="watch", t=at(end - second), name=NAME, source="llama.cpp /metrics", running=running,
                    waiting=waiting)  # fmt: skip
