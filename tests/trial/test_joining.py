"""A run that goes on with another: what is asked again, and what is joined."""

from __future__ import annotations

import shutil

import msgspec
import pytest
from msgspec.structs import replace

from seatrial.behaviour.probes.talk import twins
from seatrial.checks.own.word import HOLDS
from seatrial.judging.run import judge
from seatrial.oracles import node
from seatrial.records import (
    OWN_SETTING,
    OWN_SUITE,
    Event,
    Happening,
    Judgement,
    Outcome,
    OwnTold,
    OwnWord,
    Received,
    Sent,
)
from seatrial.stops.fold import fold
from seatrial.trial.joining import before, join
from seatrial.trial.selection import Kept, Selection, repeat
from tests.trial.joined import (
    ANSWERED,
    BAD,
    GOOD,
    GREEN,
    OPTIONS,
    PAGE,
    PLANS,
    REFUSED,
    REQUEST,
    ROLE,
    again,
    asked,
    begun,
    cut,
    plan,
    reasons,
    replace_options,
    sealed,
    words,
)

SOAK = "soak/every-stream-ends"


def test_what_was_not_green_is_asked_again_and_the_rest_is_judged_from_the_new_run_alone(tmp_path):
    cut(tmp_path / "a")
    run = again(tmp_path / "b", {"bad": GOOD, "late": GOOD}, rerun="a")
    shutil.rmtree(tmp_path / "a")
    found = judge(run).verdict
    assert words(run) == GREEN
    assert reasons(found) == []
    assert found.joined == {"a": (f"{ANSWERED}[good]@e", f"{ROLE}[good]@e")}
    assert "2 of 6 cases joined from run a: judged on what was answered there" in found.notices
    exchange = judge(run).exchange("joined-1")
    assert exchange is not None
    assert exchange.raw == GOOD


def test_a_run_that_was_cut_goes_on_where_it_was_whatever_came_of_what_was_judged(tmp_path):
    cut(tmp_path / "a")
    run = again(tmp_path / "b", {"late": GOOD}, resume="a")
    assert words(run) == GREEN | {f"{ROLE}[bad]": Outcome.FAIL}
    assert len(judge(run).verdict.joined["a"]) == 4


def test_a_run_may_go_on_with_one_that_went_on_with_another(tmp_path):
    cut(tmp_path / "a")
    again(tmp_path / "b", {"bad": BAD, "late": GOOD}, rerun="a")
    run = again(tmp_path / "c", {"bad": GOOD}, rerun="latest" if (tmp_path / "latest").exists() else "b")
    assert words(run) == GREEN
    assert {name: len(cases) for name, cases in judge(run).verdict.joined.items()} == {"a": 2, "b": 2}


def test_what_is_joined_is_no_cause_of_what_was_answered_now(tmp_path):
    """Else the case would hang on one that passed then, and prove nothing."""
    run = begun(tmp_path / "a", PLANS[:2])
    asked(run, {"good": BAD})
    sealed(run)
    old = before(replace_options(resume="a"), tmp_path)
    assert old is not None
    new = begun(tmp_path / "b", [PLANS[1], *old.planned([PLANS[0]])])
    join(new, old, old.planned([PLANS[0]]), {"e": PAGE}, OPTIONS)
    writer = new.writer("main")
    told = {"endpoint": "e", "scenario": "sse/good", "method": "POST", "path": "/v1/chat/completions"}
    request, response = writer.store(REQUEST), writer.store(REFUSED)
    sent = writer.write("exchanges.jsonl", Sent(**told, request=request))
    writer.write("exchanges.jsonl", Received(id=sent.id, **told, request=request, response=response))
    case = PLANS[1].case
    writer.write("judgements.jsonl", Judgement(case=case, endpoint="e", rule=ROLE, exchanges={"only": sent.id}))
    writer.close()
    assert words(sealed(new)) == {f"{ANSWERED}[good]": Outcome.PASS, f"{ROLE}[good]": Outcome.FAIL}


@pytest.mark.parametrize("option", ["rerun", "resume"])
def test_an_own_test_is_asked_again_with_all_that_rules_read_of_it(tmp_path, option):
    """It may be another test by now, and what rules found in its answers hangs on no plan."""
    own = plan(HOLDS.id, "mine.test_x", OWN_SUITE)
    run = begun(tmp_path / "a", [*PLANS, own])
    ids = asked(run, {"good": GOOD})
    writer = run.writer("own")
    told = msgspec.to_builtins(OwnTold(word=OwnWord.HELD, test="x"))
    line = Judgement(case=own.case, endpoint="e", rule=own.rule, exchanges={"1": ids[0]}, suite=OWN_SUITE)
    writer.write("judgements.jsonl", replace(line, expect={"settings": {OWN_SETTING: told}}))
    writer.close()
    sealed(run)
    old = before(replace_options(**{option: "a"}), tmp_path)
    assert old is not None
    assert {case.case: case.outcome for case in old.judged.cases}[own.case] is Outcome.PASS
    chosen = Selection()
    assert own in [[*PLANS, own][n] for n in repeat([*PLANS, own], old.cases, chosen)]
    assert own.case not in {each.case for each in chosen.joined}


def test_what_the_sdk_for_node_read_is_joined_by_the_id_of_the_copy(tmp_path):
    case = plan(node.RULE, "good")
    run = begun(tmp_path / "a", [case, PLANS[1]])
    (sent,) = asked(run, {"good": GOOD})
    answer = {"choices": [{"index": 0, "role": "assistant", "content": "a", "finish_reason": "stop"}]}
    writer = run.writer("own")
    expect = {"settings": {node.SETTING: {sent: {"answer": answer}}}}
    line = Judgement(case=case.case, endpoint="e", rule=node.RULE, exchanges={"only": sent}, expect=expect)
    writer.write("judgements.jsonl", line)
    writer.close()
    sealed(run)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    new = begun(tmp_path / "b", joined := old.planned([case]))
    join(new, old, joined, {"e": PAGE}, OPTIONS)
    assert words(sealed(new)) == {f"{node.RULE}[good]": Outcome.PASS}


def test_the_questions_of_same_are_joined_with_their_answers(tmp_path):
    run = begun(tmp_path / "a", PLANS[:2])
    first, again = asked(run, {"good": GOOD, "twin": GOOD})
    told = {"uncached": True, "first": {"twins-000": first}, "again": {"twins-000": again, "twins-001": "lost"}}
    expect = {"settings": {twins.SETTING: told}}
    sealed(run)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    old.judgements[PLANS[0].case] = replace(old.judgements[PLANS[0].case], expect=expect)
    new = begun(tmp_path / "b", joined := old.planned([PLANS[0]]))
    join(new, old, joined, {"e": PAGE}, OPTIONS)
    judged = judge(sealed(new))
    (line,) = judged.lines.of(Judgement)
    found = line.expect["settings"][twins.SETTING]
    assert (found["uncached"], found["again"]["twins-001"]) == (True, "")
    copies = [judged.exchange(found[turn]["twins-000"]) for turn in ("first", "again")]
    assert [x and x.scenario for x in copies] == ["sse/good", "sse/twin"]


def test_a_soak_stands_as_it_was_judged(tmp_path):
    soak = plan(SOAK, "closed", "soak")
    run = begun(tmp_path / "a", [soak])
    run.writer("main").write("judgements.jsonl", Judgement(case=soak.case, endpoint="e", rule=SOAK))
    sealed(run)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    judged = replace(old.judged.cases[0], outcome=Outcome.PASS, figures={"streams": "9"})
    object.__setattr__(old.judged, "cases", (judged,))
    joined = old.planned([soak])
    new = begun(tmp_path / "b", joined)
    join(new, old, joined, {"e": PAGE}, OPTIONS)
    (case,) = judge(sealed(new)).cases
    assert (case.outcome, case.figures, case.of_run) == (Outcome.PASS, {"streams": "9"}, "a")


def test_an_answer_of_another_run_tells_nothing_of_when_a_server_lived(tmp_path):
    cut(tmp_path / "a")
    run = again(tmp_path / "b", {"late": GOOD}, resume="a")
    lines = [line for line in run.in_time() if isinstance(line, Received) and line.of_run]
    assert len(lines) == 2
    found = Event(what=Happening.FOUND, name="e", at=10, pid=7, incarnation="i", t=10)
    ended = Event(what=Happening.EXIT, name="e", at=20, pid=7, incarnation="i", status=9, source="waitid", t=20)
    late = [replace(line, sent_at=14, ended_at=15, frames=((15, 9),), t=15) for line in lines]
    assert fold([found, *late, ended]) == fold([found, ended])
    assert fold([found, *(replace(line, of_run="") for line in late), ended]) != fold([found, ended])


def test_with_a_case_that_is_asked_again_goes_what_it_hangs_on():
    green = frozenset(case.case for case in PLANS if case.case != f"{ROLE}[bad]@e")
    for way, scenarios in (("--rerun", [ANSWERED, ROLE]), ("--resume", [ROLE])):
        out = Selection()
        left = repeat(PLANS, Kept(way, f"{way}=a", green), out)
        assert [PLANS[n].rule for n in left] == scenarios
        assert len(out.joined) == len(PLANS) - len(left)
        assert sum(case.requests for case in out.joined) == 0
        out.cases = [PLANS[n] for n in left]
        assert out.asked == {"conformance": ""}
