"""Answers that are held against an earlier one, what is told of them, what is optional; thought that ate the budget."""

import json
import math

import pytest
from msgspec.structs import replace

from seatrial.behaviour.probe import probes
from seatrial.behaviour.probes.odds import drift, sane
from seatrial.behaviour.probes.steady import again, pace
from seatrial.checks import running
from seatrial.records import SECOND, Expect, ItemWord, Outcome
from seatrial.verdict.outcomes import outcome
from tests.behaviour.specimens import EXPECT, exchange, refused, said, streamed, to

AGAIN = again.the_same_question_gets_the_same_answer
ODDS, DRIFT = sane.log_probabilities_are_those_of_the_answer, drift.the_odds_of_a_prompt_stay


def told(*probabilities: float, content="a"):
    """A stream of one token, with the odds of several."""
    listed = [{"token": token, "logprob": math.log(p)} for token, p in zip("abcdef", probabilities, strict=False)]
    entry = {**listed[0], "top_logprobs": listed}
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": "length", "logprobs": {"content": [entry]}}
    return streamed({"choices": [choice]})


def asked(probe, *answers):
    """The answers to the first items of a probe's maker."""
    return {probe.maker.named(n): to(probe.maker.named(n), x) for n, x in enumerate(answers)}


def word(probe, xs, expect=EXPECT):
    findings, crashed = running.run(probe.rule, xs, expect)
    assert not crashed
    return outcome(probe.rule.level, findings), findings


def items(probe, xs):
    return probe.rule.items(xs, EXPECT)


def test_what_an_answer_comes_to_is_compared_and_the_letter_is_told():
    same = [said("ANSWER: 7"), said("ANSWER: 7")] * 12
    other = [said("Three and four.\nANSWER: 7"), said("Four and three.\nANSWER: 7")] * 12
    assert word(AGAIN, asked(AGAIN, *same, *other))[0] is Outcome.PASS
    lines = AGAIN.rule.figures(asked(AGAIN, *same, *other), EXPECT)
    assert lines["other answers when asked again"].startswith("0 of 20")
    assert lines["other answers when asked again: the same to the letter"].startswith("12 of 20 pairs")
    assert lines["other answers when asked again: the same to the letter"].endswith("part at word 1 (median)")


def test_another_answer_is_bad_and_says_where_it_parts():
    made = items(AGAIN, asked(AGAIN, said("So.\nANSWER: 7"), said("So.\nANSWER: 8")))
    assert [(each.item, each.word, each.why) for each in made] == [
        ("again-001", ItemWord.BAD, "8 in place of 7, from word 3 on")
    ]


def test_in_company_answers_are_held_against_each_other_too():
    company = again.in_company_the_same_question_gets_the_same_answer
    same = [said("ANSWER: 7"), said("So.\nANSWER: 7")] * 14
    assert word(company, asked(company, *same))[0] is Outcome.PASS
    got, findings = word(company, asked(company, *same[:4], *[said("ANSWER: 7"), said("ANSWER: 8")] * 9))
    assert got is Outcome.ADVISORY
    assert "8 in place of 7" in findings[1].got


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (refused(), "what it is held against: nobody answered (refused)"),
        (said("", "length", reasoning="Hm."), "what it is held against: thinking ate the budget"),
        (said(""), "what it is held against: empty"),
        (None, "what it is held against was not asked"),
    ],
)
def test_where_the_first_answer_tells_nothing_the_second_is_no_evidence(first, why):
    xs = asked(AGAIN, first or said(""), said("ANSWER: 7"))
    if first is None:
        del xs["again-000"]
    (made,) = items(AGAIN, xs)
    assert (made.word, made.why) == (ItemWord.SILENT, why)


def test_odds_that_jump_are_found_and_small_changes_are_not():
    steady = [told(0.6, 0.3), told(0.5, 0.2), told(0.4, 0.3)] * 33
    near = [told(0.6 + 0.001 * (n % 7), 0.3) for n in range(99)]
    assert word(DRIFT, asked(DRIFT, *steady))[0] is Outcome.PASS
    assert word(DRIFT, asked(DRIFT, *near))[0] is Outcome.PASS
    assert items(DRIFT, asked(DRIFT, *near))[5].figures["nats apart"] < 1e-4
    jumping = [told(0.6, 0.3) if n % 6 else told(0.2, 0.7) for n in range(99)]
    got, findings = word(DRIFT, asked(DRIFT, *jumping))
    assert got is Outcome.ADVISORY
    assert "nats from those of the first time" in findings[1].got
    assert [each.item for each in items(DRIFT, asked(DRIFT, *jumping))][:2] == ["firsts-003", "firsts-006"]


def test_odds_are_kept_with_the_item_for_whoever_compares():
    first = items(ODDS, asked(ODDS, told(0.6, 0.3)))[0]
    assert first.likely == pytest.approx({"a": math.log(0.6), "b": math.log(0.3)})


@pytest.mark.parametrize("probe", [ODDS, DRIFT])
@pytest.mark.parametrize(
    "made",
    [
        exchange(status=400, json={"error": {"message": "logprobs are not supported"}}),
        said("Yes.", "length"),
        streamed({"choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": []}}]}),
    ],
    ids=["refused", "answered-without", "an-empty-list"],
)
def test_log_probabilities_are_optional(probe, made):
    got, findings = word(probe, asked(probe, *[made] * 9))
    assert got is Outcome.UNSUPPORTED
    assert findings[0].optional


@pytest.mark.parametrize("probe", probes().values(), ids=probes())
@pytest.mark.parametrize("inline", [False, True], ids=["apart", "in-the-content"])
def test_thought_that_ate_the_budget_is_an_outcome_of_its_own(probe, inline):
    """Whichever way a server tells thought: no word about the answer, never a bad one."""
    thought = "Let me see what is asked of me, and what I know of such things."
    made = said(f"<think>{thought}", "length") if inline else said("", "length", reasoning=thought)
    if probe.against is not None:
        made = replace(made, chunks=made.chunks)
    read = [n for n in range(30) if probe.reads(probe.maker, n)][:8]
    xs = {probe.maker.named(n): to(probe.maker.named(n), made) for n in range(max(read) + 1)}
    came = [each for each in items(probe, xs) if each.item.startswith(f"{probe.maker.name}-")]
    assert came
    if probe.thought:  # it reads thought too
        assert ItemWord.BAD not in {each.word for each in came}
    else:
        assert {each.word for each in came} == {ItemWord.THOUGHT}
        got, _ = word(probe, xs)
        assert got is Outcome.INCONCLUSIVE
        assert "thinking ate the budget" in next(iter(probe.rule.figures(xs, EXPECT).values()))


def test_thought_that_ended_is_none_that_ate_the_budget():
    xs = asked(AGAIN, *[said("<think>Hm.</think>\nANSWER: 7", "length")] * 2)
    assert items(AGAIN, xs)[0].word is ItemWord.GOOD


def test_the_speed_of_one_stream_is_told_with_its_interval():
    usage = {"choices": [], "usage": {"completion_tokens": 101}}
    made = said("seven77" * 20)
    chunks = [each.json for each in made.chunks]
    x = replace(streamed(*chunks, usage), sent_at=0, ended_at=3 * SECOND)
    spread = tuple(replace(each, at=SECOND + n * SECOND // 11) for n, each in enumerate(x.chunks))
    x = replace(x, chunks=spread)
    probe = pace.an_answer_that_has_begun_does_not_stall
    lines = probe.rule.figures(asked(probe, *[x] * 10), EXPECT)
    assert lines["answers that stall: one stream"].startswith(
        "52.4 tok/s (95 %, by blocks of neighbours: 52.4 to 52.4)"
    )
    assert "first word after 1.09 s" in lines["answers that stall: one stream"]
    assert "too few" in probe.rule.figures(asked(probe, *[x] * 3), EXPECT)["answers that stall: one stream"]


def test_a_count_that_no_program_holds_is_none():
    x = streamed(
        *[each.json for each in said("ANSWER: 7").chunks], {"choices": [], "usage": {"completion_tokens": 10**400}}
    )
    (made,) = items(AGAIN, asked(AGAIN, x, x))
    assert (made.word, "tokens" in made.figures) == (ItemWord.GOOD, False)


def test_what_was_sent_beside_is_told():
    settings = {
        "seed": 0,
        "uncached": True,
        "sampling": {"general": "GLM 4.7 Flash, general: temperature 1 (its page)"},
    }
    lines = AGAIN.rule.figures(asked(AGAIN, *[said("ANSWER: 7")] * 4), Expect(settings=settings))
    assert lines["other answers when asked again: prompt cache"] == "asked past it"
    assert json.dumps(lines).count("temperature 1 (its page)") == 0, "an item at temperature 0 has no other settings"
    talk = probes()["loops/answers-do-not-loop"]
    lines = talk.rule.figures(asked(talk, said("Yes.")), Expect(settings=settings))
    assert lines["loops: sampling"] == "GLM 4.7 Flash, general: temperature 1 (its page)"
