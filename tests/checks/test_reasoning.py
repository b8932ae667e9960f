"""Rules on thought: where it is told, when, how much of it, and whether it can be had back or switched off."""

import pytest

from seatrial.checks.catalogue import load_all
from seatrial.records import Outcome
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import (
    ASKED,
    CHUNK,
    COUNTED,
    DONE,
    USAGE,
    breaks,
    choice,
    delta,
    ends,
    found,
    holds,
    plain,
    refused,
)
from tests.checks.specimens import stream as streamed

TOLD, OTHER = "reasoning_content", "reasoning"
THOUGHT = "Seven sixes are forty-two, I think."


def thinks(thought=THOUGHT, content="42.", *, field=TOLD, finish="stop", counted=None, tokens=20, asked=ASKED):
    message = {"role": "assistant", "content": content} | ({field: thought} if thought else {})
    details = {} if counted is None else {"completion_tokens_details": {"reasoning_tokens": counted}}
    usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens, **details}
    return plain({"choices": [choice(message=message, finish=finish)], "usage": usage}, asked=asked)


def stream(*deltas, finish="stop", asked=COUNTED):
    return streamed(delta(role="assistant", content=""), *deltas, ends(finish), DONE, asked=asked)


THINKING = delta(**{TOLD: "Seven sixes"})
CUT = thinks("Seven sixes", "", finish="length")
GOOD = {
    "plain": thinks(),
    "stream": stream(THINKING, delta(content="42.")),
    "cut": CUT,
    "cut-stream": stream(THINKING, finish="length"),
}
HIDDEN = {"plain": thinks("", counted=9), "stream": stream(delta(content="42."))}
MARKED = {"plain": thinks("", "<think>Seven"), "stream": stream(delta(content="<think>"))}
NONE = {"plain": thinks(""), "stream": stream(delta(content="42."))}
ON_FIELDS = ["thought-has-one-field", "thought-comes-before-content", "cut-thought-says-length"]


@pytest.mark.parametrize("name", ON_FIELDS)
def test_what_is_not_told_apart_is_not_judged(name):
    rule = load_all()[f"reasoning/{name}"]
    holds(rule.id, [GOOD, {key: GOOD[key] for key in ("stream", "plain", "cut")}])
    for case, got in ((HIDDEN, "counted, and not shown"), (MARKED, "stands in the content")):
        [finding] = found(rule.id, case)
        assert got in finding.got
        assert outcome(rule.level, [finding], optional=rule.optional) is Outcome.UNSUPPORTED
    [finding] = found(rule.id, NONE)
    assert finding.kind == "no-evidence"


def test_thought_has_one_field():
    rule = "reasoning/thought-has-one-field"
    both = plain({"choices": [choice(message={"content": "42.", TOLD: "a", OTHER: "a"})]})
    assert breaks(rule, GOOD | {"plain": both}, "plain: thought", f"{TOLD} and {OTHER}").about == "plain"
    twice = breaks(rule, GOOD | {"plain": thinks(3 * THOUGHT, 3 * THOUGHT + "42.")}, "plain: thought", "in the content")
    assert twice.about == "plain"
    holds(rule, [GOOD | {"plain": thinks("42.", "42.")}])  # all there is to say
    moved = stream(delta(**{OTHER: "Seven"}), delta(content="42."))
    breaks(rule, GOOD | {"stream": moved}, "stream: thought", OTHER)
    assert load_all()[rule].figures(GOOD, None) == {"thought is told in": TOLD}


def test_content_holds_no_marker():
    rule = "reasoning/content-holds-no-marker"
    holds(rule, [*GOOD.values(), thinks("", "", finish="length")])
    breaks(rule, thinks("", "<think>Seven sixes", finish="length"), "content", "<think>")
    breaks(rule, thinks(content="</think>\n\n42."), "content", "</think>")
    breaks(rule, stream(delta(content="<thi"), delta(content="nk>Seven")), "content", "<think>")
    assert [f.kind for f in found(rule, thinks("", ""))] == ["no-evidence"]
    holds(rule, [thinks("I may not say </think> yet, I think.")])
    breaks(rule, thinks("<think>Seven sixes"), TOLD, "<think>")
    breaks(rule, thinks("Seven sixes[/THINK]\n"), TOLD, "[/THINK]")
    for closed in ("Seven sixes.</think>42.", "analysisSeven sixes.assistantfinal42."):
        breaks(rule, thinks("", closed), "content", closed[:20])


def test_thought_comes_before_content():
    rule = "reasoning/thought-comes-before-content"
    late = stream(delta(content="42."), THINKING)
    breaks(rule, GOOD | {"stream": late}, "stream: chunk 2", "after content")
    mixed = stream(THINKING, delta(**{TOLD: ".", "content": "42"}))
    breaks(rule, GOOD | {"stream": mixed}, "stream: chunk 2", "both in one delta")
    lost = stream(delta(content="42."))
    breaks(rule, GOOD | {"stream": lost}, "stream: thought", "none")
    breaks(rule, GOOD | {"stream": stream()}, "stream: thought", "none, and no content")
    blank = stream(delta(content="\n"), delta(**{TOLD: "Seven", "content": "\n\n"}), delta(content="42."))
    few = USAGE | {"completion_tokens": 3}
    quick = streamed(delta(content="42."), ends(), {"choices": [], "usage": few}, DONE, asked=COUNTED)
    [unthought] = found(rule, GOOD | {"stream": quick})
    assert (unthought.kind, unthought.optional) == ("refusal", True)
    holds(rule, [GOOD | {"stream": blank}])
    apart = stream(THINKING, delta(content="4"), delta(1, **{TOLD: "a"}), delta(content="2"))
    holds(rule, [GOOD | {"stream": apart}, GOOD | {"stream": stream(THINKING, finish="length")}])
    thought = delta(**{TOLD: "Seven sixes"})
    leaking = {
        "plain": thinks("Seven sixes", "42."),
        "stream": stream(thought, delta(content="sixes"), delta(content="42.")),
    }
    breaks(rule, leaking, "stream: content", "sixes42.")
    breaks(
        rule, {"plain": thinks("Seven sixes", "sixes\n42."), "stream": stream(thought, delta(content="42."))}, "plain"
    )
    other = {"plain": thinks("Seven sixes", "42."), "stream": stream(thought, delta(content="It is 42."))}
    holds(rule, [other])


def test_cut_thought_says_length():
    rule = "reasoning/cut-thought-says-length"
    breaks(rule, GOOD | {"cut": thinks("Seven", "", finish="stop")}, "finish_reason", "stop")
    breaks(rule, GOOD | {"cut-stream": stream(THINKING)}, "finish_reason", "stop")
    breaks(rule, GOOD | {"cut": thinks("", "Seven sixes are", finish="length")}, "content", "Seven sixes")
    breaks(rule, GOOD | {"cut": thinks("", "", finish="length")}, "thought", "none")
    quick = {"cut": thinks("", "42."), "cut-stream": stream(THINKING, delta(content="42."))}
    assert outcome(load_all()[rule].level, found(rule, GOOD | quick)) is Outcome.UNSUPPORTED
    empty = {"cut": plain({"choices": []}), "cut-stream": streamed(DONE)}
    marked = {
        "cut": thinks("", "<think>Seven", finish="stop"),
        "cut-stream": stream(THINKING, delta(content="<think>")),
    }
    for case in (empty, marked):
        assert outcome(load_all()[rule].level, found(rule, GOOD | case)) is Outcome.INCONCLUSIVE
    silent = {"stream": stream(delta(content="42.")), "cut-stream": stream(finish="length")}
    holds(rule, [GOOD | silent])  # that a stream loses all thought is told of the whole one


def test_reasoning_tokens_are_completion_tokens():
    rule = load_all()["reasoning/reasoning-tokens-are-completion-tokens"]
    holds(rule.id, [thinks(counted=19), thinks(counted=7), thinks("", counted=0)])
    breaks(rule.id, thinks(counted=21), "reasoning_tokens", "21")
    breaks(rule.id, thinks(counted="7"), "reasoning_tokens", "7")
    breaks(rule.id, thinks(counted=0), "reasoning_tokens", "0")
    assert outcome(rule.level, found(rule.id, thinks())) is Outcome.UNSUPPORTED
    nameless = plain({"usage": {"completion_tokens_details": {"reasoning_tokens": 5}}})
    assert [f.kind for f in found(rule.id, nameless)] == ["no-evidence"]


def back(**changes):
    turns = {name: plain() for name in ("without", TOLD, OTHER, "thinking")}
    return {"asked": thinks(), **turns, **changes}


def test_thought_can_be_sent_back():
    rule = "reasoning/thought-can-be-sent-back"
    holds(rule, [back(), back(**{OTHER: refused(), "thinking": refused()})])
    assert breaks(rule, back(**{TOLD: refused()}), TOLD, "400").about == TOLD
    breaks(rule, back(**{OTHER: refused(500)}), OTHER, "500")
    assert [f.kind for f in found(rule, back(without=refused()))] == ["no-evidence"]
    more = plain({"usage": USAGE | {"prompt_tokens": 15}})
    told = load_all()[rule].figures(back(**{TOLD: more}), None)
    assert told[f"{TOLD} sent back"] == "+10 tokens"
    assert told[f"{OTHER} sent back"] == "+0 tokens"


def test_thinking_can_be_switched_off():
    rule = load_all()["reasoning/thinking-can-be-switched-off"]
    holds(rule.id, [{"effort": plain(), "template": thinks()}, {"effort": refused(), "template": plain()}])
    breaks(rule.id, {"effort": thinks(), "template": refused()}, "thought", "effort")
    breaks(rule.id, {"effort": thinks("", "<think>"), "template": thinks()}, "thought", "effort, template")
    neither = found(rule.id, {"effort": refused(), "template": refused()})
    assert outcome(rule.level, neither, optional=rule.optional) is Outcome.UNSUPPORTED
    holds(rule.id, [{"effort": thinks("\n\n"), "template": thinks()}])
    empty = found(rule.id, {"effort": thinks("", ""), "template": thinks("", "")})
    assert outcome(rule.level, empty, optional=rule.optional) is Outcome.INCONCLUSIVE


def budget(spent, would=200, *, least=32):
    asked = ASKED | {"thinking_budget": least}
    return {"budget": thinks(counted=spent, tokens=300, asked=asked), "free": thinks(counted=would, tokens=300)}


def test_thinking_budget_is_kept():
    rule = load_all()["reasoning/thinking-budget-is-kept"]
    holds(rule.id, [budget(32), budget(80)])
    breaks(rule.id, budget(200), "thought", "200 tokens of thought; 200 without")
    uncounted = {"budget": thinks("a" * 800, "", tokens=200, asked=ASKED | {"thinking_budget": 32}), "free": thinks()}
    breaks(rule.id, uncounted, "thought", "200 tokens")
    for declined in (budget(32, 70), budget(32) | {"budget": refused()}):
        assert outcome(rule.level, found(rule.id, declined), optional=rule.optional) is Outcome.UNSUPPORTED
    neither = {name: plain(asked=ASKED | {"thinking_budget": 32}) for name in ("budget", "free")}
    assert [f.kind for f in found(rule.id, neither)] == ["no-evidence"]


@pytest.mark.parametrize("marked", ["<|channel>thought\nSeven", "<longcat_think>Seven", "Seven<|inner_suffix|>42."])
def test_the_content_holds_no_marker_of_any_maker(marked):
    breaks("reasoning/content-holds-no-marker", thinks("", marked), "content", marked[-5:])


def test_no_piece_of_a_marker_is_left():
    rule = "reasoning/content-holds-no-marker"
    for thought, content in (("Seven.</thi", "42."), ("Seven.", "nk>42."), ("Seven.\n<|end_of", "42"), ("a", "l|>4")):
        breaks(rule, thinks(thought, content), "content")
        breaks(rule, stream(delta(**{TOLD: thought}), delta(content=content)), "content")
    holds(rule, [thinks("Is a < b? </t", "", finish="length"), thinks("a <b", "> 7"), thinks("so", "a > b")])
    holds(rule, [thinks("It is final", "final: 42."), thinks("x </", "k>"), thinks("I close </think> later.", "42.")])


def test_an_answer_follows_the_thought():
    rule = "reasoning/answer-follows-the-thought"
    holds(rule, [GOOD, {"plain": GOOD["plain"]}, {**GOOD, "plain": thinks(content="So: 42.")}])
    for way, x in (("plain", thinks(content="")), ("plain", thinks(content="\n")), ("stream", stream(THINKING))):
        breaks(rule, {**GOOD, way: x}, f"{way}: content", "characters of thought")
    holds(rule, [{**GOOD, "plain": thinks(content="", finish=why)} for why in ("length", "content_filter")])


def test_what_takes_the_same_tokens_says_the_same():
    rule = "reasoning/answer-follows-the-thought"
    counted = CHUNK | {"choices": [], "usage": USAGE}
    whole, part = stream(delta(**{TOLD: THOUGHT}), delta(content="42."), counted), thinks(content="2.", tokens=2)
    breaks(rule, {"plain": part, "stream": whole}, "plain: content", "2.")
    holds(rule, [{"plain": thinks(content="2.", tokens=3), "stream": whole}])
    holds(rule, [{"plain": thinks("Else.", "2.", tokens=2), "stream": whole}])
    holds(rule, [{"plain": thinks(content="43", tokens=2), "stream": whole}])


def test_a_stream_tells_thought_once():
    rule = "reasoning/thought-comes-before-content"
    long = "Seven sixes are forty-two, I think, for six sevens are, and so they were taught to us. "
    again = stream(delta(**{TOLD: long[:40]}), delta(**{TOLD: long[40:]}), delta(**{TOLD: long}), delta(content="42."))
    one = breaks(rule, {"plain": thinks(long), "stream": again}, "stream: thought", "once more")
    assert one.causes == ("sse/deltas-are-deltas[*]",)
    twice = stream(delta(**{TOLD: long}), delta(**{TOLD: long[:60]}), delta(content="42."))
    holds(rule, [{"plain": thinks(long), "stream": twice}])


def test_an_empty_thought_is_told_from_one():
    rule = "reasoning/thinking-can-be-switched-off"
    empty = {"effort": thinks("", "<think>\n\n</think>\n\n42.")}
    breaks(rule, empty, "thought", "its markers in the content")
    breaks(rule, {**empty, "template": thinks()}, "thought", "some")


def test_thought_is_not_all_that_was_said():
    rule = "reasoning/reasoning-tokens-are-completion-tokens"
    breaks(rule, thinks(counted=20), "reasoning_tokens", "20")
    holds(rule, [thinks(counted=19), thinks(content="", counted=20, finish="length")])


def test_a_plain_answer_tells_what_a_stream_tells():
    rule = "reasoning/thought-comes-before-content"
    counted = CHUNK | {"choices": [], "usage": USAGE | {"completion_tokens": 20, "total_tokens": 25}}
    told = stream(delta(**{TOLD: THOUGHT}), delta(content="42."), counted)
    breaks(rule, {"plain": thinks("", tokens=20), "stream": told}, "plain: thought", "none")
    holds(rule, [{"plain": thinks("", tokens=3), "stream": told}, {"stream": told}])


def told_by(thought, content, tokens=20):
    """A stream of a thought and a content, with its count of tokens."""
    counted = CHUNK | {"choices": [], "usage": USAGE | {"completion_tokens": tokens, "total_tokens": 5 + tokens}}
    return stream(delta(**{TOLD: thought}), delta(content=content), counted)


def test_no_end_of_a_thought_is_lost():
    rule = "reasoning/thought-comes-before-content"
    lacks = {"plain": thinks(), "stream": told_by(THOUGHT[6:], "42.")}
    assert breaks(rule, lacks, "stream: thought", THOUGHT[6:]).about == "stream"
    breaks(rule, {"plain": thinks(THOUGHT[:-8]), "stream": told_by(THOUGHT, "42.")}, "plain: thought")
    fewer = told_by(THOUGHT[6:], "42.", tokens=18)  # the model thought less
    holds(rule, [{**lacks, "stream": other} for other in (fewer, told_by(f"{THOUGHT}\n", "42."))])
    holds(rule, [{**lacks, "stream": told_by(THOUGHT[6:], "43.")}, {**lacks, "stream": told_by("Six sevens.", "42.")}])


def test_thought_ends_at_one_place_however_it_is_sent():
    rule = "reasoning/thought-comes-before-content"
    moved = {"plain": thinks(content="It is 42."), "stream": told_by(f"{THOUGHT} It is", " 42.")}
    breaks(rule, moved, "stream: thought", "It is as thought")
    holds(
        rule, [{**moved, "stream": told_by(f"{THOUGHT} So it is", "42.")}, {**moved, "stream": told_by("Else.", "42.")}]
    )


def test_content_in_parts_is_named_where_the_thought_is_one_of_them():
    parts = [{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": "42."}]
    one = breaks(
        "reasoning/thought-comes-before-content",
        {"plain": thinks("", parts), "stream": told_by(THOUGHT, "42.")},
        "plain: thought",
        "none",
    )
    assert "chat/content-is-string-or-null[*]" in one.causes
