"""What a load over several processes left, held against what the server did and against a load of one process."""

from __future__ import annotations

import statistics
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from scipy import stats

from seatrial.checks.areas.soak import answers, counters, validity
from seatrial.checks.running import run as run_rule
from seatrial.records import SECOND, CrewWord, Expect, LoadRow, Received, SoakRun
from seatrial.run.directory import RunDir
from seatrial.statistics import arrivals
from seatrial.statistics.percentiles import Percentile, percentile

RULES = (
    answers.streams_terminate,
    answers.requests_are_answered,
    counters.requests_agree_with_the_server,
    counters.tokens_agree_with_the_server,
)


class _Chunk(msgspec.Struct):
    id: str


def verdicts(run: SoakRun) -> dict[str, tuple[str, ...]]:
    """The kinds of findings of the rules on answers and counters."""
    return {rule.id: tuple(found.kind for found in run_rule(rule, run, Expect())[0]) for rule in RULES}


def accused(run: SoakRun) -> list[str]:
    """What these rules say against the server."""
    found = [finding for rule in RULES for finding in run_rule(rule, run, Expect())[0]]
    return [f"{each.where}: {each.seen}" for each in found if each.kind != "no-evidence"]


def doubts(run: SoakRun) -> list[str]:
    """What they could not judge, and why."""
    found = [finding for rule in RULES for finding in run_rule(rule, run, Expect())[0]]
    return [each.got for each in found if each.kind == "no-evidence"]


def counted(run: SoakRun, truth: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """What the rows say and what the server did."""
    return {
        "requests": (len(run.rows), truth["chats"]),
        "tokens": (sum(row.tokens or 0 for row in run.rows), truth["tokens"]),
        "prompt tokens": (sum(row.prompt_tokens or 0 for row in run.rows), truth["prompt_tokens"]),
    }


def by_worker(run: SoakRun) -> Counter[str]:
    """How many rows each worker left."""
    return Counter(row.id.rpartition("-")[0] for row in run.rows)


def errors(run: SoakRun) -> dict[str, int]:
    """By how much the times of each worker may be wrong, ns: the most that was stated; 0 where it shares our clock."""
    found = dict.fromkeys((line.worker for line in run.crew), 0)
    for line in run.crew:
        if line.what == CrewWord.ALIGNED:
            found[line.worker] = max(found[line.worker], line.error_ns)
    return found


def delays(path: Path, run: SoakRun, truth: dict[str, Any]) -> dict[str, list[tuple[int, int]]]:
    """Of each worker, for each request whose bytes are kept: ns from its sending to its first token's leaving, and from
    then to its arrival. Both are above 0 on one clock."""
    told = {each["id"]: each for each in truth["told"]}
    rows = {row.id: row for row in run.rows}
    found: dict[str, list[tuple[int, int]]] = {}
    rundir = RunDir.open(path)
    for line in rundir.in_time().of(Received):
        row = rows.get(line.id)
        each = told.get(_id_of(rundir.exchange_of(line)[1]))
        if row is not None and each is not None and row.first_at:
            found.setdefault(line.w, []).append((each["first_at"] - row.sent_at, row.first_at - each["first_at"]))
    return found


def _id_of(response: bytes) -> str:
    start = response.find(b"data: {")
    return msgspec.json.decode(response[start + 6 : response.index(b"\n", start)], type=_Chunk).id if start >= 0 else ""


def apart(seen: dict[str, list[tuple[int, int]]], allowed: dict[str, int]) -> dict[str, int]:
    """The worst time by which a cause came after its effect, ns, beyond the stated error; nothing where none did."""
    worst = {name: min(min(pair) for pair in pairs) for name, pairs in seen.items()}
    return {name: -at - allowed.get(name, 0) for name, at in worst.items() if -at > allowed.get(name, 0)}


def due(run: SoakRun, phase: str) -> list[float]:
    """When the requests of a phase were meant to be sent, seconds from the first of them."""
    times = sorted(row.intended_at for row in run.rows if row.phase == phase and not row.canary)
    return [(at - times[0]) / SECOND for at in times]


def schedule(seed: int, phase: str, rate: float, seconds: float) -> list[float]:
    """The times that one process would send at, seconds from the first."""
    draw = Random(f"{seed}/{phase}/arrivals")
    times = list(arrivals.poisson(arrivals.steady(rate), rate, seconds, draw))
    return [at - times[0] for at in times]


def poisson_p(times: list[float], rate: float) -> float:
    """How likely times between arrivals of a Poisson process of this rate are as far from exponential as these."""
    between = [later - at for at, later in pairwise(times)]
    return float(stats.kstest(between, "expon", args=(0, 1 / rate)).pvalue)


def ttft(run: SoakRun, phase: str) -> Percentile:
    """The median wait for a first token in a phase, with its interval."""
    waits = [wait for row in run.rows if row.phase == phase and (wait := _wait(row))]
    found = percentile(waits, 0.5)
    assert found is not None
    return found


def rate(run: SoakRun, phase: str) -> float:
    """Answers a second in a phase."""
    span = next(span for span in run.spans if span.name == phase)
    until = span.until or max(row.ended_at for row in run.rows)
    return sum(row.phase == phase and row.outcome == "ok" for row in run.rows) / ((until - span.since) / SECOND)


def missing(run: SoakRun) -> tuple[str, ...]:
    return validity.missing(run)


def median_ms(values: list[int]) -> float:
    return statistics.median(values) / 1e6


def _wait(row: LoadRow) -> float:
    return (row.first_at - row.intended_at) / SECOND if row.first_at and not row.canary else 0.0
