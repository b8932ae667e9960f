"""A soak whose load or recorder did not do its own work: no verdict on the server, but for what the record proves.

Whole run directories, judged as ``seatrial judge`` judges them: each bound just beyond it, and just below it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from seatrial.checks.areas.soak import validity
from seatrial.checks.catalogue import load_all
from seatrial.checks.rules import Rule
from seatrial.detectors.harness import CPU, DISPATCH_S, LOOP_S, LOST, STEP_S
from seatrial.judging.run import JudgedRun, judge
from seatrial.records import (
    SECOND,
    Clock,
    Counters,
    Crew,
    CrewWord,
    Endpoint,
    Event,
    Expect,
    Happening,
    Judgement,
    Line,
    LoadPulse,
    LoadRow,
    Outcome,
    Phase,
    Planned,
    Probe,
    Ready,
    Record,
    RunInfo,
    SoakRun,
    Stage,
)
from seatrial.run import sums
from seatrial.run.directory import RunDir
from seatrial.run.writer import encode
from tests.detectors import nights
from tests.detectors.records import NAME, START, at, lines

MINUTES = 130
END_S = 60 * MINUTES
TERMINATE, ANSWERED = "soak/streams-terminate", "soak/requests-are-answered"
REQUESTS, TOKENS = "soak/requests-agree-with-the-server", "soak/tokens-agree-with-the-server"
MEMORY, PACE = "soak/memory-does-not-grow", "soak/pace-does-not-decay"
MEASURED = frozenset({TERMINATE, ANSWERED, PACE, MEMORY})
"""Rules whose PASS rests on what the load measured, or on its having been there."""


def night(*faults: str) -> list[Line]:
    """A soak of two hours, with these of the simulated faults in it."""
    sim = nights.Sim(np.random.default_rng(5), MINUTES, phi=0.5, noise=0.5)
    sim.work, sim.broken = np.full(MINUTES, 10.0), np.zeros(MINUTES)
    effects = {effect.name: effect for effect in nights.EFFECTS}
    for name in faults:
        effects[name].put(sim, effects[name].sizes[-1])
    return list(lines(sim))


def judged(path: Path, soak: Iterable[Line]) -> JudgedRun:
    """The soak as a run directory without a watch, judged by the rules that this file is about."""
    info = RunInfo(id="r", started="2026-11-24T22:51:03Z", started_ns=1, boot_id="b", arguments=(), versions={}, seed=0)
    run = RunDir.create(path, info, with_sums=False)
    run.write_endpoint(Endpoint(name=NAME, url="http://h/v1", kind="generic", model="m", models=("m",)))
    rules = {rule.id: rule for rule in load_all().values()}
    run.write_planned([planned(rules[name]) for name in (*sorted(MEASURED), REQUESTS, TOKENS)])
    with (path / "load" / "load1.jsonl").open("wb") as file:
        file.writelines(encode(line) + b"\n" for line in soak)
    writer = run.writer("main")
    for name in (*sorted(MEASURED), REQUESTS, TOKENS):
        writer.write("judgements.jsonl", Judgement(case=case(name), endpoint=NAME, rule=name))
    writer.close()
    return judge(run)


def planned(rule: Rule) -> Planned:
    return Planned(case=case(rule.id), endpoint=NAME, rule=rule.id, scenario="closed", suite="soak")


def case(rule: str) -> str:
    return f"{rule}[closed]@{NAME}"


def words(found: JudgedRun) -> dict[str, Outcome]:
    return {one.rule: one.outcome for one in found.cases}


# our own part, as lines that a load and a recorder would have left; ``x`` is what is measured, in parts of its bound


def late(soak: list[Line], x: float) -> list[Line]:
    delay = round(x * DISPATCH_S * SECOND)
    return [
        msgspec.structs.replace(row, intended_at=row.sent_at - delay) if isinstance(row, LoadRow) else row
        for row in soak
    ]


def pulses(lag_s: float, cpu: float, writer: str = "load1") -> list[Line]:
    told = {"endpoint": NAME, "looks": 200, "lag_ns": round(lag_s * SECOND), "lag_most_ns": 10**9}
    return [
        LoadPulse(w=writer, t=at(second + 10), since=at(second), cpu_ns=round(cpu * 10 * SECOND), **told)
        for second in range(0, END_S, 10)
    ]


def lagging(soak: list[Line], x: float) -> list[Line]:
    return [*soak, *pulses(0.0001, 0.1), *pulses(x * LOOP_S, 0.1, "load1w2")]


def busy(soak: list[Line], x: float) -> list[Line]:
    """One minute of two hours is too much for one process."""
    own = pulses(0.0001, 0.1)
    own[100:106] = pulses(0.0001, x * CPU)[100:106]
    return [*soak, *own]


def stepped(soak: list[Line], x: float) -> list[Line]:
    return [*soak, *clocks(lambda second: round(x * STEP_S * SECOND * (second > 900)))]


def clocks(moved) -> list[Line]:
    return [
        Clock(w="load1", t=at(second), wall_ns=at(second) + moved(second), boot_ns=at(second), raw_ns=at(second))
        for second in range(END_S)
    ]


def unlooked(soak: list[Line], x: float) -> list[Line]:
    """The recorder misses looks, in one gap and one by one."""
    missed = round(x * LOST * END_S)
    gone = {*range(1000, 1000 + missed // 2), *range(2000, 2000 + 2 * (missed - missed // 2), 2)}
    return [*soak, *looks(second for second in range(END_S) if second not in gone)]


def looks(seconds: Iterable[int]) -> list[Line]:
    return [Probe(w="recorder", t=at(second), name=NAME, listens=True) for second in seconds]


def crewed(soak: list[Line], *ends: Crew) -> list[Line]:
    told = {"endpoint": NAME, "worker": "load1w1"}
    return [*soak, Crew(w="load1", n=0, t=at(1), what=CrewWord.JOINED, at=at(1), **told), *ends]


def crew(what: CrewWord, second: float, **more: int) -> Crew:
    return Crew(w="load1", t=at(second), endpoint=NAME, worker="load1w1", what=what, at=at(second), **more)


BOUNDS = {
    "dispatch": (late, "requests left 5"),
    "loop": (lagging, "the load's event loop lagged by 5."),
    "cpu": (busy, "a process of the load took 7"),
    "clock": (stepped, "the wall clock was stepped by 1."),
    "looks": (unlooked, "of the recorder's looks are missing"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_beyond_a_bound_nothing_that_was_measured_is_a_verdict(tmp_path: Path, name: str) -> None:
    spoil, said = BOUNDS[name]
    found = judged(tmp_path / "r", spoil(night(), 1.05))
    assert {rule: words(found)[rule] for rule in MEASURED} == dict.fromkeys(MEASURED, Outcome.INCONCLUSIVE)
    assert all(said in one.why for one in found.cases if one.rule in MEASURED)
    assert found.verdict.exit == 10
    endpoint = found.verdict.endpoints[NAME]
    assert endpoint.verdict is Ready.NOT_PROVEN
    assert f"no verdict, for {said}" in endpoint.figures["soak"] or f"% {said}" in endpoint.figures["soak"]
    assert [said in reason.text for reason in endpoint.reasons if "the load" in reason.text] == [True]  # one cause


@pytest.mark.parametrize("name", BOUNDS)
def test_just_below_a_bound_all_of_it_is(tmp_path: Path, name: str) -> None:
    spoil, _ = BOUNDS[name]
    found = judged(tmp_path / "r", spoil(night(), 0.95))
    assert {rule: words(found)[rule] for rule in MEASURED} == dict.fromkeys(MEASURED, Outcome.PASS)
    assert "no verdict" not in found.verdict.endpoints[NAME].figures["soak"]
    assert next(one.figures for one in found.cases if one.rule == TERMINATE)["soak: our own part"]


@pytest.mark.parametrize("name", BOUNDS)
def test_what_the_record_itself_proves_stands_beyond_a_bound(tmp_path: Path, name: str) -> None:
    spoil, _ = BOUNDS[name]
    found = judged(tmp_path / "r", spoil(night("errors from half time on", "memory leaked", "pace decays"), 1.05))
    assert words(found)[TERMINATE] is Outcome.FAIL  # a stream that was cut was cut
    assert words(found)[MEMORY] is Outcome.FAIL
    assert words(found)[PACE] is Outcome.INCONCLUSIVE
    assert found.verdict.exit == 1


MISSING = {
    "lost": ((crew(CrewWord.LOST, 600, last=40), crew(CrewWord.GAP, 601, first=41)), "went away after 600 s"),
    "no end": ((), "worker load1w1 has no end in the record"),
    "gap": (
        (crew(CrewWord.GAP, 50, first=7, last=9), crew(CrewWord.DONE, END_S)),
        "worker load1w1: lines 7 to 9 are missing",
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_worker_that_is_missing_makes_a_soak_invalid_and_no_counter_a_liar(tmp_path: Path, name: str) -> None:
    ends, said = MISSING[name]
    more = [
        msgspec.structs.replace(line, requests=0 if line.phase == "before" else 10**6, tokens=0)
        if isinstance(line, Counters)
        else line
        for line in night()
    ]
    found = judged(tmp_path / "r", crewed(more, *ends))
    assert set(words(found).values()) == {Outcome.INCONCLUSIVE}
    assert all(said in one.why for one in found.cases)
    assert found.verdict.exit == 10
    broken = judged(tmp_path / "broken", crewed(night("errors from half time on"), *ends))
    assert words(broken)[TERMINATE] is Outcome.FAIL
    assert broken.verdict.exit == 1


def test_workers_that_ended_well_are_nothing_to_tell(tmp_path: Path) -> None:
    found = judged(tmp_path / "r", crewed(night(), crew(CrewWord.DONE, END_S)))
    assert {rule: words(found)[rule] for rule in MEASURED} == dict.fromkeys(MEASURED, Outcome.PASS)


def test_a_worker_that_left_nothing_is_missing_too(tmp_path: Path) -> None:
    soak = [
        msgspec.structs.replace(line, facts={**line.facts, "workers": "2"})
        if isinstance(line, Phase) and line.what == Stage.START
        else line
        for line in crewed(night(), crew(CrewWord.DONE, END_S))
    ]
    assert "1 of 2 workers left nothing" in judged(tmp_path / "r", soak).cases[0].why


def test_a_recorder_has_nothing_to_look_at_while_a_server_is_stopped(tmp_path: Path) -> None:
    seen = looks(second for second in range(END_S) if not 1000 < second < 2000)
    run = SoakRun.of(NAME, Record([*night(), *seen]))
    assert (validity.ours(run, Expect()).lost or 0) > LOST
    stopped = [[START + 1000 * SECOND, START + 2000 * SECOND]]
    assert validity.ours(run, Expect(settings={"stopped": stopped})).lost == 0


def test_a_machine_that_slept_is_no_machine_whose_clock_was_stepped(tmp_path: Path) -> None:
    awake = clocks(lambda _: 0)
    slept = [
        msgspec.structs.replace(line, boot_ns=line.boot_ns + 600 * SECOND, wall_ns=line.wall_ns + 600 * SECOND)
        if line.t > at(900)
        else line
        for line in awake
    ]
    found = judged(tmp_path / "r", [*night(), *slept])
    assert "no verdict, for the machine slept for 600 s" in found.verdict.endpoints[NAME].figures["soak"]
    assert "stepped" not in found.verdict.endpoints[NAME].figures["soak"]


@pytest.mark.parametrize("named", [True, False])
def test_a_gap_that_is_named_costs_figures_and_one_that_is_not_costs_everything(tmp_path: Path, named: bool) -> None:
    """What a master knows to be missing is no damage: what is there still proves that streams were cut."""
    info = RunInfo(id="r", started="2026-11-24T22:51:03Z", started_ns=1, boot_id="b", arguments=(), versions={}, seed=0)
    run = RunDir.create(tmp_path / "r", info)
    run.write_endpoint(Endpoint(name=NAME, url="http://h/v1", kind="generic", model="m", models=("m",)))
    rule = next(rule for rule in load_all().values() if rule.id == TERMINATE)
    run.write_planned([planned(rule)])
    soak = crewed(night("errors from half time on"), crew(CrewWord.DONE, END_S))
    if named:
        soak.append(crew(CrewWord.GAP, 60, first=4, last=9))
    with (run.path / "load" / "load1.jsonl").open("wb") as file:
        for n, line in enumerate(sorted(soak, key=lambda line: line.t), 1):
            own = msgspec.structs.replace(line, n=n if n < 4 else n + 6, w="load1w1")
            file.write(sums.signed(encode(own), run.begin) + b"\n")
    writer = run.writer("main")
    writer.write("judgements.jsonl", Judgement(case=case(TERMINATE), endpoint=NAME, rule=TERMINATE))
    writer.close()
    with run.watch_writer("keeper").folder.joinpath("events.jsonl").open("wb") as file:
        seal = Event(w="keeper", n=1, t=at(END_S + 99), what=Happening.SEAL, name="", at=at(END_S + 99))
        file.write(sums.signed(encode(seal), run.begin) + b"\n")
    found = judge(run)
    assert words(found)[TERMINATE] is (Outcome.FAIL if named else Outcome.INCONCLUSIVE)
    assert found.run.damage.lost == ({} if named else {"load1w1": 6})
    assert found.verdict.exit == (1 if named else 10)
