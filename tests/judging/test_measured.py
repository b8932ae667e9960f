"""The figures of a soak as numbers: reckoned from its rows, with n and interval, and none that was not measured."""

from __future__ import annotations

import pytest

from seatrial.judging import measured
from seatrial.records import (
    SECOND,
    Crew,
    CrewWord,
    Event,
    Expect,
    Happening,
    Judgement,
    LoadRow,
    NightFigure,
    NightMeasure,
    Phase,
    PhaseSort,
    Sample,
    SoakRun,
    Stage,
)

MB = 10**6


def row(n: int, *, first_s: float | None = 0.5, outcome: str = "ok", tokens: int = 11) -> LoadRow:
    """Request n, sent at second n: its first token, ten more of them a tenth of a second apart, and its end."""
    at = n * SECOND
    first = at + round(first_s * SECOND) if first_s is not None else 0
    return LoadRow(
        id=f"l-{n}", endpoint="e", outcome=outcome, intended_at=at, sent_at=at, first_at=first, tokens=tokens,
        deltas=tokens, last_at=first + SECOND if first else 0, ended_at=max(first, at) + SECOND, cap=64,
    )  # fmt: skip


def sample(t: float, memory: int, *, pid: int = 1, parent: int | None = None, incarnation: str = "b:1:1") -> Sample:
    return Sample(t=round(t * SECOND), name="e", pid=pid, incarnation=incarnation, parent=parent, memory=memory)


def run(rows: list[LoadRow], **more) -> SoakRun:
    return SoakRun(rows=tuple(rows), counters=(), **({"phases": ()} | more))


def figures(soak: SoakRun) -> dict[str, NightFigure]:
    return {str(name): figure for name, figure in measured.of_soak(soak, Expect())}


def test_each_figure_is_what_the_rows_say():
    found = figures(run([*(row(n, first_s=0.2 + n / 1000) for n in range(300)), row(300, outcome="stall")]))
    assert found[NightMeasure.REQUESTS].value == 301
    assert (found[NightMeasure.LOST].value, found[NightMeasure.LOST].n) == (1, 301)
    assert found[NightMeasure.LOST].low < 1 < found[NightMeasure.LOST].high
    assert (found[NightMeasure.DISOWNED].value, found[NightMeasure.DISOWNED].n) == (1, 301)
    assert found[NightMeasure.TTFT_P99].value == pytest.approx(0.496, abs=0.004)
    assert found[NightMeasure.DECODE].value == pytest.approx(10)
    assert NightMeasure.REST not in found


def test_times_of_a_load_that_lost_a_worker_are_held_against_no_night():
    start = Phase(endpoint="e", what=Stage.START, at=0, facts={"workers": "1"})
    lost = Crew(endpoint="e", worker="load1w1", what=CrewWord.LOST, at=9 * SECOND)
    done = Crew(endpoint="e", worker="load1w1", what=CrewWord.DONE, at=9 * SECOND)
    rows = [row(n) for n in range(100)]
    broken, whole = (figures(run(rows, phases=(start,), crew=(line,))) for line in (lost, done))
    assert set(whole) - set(broken) == {NightMeasure.TTFT_P99, NightMeasure.DECODE}
    assert broken[NightMeasure.LOST] == whole[NightMeasure.LOST]


def test_a_percentile_that_lies_beyond_all_that_was_measured_says_so():
    found = figures(
        run([*(row(n) for n in range(90)), *(row(n, first_s=None, outcome="deadline") for n in range(90, 100))])
    )
    assert (found[NightMeasure.TTFT_P99].value, found[NightMeasure.TTFT_P99].beyond) == (0.5, True)
    assert found[NightMeasure.TTFT_P99].high is None


def test_nothing_measured_is_nothing_told():
    assert figures(run([])) == {}
    silent = figures(run([row(n, first_s=None, outcome="refused", tokens=0) for n in range(3)]))
    assert set(silent) == {"requests", "lost", "disowned"}


REST = (
    Phase(endpoint="e", what=Stage.START, at=0),
    Phase(endpoint="e", what=Stage.PHASE, at=0, name="closed", sort=PhaseSort.CLOSED),
    Phase(endpoint="e", what=Stage.PHASE, at=10 * SECOND, name="rest", sort=PhaseSort.REST),
    Phase(endpoint="e", what=Stage.DRAIN, at=20 * SECOND),
    Phase(endpoint="e", what=Stage.END, at=21 * SECOND),
)


def test_memory_at_rest_is_that_of_all_processes_in_the_phase_of_rest():
    samples = (sample(5, 900 * MB), sample(12, 100 * MB), sample(15, 300 * MB), sample(18, 200 * MB), sample(30, MB))
    children = (sample(11, 50 * MB, pid=2, parent=1),)
    found = figures(run([row(1)], phases=REST, samples=samples, children=children))[NightMeasure.REST]
    assert (found.value, found.low, found.high, found.n) == (250 * MB, 150 * MB, 350 * MB, 3)


NEXT = {"pid": 7, "incarnation": "b:7:7"}
"""Of the main process of the next life."""


def test_what_held_memory_in_an_earlier_life_or_has_ended_holds_none_at_rest():
    samples = (sample(3, 100 * MB), sample(4, 900 * MB), sample(8, 70 * MB, **NEXT), sample(12, 80 * MB, **NEXT))
    children = (
        sample(4, 50 * MB, pid=2, parent=1),
        sample(7, 20 * MB, pid=8, parent=7, incarnation="b:8:8"),
        sample(7, 30 * MB, pid=9, parent=7, incarnation="b:9:9"),
    )
    ended = Event(what=Happening.EXIT, name="e", at=9 * SECOND, pid=9)
    found = figures(run([row(1)], phases=REST, samples=samples, children=children, events=(ended,)))
    assert (found[NightMeasure.REST].value, found[NightMeasure.REST].n) == (100 * MB, 1)


def test_of_a_soak_without_such_a_phase_it_is_what_is_held_when_it_has_ended():
    phases = tuple(line for line in REST if line.sort != PhaseSort.REST)
    found = figures(run([row(1)], phases=phases, samples=(sample(12, 100 * MB), sample(22, 70 * MB))))
    assert found[NightMeasure.REST].value == 70 * MB
    assert NightMeasure.REST not in figures(run([row(1)], phases=phases, samples=(sample(12, 100 * MB),)))


def test_a_judgement_that_cannot_be_read_has_no_figures():
    soaks = {"e": run([row(1)])}
    line = Judgement(case="soak/x[s]@e", endpoint="e", rule="soak/x")
    assert "requests" in measured.of_soaks(soaks, [line])["e"]
    for settings in ({"settings": 5}, {"settings": {"stopped": [["x", 1]]}}, {"settings": {"stopped": 7}}):
        spoilt = Judgement(case="soak/x[s]@e", endpoint="e", rule="soak/x", expect=settings)
        assert measured.of_soaks(soaks, [spoilt]) == {}
