"""What the verdict says about the watch: for how long, and whether to the end."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.records import Clock, Endpoint, Judged, Line, NotTested, Outcome, Ready, Record, Verdict
from seatrial.stops import fold
from seatrial.verdict.summary import Beside, summarise
from tests.stops.simulation import S, World

GOLD = Endpoint(name="a", url="http://127.0.0.1:1/v1", kind="generic", model="m", models=("m",))
PASSED = Judged(case="r[s]@a", endpoint="a", rule="r", scenario="s", suite="soak", outcome=Outcome.PASS)

ANSWERED = {"a": {"plain": True}}


def of_suite(suite: str, outcome: Outcome = Outcome.PASS) -> Judged:
    return Judged(case=f"r[{suite}]@a", endpoint="a", rule="r", scenario=suite, suite=suite, outcome=outcome)


@pytest.mark.parametrize(
    ("cases", "asked", "word", "said"),
    [
        ([of_suite("soak")], {}, "READY", []),
        ([of_suite("soak")], {"soak": ""}, "READY", []),
        (
            [of_suite("soak")],
            {"soak": "", "behaviour": "too little"},
            "NOT PROVEN",
            ["suite behaviour was asked for and did not run: too little"],
        ),
        (
            [of_suite("soak")],
            {"soak": "", "behaviour": ""},
            "NOT PROVEN",
            ["suite behaviour was asked for and did not run: no case of it is in the plan"],
        ),
        (
            [of_suite("soak"), of_suite("behaviour", Outcome.UNSUPPORTED)],
            {"soak": "", "behaviour": ""},
            "NOT PROVEN",
            ["no case of behaviour passed"],
        ),
        (
            [of_suite("soak", Outcome.FAIL)],
            {"soak": "", "behaviour": "too little"},
            "NOT READY",
            ["no case of soak passed", "suite behaviour was asked for and did not run: too little"],
        ),
    ],
)
def test_every_suite_that_was_asked_for_needs_a_pass(cases, asked, word, said):
    found = summarise(
        run="r",
        endpoints={"a": GOLD},
        cases=cases,
        stops=[],
        record=Record(),
        waived=[],
        not_tested=[],
        beside=Beside(answered=ANSWERED, asked=asked),
    ).endpoints["a"]
    assert found.verdict == word
    assert sorted(reason.text for reason in found.reasons if reason.word == "NOT PROVEN") == said


def beats(*seconds: float) -> list[Line]:
    return [Clock(w="recorder", t=int(s * S), wall_ns=0, boot_ns=int(s * S), raw_ns=0) for s in seconds]


def judged(lines: list[Line]) -> Verdict:
    return summarise(run="r", endpoints={"a": GOLD}, cases=[PASSED], stops=fold.fold(lines), record=Record(lines),
                     waived=[], not_tested=[], beside=Beside(answered=ANSWERED))  # fmt: skip


@pytest.mark.parametrize(
    ("watched", "last", "said"),
    [
        (range(11), 12.5, "none; watched for 10 s without a gap"),
        (range(11), 15.0, "none; watched for 10 s with 1 gaps, 5.0 s in all"),
        ((0, 1, 6, 7), 12.0, "none; watched for 7 s with 2 gaps, 10.0 s in all"),
        ((0,), 1.0, "none; watched for 0 s without a gap"),
        ((0,), 9.0, "none; watched for 0 s with 1 gaps, 9.0 s in all"),
        ((), 9.0, "none; not watched: the recorder wrote no heartbeat"),
    ],
)
def test_a_watch_that_ended_before_the_run_has_a_gap(watched, last, said):
    written = NotTested(w="main", t=int(last * S), what="x", why="y")
    assert judged([*beats(*watched), written]).endpoints["a"].figures["stops"] == said


def test_who_was_not_watched_to_the_end_is_not_proven():
    world = World(3).run_for(8)
    assert judged(list(world.lines())).endpoints["a"].verdict is Ready.READY
    world.paused = True
    verdict = judged(list(world.run_for(6).lines()))
    assert verdict.exit == 10
    assert verdict.endpoints["a"].verdict is Ready.NOT_PROVEN
    assert [(r.word, r.text) for r in verdict.endpoints["a"].reasons] == [("INCONCLUSIVE", "UNOBSERVED; pid 4123")]


@pytest.mark.parametrize(("named", "told"), [("", 0), ("m", 0), ("/models/m.gguf", 1)])
def test_a_name_that_is_another_than_the_one_asked_for_is_told(named, told):
    endpoints = {"a": msgspec.structs.replace(GOLD, named=named), "b": msgspec.structs.replace(GOLD, named="alias")}
    verdict = summarise(run="r", endpoints=endpoints, cases=[PASSED], stops=[], record=Record(), waived=[],
                        not_tested=[], beside=Beside(answered=ANSWERED))  # fmt: skip
    said = ["a: asked for m, its first answer calls the model /models/m.gguf"]
    assert list(verdict.notices) == said[:told]
    assert verdict.endpoints["a"].verdict is Ready.READY
