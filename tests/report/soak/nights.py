"""Runs with a soak in phases, made up: what their tables, sheets and timelines say can be told beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seatrial.judging.run import JudgedRun
from seatrial.records import SECOND, Clock, Dropped, Gpu, Line, LoadRow, LogRate, Phase, Record, Sample
from tests.report.sample import NAME, WALL0, at


def row(n: int, begin: float, *, wait: float = 0.2, outcome: str = "ok", **more: Any) -> LoadRow:
    """A request of 41 tokens, 10 ms apart, whose user waited so long for the first."""
    first = begin + wait
    told: dict[str, Any] = {
        "intended_at": at(begin), "sent_at": at(begin), "first_at": at(first), "last_at": at(first + 0.4),
        "ended_at": at(first + 0.5), "gap_from": at(first), "gap_to": at(first + 0.03), "deltas": 41, "tokens": 41,
        "prompt_tokens": 10, "status": 200, "cap": 48, "phase": "open", "workload": "chat", "finish_reason": "stop",
    }  # fmt: skip
    told |= more
    return LoadRow(w="load1", n=n, t=told["ended_at"] or at(begin), id=f"load1-{n}", endpoint=NAME, outcome=outcome,
                   **told)  # fmt: skip


def phase(name: str, sort: str, begin: float, **facts: str) -> Phase:
    return Phase(w="load1", t=at(begin), endpoint=NAME, what="phase", at=at(begin), name=name, sort=sort, facts=facts)


def stage(what: str, begin: float, **facts: str) -> Phase:
    return Phase(w="load1", t=at(begin), endpoint=NAME, what=what, at=at(begin), facts=facts)


def lines(seconds: int = 300, *, slo: str = "ttft=1s", workload: str = "agent") -> Iterator[Line]:
    """Closed users for a third of the time, then an open load of one a second with a stall, and what was watched."""
    third = seconds // 3
    yield stage("start", 0, slo=slo, users="4")
    yield phase("closed", "closed", 0, users="4")
    yield phase("open", "open", third, rps="1")
    yield stage("drain", seconds)
    yield stage("end", seconds + 1)
    for second in range(seconds):
        yield Clock(w="recorder", t=at(second), wall_ns=WALL0 + second * SECOND, boot_ns=at(second), raw_ns=at(second))
        yield Sample(w="recorder", t=at(second), name=NAME, pid=7, incarnation="a", memory=10**9, fds=20, threads=8)
        yield Gpu(w="recorder", t=at(second), index=0, uuid="u", busy=44, memory=2 * 10**9, power_mw=200_000)
        if second < third:
            yield row(second + 1, second, phase="closed", workload=workload if second % 2 else "chat")
        else:
            stalled = 10.0 if third <= second < third + 20 else 0.0
            yield row(second + 1, second, wait=0.2 + stalled, intended_at=at(second), workload="chat")
    for n in range(3):
        yield row(1000 + n, third + 30 + n, outcome="sse_error", tokens=None, deltas=5)
        yield Dropped(w="load1", t=at(third + 40), endpoint=NAME, intended_at=at(third + 40), phase="open",
                      workload="chat")  # fmt: skip
    for minute in range(seconds // 60):
        yield LogRate(w="recorder", t=at(minute * 60 + 60), name=NAME, file="log", since=at(minute * 60), lines=180,
                      size=9000)  # fmt: skip


def night(judged: JudgedRun, *more: Line, **changed: Any) -> JudgedRun:
    """A run whose record is a soak."""
    return type(judged)(**{**vars(judged), "lines": Record([*lines(**changed), *more])})
