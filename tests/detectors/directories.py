"""A simulated night as a whole run directory, and whether what is judged of it is what was simulated.

What a load, a recorder and a keeper leave of a soak stands there, under sums and numbers: requests before they are sent
and after, canaries, phases, the server's counters, looks at its process, its socket and its log, judgements, the seal.
The recorder looks once a second at the socket, and at the process every ten seconds: so many lines tell the same.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from seatrial.checks.areas.soak import parts, worsening
from seatrial.checks.catalogue import AREAS, load_all
from seatrial.detectors import minutes
from seatrial.detectors.night import judge as judge_series
from seatrial.detectors.words import NOT_TESTED, Call, Course, Detector, Night, Sighting
from seatrial.judging import soaks
from seatrial.judging.run import JudgedRun
from seatrial.records import (
    NO_STOP,
    SECOND,
    STREAMS,
    Clock,
    Counters,
    Endpoint,
    Event,
    Expect,
    Happening,
    Judgement,
    Line,
    LoadRow,
    Outcome,
    Planned,
    Probe,
    RunInfo,
    Sent,
    SoakRun,
)
from seatrial.run import sums
from seatrial.run.directory import RunDir
from seatrial.run.writer import encode
from tests.detectors import records
from tests.detectors.nights import MINUTE_S, Sim
from tests.detectors.records import NAME, PID, REST_S, SORTS, at

LOOKED_S = 10
"""Seconds between two looks at the process."""

CACHING, PLAIN = "llama.cpp", "generic"
"""The kind of a server whose own cache may take what is simulated, and one of which nothing is known."""

FILES = {
    "sent": "writers/load1-7/exchanges.jsonl",
    "load": "load/load1.jsonl",
    "watch": "watch/samples.jsonl",
    "events": "watch/events.jsonl",
    "judged": "writers/main-1/judgements.jsonl",
    "seal": "watch/keeper/events.jsonl",
}
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def write(path: Path, sim: Sim) -> RunDir:
    """The night as the run directory of a soak that was judged at its end."""
    info = RunInfo(id=path.name, started="2026-02-01T20:00:00+00:00", started_ns=at(0), boot_id="b", arguments=(),
                   versions={}, seed=0, options={"soak_s": sim.minutes * MINUTE_S})  # fmt: skip
    run = RunDir.create(path, info)
    page = Endpoint(name=NAME, url="http://127.0.0.1:8080/v1", kind=CACHING if sim.cache else PLAIN, model="m",
                    models=("m",), slots=4, pid=PID)  # fmt: skip
    run.write_endpoint(page)
    rules = [rule for rule in load_all(AREAS).values() if rule.shape == "soak"]
    traits = tuple(sorted(map(str, parts.COUNTED | parts.CANARIED)))
    plan = [
        Planned(case=_case(rule.id), endpoint=NAME, rule=rule.id, scenario="closed", suite="soak", traits=traits)
        for rule in rules
    ]
    run.write_planned(plan)
    expect = msgspec.to_builtins(Expect.of(page, settings=soaks.settings(page, ())))
    end = at(sim.minutes * MINUTE_S + REST_S)
    judged = [
        ("judged", Judgement(w="main", t=end, case=each.case, endpoint=NAME, rule=each.rule, expect=expect))
        for each in plan
    ]
    rows = sorted(records.rows(sim), key=lambda row: row.sent_at)
    with ExitStack() as stack:
        out = _Out(run, stack, rows)
        for file, line in [*sorted(_written(sim, rows), key=lambda each: each[1].t), *judged]:
            out.write(file, line)
        facts = {"lines": json.dumps({**out.numbers, "plan": len(plan)})}
        out.write("seal", Event(w="keeper", t=end + SECOND, what=Happening.SEAL, name="keeper", at=end, facts=facts))
    return run


class _Out:
    """Writes lines in order of time: each gets the next number of its writer, and a row the name of its request.

    Args:
        rows: in order of sending.
    """

    def __init__(self, run: RunDir, stack: ExitStack, rows: Sequence[LoadRow]) -> None:
        self.numbers: Counter[str] = Counter()
        self._sent = iter(rows)
        self._names: dict[str, str] = {}
        self._begin = sums.start(run.info.id)
        self._files = {}
        for name, place in FILES.items():
            (run.path / place).parent.mkdir(parents=True, exist_ok=True)
            self._files[name] = stack.enter_context((run.path / place).open("wb"))

    def write(self, file: str, line: Line) -> None:
        self.numbers[line.w] += 1
        n = self.numbers[line.w]
        if isinstance(line, Sent):
            self._names[next(self._sent).id] = f"{line.w}-{n}"
        elif isinstance(line, LoadRow):
            line = msgspec.structs.replace(line, id=self._names.pop(line.id))
        stamped = msgspec.structs.replace(line, v=2, n=n)
        self._files[file].write(sums.signed(encode(stamped), self._begin) + b"\n")


def _written(sim: Sim, rows: Sequence[LoadRow]) -> Iterator[tuple[str, Line]]:
    for row in rows:
        yield "sent", Sent(w="load1", t=row.sent_at, endpoint=NAME, scenario="soak", method="POST",
                           path="/chat/completions", load=True)  # fmt: skip
        yield "load", row
    end = sim.minutes * MINUTE_S + REST_S
    requests, tokens = len(rows), sum(row.tokens or 0 for row in rows)
    prompts = sum(row.prompt_tokens or 0 for row in rows)
    totals = ((0.0, "before", 0, 0, 0), (end, "after", requests, tokens, prompts))
    for when, phase, *counts in totals:
        yield "load", Counters(w="load1", t=at(when), endpoint=NAME, phase=phase, requests=counts[0], tokens=counts[1],
                               prompt_tokens=counts[2], source="/metrics")  # fmt: skip
    yield from (("load", line) for line in records.phases(sim))
    yield from (("watch", line) for line in records.seen(sim, LOOKED_S))
    yield "events", Event(w="recorder", t=at(0), what=Happening.FOUND, name=NAME, at=at(0), pid=PID, incarnation="1",
                          started_ticks=5)  # fmt: skip
    for second in range(int(end)):
        now = at(second)
        yield "watch", Probe(w="recorder", t=now, name=NAME, listens=True, inode=77, queue=0, owner=PID, health=200,
                             health_ns=800_000, oom_host=0, oom_cgroup=0)  # fmt: skip
        for writer, file in (("recorder", "watch"), ("load1", "load")):
            yield file, Clock(w=writer, t=now, wall_ns=now + 1_700_000_000 * SECOND, boot_ns=now, raw_ns=now)


def _case(rule: str) -> str:
    return f"{rule}[closed]@{NAME}"


# what is judged, beside what was simulated


def as_judged(night: Night) -> Night:
    """The series as judging looks at them: nothing is timed in a phase whose load is made to move."""

    def timed(course: Course | None) -> Course | None:
        if course is None:
            return None
        moving = [code for code, sort in enumerate(SORTS) if sort not in minutes.STEADY]
        return replace(course, phase=np.where(np.isin(course.phase, moving), -1, course.phase))

    shares = {name: kept for name, course in night.parts.items() if (kept := timed(course)) is not None}
    return replace(night, canary=timed(night.canary), decode=timed(night.decode), parts=shares)


@dataclass(frozen=True)
class Alike:
    """A night judged both ways.

    Attributes:
        series: what detectors say of the simulated series.
        records: what they say of those that judging computes from the records.
        wrong: where the two, or the outcomes of the cases, differ.
    """

    series: Mapping[Detector, Sighting]
    records: Mapping[Detector, Sighting]
    wrong: tuple[str, ...]

    @property
    def called(self) -> dict[Detector, Sighting]:
        """What is called of the records."""
        return {name: each for name, each in self.records.items() if each.word in {Call.FOUND, Call.BOUNDED}}


def alike(sim: Sim, judged: JudgedRun) -> Alike:
    """Hold a night, as it was simulated, against its run directory, as it was judged."""
    run = SoakRun.of(NAME, judged.lines)
    expect = Expect.of(judged.endpoints[NAME], settings=soaks.settings(judged.endpoints[NAME], judged.stops))
    cache = float(expect.settings["cache"])
    made = minutes.night(run, parts.parts(run, expect).judged, parts.intervals(expect), cache)
    drawn = as_judged(sim.night())
    series, told = judge_series(drawn), worsening.seen(run, expect)
    wrong = [] if made is None else list(_other_series(drawn, made))
    wrong += [text for name in Detector for text in _other_word(series[name], told[name])]
    wrong += list(_other_outcomes(told, judged))
    wrong += [f"a stop {stop.family}" for stop in judged.stops if stop.family not in NO_STOP | STREAMS]
    return Alike(series, told, tuple(wrong) if made is not None else ("nothing can be read of the records",))


def _other_series(drawn: Night, made: Night) -> Iterator[str]:
    pairs: dict[str, tuple[Course | None, Course | None]] = {
        name: (getattr(drawn, name), getattr(made, name))
        for name in ("canary", "decode", "work", "asked", "broken", "log")
    }
    pairs |= {str(name): (course, made.levels.get(name)) for name, course in drawn.levels.items()}
    pairs |= {str(name): (course, made.parts.get(name)) for name, course in drawn.parts.items()}
    for name, (one, other) in pairs.items():
        if one is None or other is None or len(one.at) != len(other.at):
            yield f"{name}: no such series"
            continue
        looked = (one.phase >= 0) | (name == "log")  # of a log all of it is
        if name != "log" and not np.array_equal(looked, other.phase >= 0):
            yield f"{name}: other minutes are looked at"
        if not np.allclose(one.at, other.at):
            yield f"{name}: other times"
        if not np.allclose(one.load, other.load, rtol=0.01):
            yield f"{name}: another load"
        if not np.allclose(one.values[looked], other.values[looked], rtol=1e-3, atol=0.02 if name == "log" else 1e-4):
            yield f"{name}: other values"


def _other_word(series: Sighting, told: Sighting) -> Iterator[str]:
    if series.word is not told.word:
        yield f"{told.detector}: {told.word} of the records, {series.word} of the series"
    elif told.word in {Call.FOUND, Call.BOUNDED}:
        if series.onset_s != told.onset_s and abs((series.onset_s or 0) - (told.onset_s or 0)) > MINUTE_S:
            yield f"{told.detector}: since {told.onset_s} s, not {series.onset_s} s"
        if not sizes_agree(series.got, told.got):
            yield f"{told.detector}: {told.got!r}, not {series.got!r}"


def sizes_agree(one: str, other: str) -> bool:
    """Whether two sizes are the same words, and numbers that are alike within one of their last digit."""
    numbers, others = NUMBER.findall(one), NUMBER.findall(other)
    if NUMBER.sub("#", one) != NUMBER.sub("#", other) or len(numbers) != len(others):
        return False
    return all(abs(float(a) - float(b)) <= max(_last(a), _last(b)) for a, b in zip(numbers, others, strict=True))


def _last(number: str) -> float:
    """One of the last digit that a number shows."""
    mantissa, _, exponent = number.partition("e")
    return float(10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])))


WORDS = {Call.CLEAR: Outcome.PASS, Call.FOUND: Outcome.FAIL, Call.BOUNDED: Outcome.ADVISORY}
"""What a case comes to by the word of its detector; what is not tested is UNSUPPORTED."""


def _other_outcomes(told: Mapping[Detector, Sighting], judged: JudgedRun) -> Iterator[str]:
    rules = load_all(AREAS)
    for case in judged.cases:
        name = worsening.detector_of(rules[case.rule])
        if name is None:
            continue
        wanted = Outcome.UNSUPPORTED if told[name].word in NOT_TESTED else WORDS[told[name].word]
        if case.outcome is not wanted:
            yield f"{case.rule}: {case.outcome}, not {wanted}: {case.why}"
        if told[name].word is Call.FOUND and not any(told[name].got in each.got for each in case.findings):
            yield f"{case.rule} does not say {told[name].got!r}"
