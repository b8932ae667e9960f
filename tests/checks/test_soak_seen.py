"""Findings of a soak say what /health said and the process did in the seconds they tell of."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from seatrial.checks.areas.soak import answers
from seatrial.checks.areas.soak.figures import figures
from seatrial.reading.seen import UNKNOWN
from seatrial.records import SECOND, Expect, Finding, LoadRow, Outcome, Probe, Sample, SoakRun
from seatrial.report.words.diagnosis import one
from seatrial.stops import fold
from tests.checks.test_soak import MS, judged, load, row

AWAY = "process and socket unobservable: not on this host"


def probe(second: float, **said: Any) -> Probe:
    """A look that was over at this time, in seconds."""
    told = said or {"listens": True, "health": 200, "health_ns": 2 * MS}
    return Probe(name="8080", t=round(second * SECOND), **told)


def sample(second: int, state: str = "S", cpu_ms: int = 0) -> Sample:
    return Sample(name="8080", t=second * SECOND, pid=7, incarnation="i-7", state=state, cpu_ns=cpu_ms * MS)


def seen(run: SoakRun, *probes: Probe, samples: tuple[Sample, ...] = ()) -> SoakRun:
    """A soak that was looked at."""
    return msgspec.structs.replace(run, probes=probes, samples=samples)


def said(run: SoakRun) -> Finding:
    """The one finding of the two rules of answers; that most looks of the recorder are missing here is told as well."""
    told = [f for rule in (answers.streams_terminate, answers.requests_are_answered) for f in judged(rule, run)[1]]
    found = [f for f in told if f.where != "the load"]
    assert len(found) == 1
    return found[0]


LOOKS = {
    "/health 200 in 2 ms": {"listens": True, "health": 200, "health_ns": 2 * MS},
    "/health 503 in 1 ms": {"listens": True, "health": 503, "health_ns": MS},
    "/health silent": {"listens": True, "error": "deadline"},
    "/health refused": {"listens": False, "error": "refused"},
    "/health not asked: the process is stopped": {"listens": True, "error": "not asked: the process is stopped"},
    "/livez 200 in 2 ms": {"health": 200, "health_ns": 2 * MS, "page": "/livez"},
}


@pytest.mark.parametrize("word", ["truncated", "reset", "stall", "deadline", "no_terminator", "http_5xx", "refused"])
@pytest.mark.parametrize("told", LOOKS)
def test_what_health_said_in_that_very_second_stands_with_the_finding(word: str, told: str) -> None:
    status = {"http_5xx": 500, "refused": 0}.get(word, 200)
    looks = [probe(1.0, health=404), probe(2.3, **LOOKS[told]), probe(4.0, health=404)]
    found = said(seen(load(row(1), row(2, word, status=status)), *looks, samples=(sample(1), sample(2, cpu_ms=40))))
    assert found.meanwhile == f"then {told}; process 7 state S, 4 % of a core"
    assert found.meanwhile in one(found)


def test_of_a_second_in_which_nobody_looked_nothing_is_said_but_that() -> None:
    for looks in ((), (probe(0.2),), (probe(3.8),)):
        found = said(seen(load(row(1), row(2, "truncated")), *looks))
        assert found.meanwhile == UNKNOWN
        assert "/health" not in found.meanwhile


def test_the_process_of_another_host_is_not_spoken_of() -> None:
    found = said(seen(load(row(2, "truncated")), probe(2.1, health=200, health_ns=MS, why=AWAY)))
    assert found.meanwhile == f"then /health 200 in 1 ms; its process: {AWAY}"
    found = said(seen(load(row(2, "truncated")), probe(2.1)))
    assert found.meanwhile == "then /health 200 in 2 ms; no process of it was seen"


def test_a_silence_is_looked_at_in_all_its_length_and_many_requests_together() -> None:
    silent = row(2, "stall", last_at=2 * SECOND + 100 * MS, ended_at=7 * SECOND)
    looks = [probe(n + 0.05, health=200, health_ns=n * MS) for n in (1, 2, 3, 4)]
    looks += [probe(n, error="deadline") for n in (5, 6, 7)]
    found = said(seen(load(row(1), silent), *looks, samples=(sample(3), sample(5, "D"), sample(6, "D"))))
    assert found.meanwhile.startswith("then /health silent (3 times), /health 200 in 3 to 4 ms (2 times); process 7 ")
    both = said(seen(load(row(2, "truncated"), row(4, "truncated")), *looks))
    assert both.meanwhile.startswith("then /health 200 in 2 to 4 ms (2 times); ")


def test_a_page_whose_words_never_end_is_cut() -> None:
    looks = [probe(2.0 + n / 10, health=400 + n) for n in range(9)]
    silent = row(2, "stall", last_at=2 * SECOND, ended_at=3 * SECOND)
    assert " and 5 others; " in said(seen(load(silent), *looks)).meanwhile


def test_who_was_busy_or_waited_for_us_is_not_judged_and_the_looks_are_told() -> None:
    word, found = judged(answers.requests_are_answered, seen(load(row(1), row(2, "busy", status=503)), probe(2.1)))
    assert (word, found[0].meanwhile[:24]) == (Outcome.INCONCLUSIVE, "then /health 200 in 2 ms")


def test_a_slow_answer_names_what_health_did_meanwhile_and_a_quick_one_does_not() -> None:
    slow = row(2, gap_from=2 * SECOND, gap_to=4 * SECOND, ended_at=5 * SECOND, first_at=3 * SECOND + 200 * MS)
    told = figures(seen(load(row(1), slow), probe(2.5), probe(3.5)), Expect())
    assert told["soak: longest gap"].startswith("2.000 s (load1-2; then /health 200 in 2 ms (2 times); ")
    assert told["soak: longest TTFT"].startswith("1.200 s (load1-2; then /health 200 in 2 ms")
    quick = figures(seen(load(row(1)), probe(1)), Expect())
    assert (quick["soak: longest gap"], quick["soak: longest TTFT"]) == ("0.010 s (load1-1)", "0.020 s (load1-1)")


def of_the_fold(outcome: str, **said: Any) -> str:
    """What the fold says first of a stream that broke in the ninth second."""
    lines: list[Any] = [probe(4.2), *([probe(8.9, **said)] if said else [])]
    lines.append(
        LoadRow(id="l-1", endpoint="8080", outcome=outcome, t=9 * SECOND, intended_at=0, sent_at=5 * SECOND,
                first_at=6 * SECOND, last_at=8 * SECOND, ended_at=9 * SECOND, deltas=3, status=200)
    )  # fmt: skip
    found = fold.fold([*lines, *(probe(n + 0.2) for n in range(10, 40))])
    return next(stop.evidence[0] for stop in found if stop.family in ("TRUNCATED", "EMPTY", "FAILED IN-BAND"))


@pytest.mark.parametrize("outcome", ["truncated", "empty", "sse_error"])
def test_a_broken_stream_of_a_watch_says_it_too(outcome: str) -> None:
    assert of_the_fold(outcome, health=200, health_ns=2 * MS).endswith("; then /health 200 in 2 ms")
    assert of_the_fold(outcome, error="deadline").endswith("; then /health silent")
    assert of_the_fold(outcome).endswith(f"; {UNKNOWN}")
