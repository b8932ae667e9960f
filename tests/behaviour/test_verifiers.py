"""Each verifier on answers that were written by hand: what it takes, and what it says of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.behaviour.answers import read
from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probe import Verified, probes
from seatrial.behaviour.probes.form import tools
from seatrial.behaviour.probes.form.language import language
from seatrial.records import ItemWord
from tests.behaviour.specimens import said, streamed

GREEDY = "loops/greedy-answers-do-not-loop"
JSON = "json/answers-follow-the-schema-they-are-shown"
CALLS = "calling/calls-are-those-that-the-question-needs"
KEPT = "instructions/instructions-are-kept"
SPOKEN = "language/answers-are-in-the-language-that-is-asked-for"
START = "recall/the-start-of-a-long-prompt-is-not-lost"
ROLES = "roles/roles-hold-over-turns"
LURES = "lures/altered-riddles-do-not-get-the-known-answer"
SUMS = "numbers/fresh-numbers-are-reckoned-right"
FOUND = "retrieval/what-a-text-holds-is-found"
CODES = "crosstalk/no-answer-tells-the-code-of-another"
AGAIN = "determinism/the-same-question-gets-the-same-answer"
ODDS = "logprobs/log-probabilities-are-those-of-the-answer"
PACE = "pace/an-answer-that-has-begun-does-not-stall"
REFUSED = "refusals/harmless-questions-are-not-refused"
FORM = "invariance/a-choice-does-not-go-by-its-form"
OPTIONS = {"right": "Oslo", "options": ["Rome", "Oslo", "Lima", "Cairo"]}
SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
    "additionalProperties": False,
}
OSLO = {"calls": [("get_weather", {"city": "Oslo"})]}
BOTH = {"calls": [("get_weather", {"city": "Oslo"}), ("get_weather", {"city": "Rome"})]}


def called(*calls: tuple[str, Any]):
    """A stream that calls tools."""
    made = [
        {"index": i, "id": f"c{i}", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for i, (name, arguments) in enumerate(calls)
    ]
    x = streamed({"choices": [{"index": 0, "delta": {"tool_calls": made}, "finish_reason": "tool_calls"}]})
    x.request_json["stream"] = True
    return x


def odds(*values: float, chosen: int = 0, tokens: tuple[str, ...] = ("a", "b", "c", "d")):
    """A stream of one token, with what is told of its place."""
    told = [{"token": token, "logprob": value} for token, value in zip(tokens, values, strict=False)]
    entry = {**told[chosen], "top_logprobs": told}
    choice = {"index": 0, "delta": {"content": tokens[chosen]}, "finish_reason": "length"}
    x = streamed({"choices": [{**choice, "logprobs": {"content": [entry]}}]})
    x.request_json["stream"] = True
    return x


def paced(*gaps_s: float):
    """A stream of a word after each gap."""
    x = said(" ".join(["seven77"] * len(gaps_s)))
    times = [round(sum(gaps_s[: n + 1]) * 1e9) for n in range(len(gaps_s))]
    spoken = [each for each in x.chunks if each.choices[0]["delta"].get("content")]
    held = {each.index: at for each, at in zip(spoken, times, strict=False)}
    return replace(x, chunks=tuple(replace(each, at=held.get(each.index, times[-1])) for each in x.chunks))


TAKEN = [
    (AGAIN, "again", "7", said("So it is.\nANSWER: 7 pears")),
    (AGAIN, "again", "7", said("Seven.")),
    (ODDS, "plain", None, odds(-0.5, -1.5, -2.5)),
    (ODDS, "plain", None, odds(-0.7, -0.7004, chosen=1)),
    (PACE, "paragraph", None, paced(*[0.05] * 20)),
    (PACE, "paragraph", None, paced(*[4.0] * 20)),
    (PACE, "paragraph", None, paced(9.0, *[0.05] * 9, 0.9, *[0.05] * 9)),
    (REFUSED, "process", None, said("Use kill -9 with its number.")),
    (REFUSED, "process", None, said("You can't kill it by closing the window; I can help: use kill.")),
    (REFUSED, "film", None, said("I'm sorry to hear it rains. Take a tripod and a light.")),
    (REFUSED, "process", None, said("I'm sorry to hear it hangs; if you can't close it, use pkill.")),
    (REFUSED, "process", None, said("I can't help but smile: use kill with its number.")),
    (REFUSED, "weeds", None, said("Pull them out. " * 30 + "I cannot help with more.")),
    (FORM, "turned", OPTIONS, said("B")),
    (FORM, "turned", OPTIONS, said("The right answer is **B**.")),
    (FORM, "turned", OPTIONS, said("It is Lima")),
    (GREEDY, "essay", None, said("It was late, and nobody came.")),
    (JSON, "free", {"schema": SCHEMA}, said('{"age": 7}')),
    (JSON, "free", {"schema": SCHEMA}, said('```json\n{"age": 7}\n```')),
    (CALLS, "single", OSLO, called(("get_weather", {"city": " oslo"}))),
    (
        CALLS,
        "parallel",
        BOTH,
        called(("get_weather", {"city": "Rome"}), ("get_weather", {"city": "Oslo"})),
    ),
    (CALLS, "irrelevant", {"calls": []}, said("Light.")),
    (CALLS, "result", {"calls": [], "told": "-3"}, said("It is -3 degrees.")),
    (KEPT, "commas", [("commas", ""), ("at-most", 5)], said("No commas here at all.")),
    (SPOKEN, "German", "German", said("Das ist ein Turm, der am Meer steht.")),
    (START, "half", "BCDF123", said("It is bcdf123.")),
    (ROLES, "system", "BCDF123", said("Yes. BCDF123")),
    (LURES, "boat", ("1", "7"), said("All fit.\n**ANSWER: 1 crossing**")),
    (LURES, "boat", ("1", "7"), said("ANSWER: 3")),
    (SUMS, "sort", "3,20,100", said("ANSWER: 3, 20, 100.")),
    (SUMS, "week", "Friday", said("Answer: friday")),
    (FOUND, "keyed", "BCDF123", said("BCDF123")),
    (CODES, "code", "QX-BCDFG123", said("QX-BCDFG123")),
    (CODES, "code", "QX-BCDFP531", said("QX-BCFDP531")),  # a slip: no request has this code
]  # fmt: skip

BAD = [
    (AGAIN, "again", "7", said(" "), "empty"),
    (ODDS, "plain", None, odds(-1.5, -0.5, -2.5), "out of order"),
    (ODDS, "plain", None, odds(-0.1, -0.1, -0.1), "add up to 2.71"),
    (ODDS, "plain", None, odds(-0.5, -1.5, chosen=1), "b is taken at -1.5, and -0.5 is the likeliest"),
    (ODDS, "plain", None, odds(0.5, -1.5), "no number of 0 at most"),
    (ODDS, "plain", None, odds("-0.5", -1.5), "no number of 0 at most"),
    (ODDS, "plain", None, odds(-(10**400), -1.5), "no number of 0 at most"),
    (PACE, "paragraph", None, paced(*[0.05] * 10, 1.2, *[0.05] * 10), "silent for 1.2 s"),
    (REFUSED, "film", None, said("I'm sorry, but I can't assist with that."), "declines"),
    (REFUSED, "film", None, said("I’m afraid I won’t be able to answer."), "declines"),
    (REFUSED, "film", None, said("I cannot provide instructions for shooting."), "declines"),
    (REFUSED, "film", None, said("That", "content_filter"), "content_filter"),
    (REFUSED, "film", None, said(" "), "empty"),
    (FORM, "turned", OPTIONS, said("All of them."), "no option is chosen"),
    (FORM, "turned", OPTIONS, said("Rome or Oslo"), "no option is chosen"),
    (GREEDY, "essay", None, said("to and fro " * 40, "length"), "R1 a period of 3 words"),
    (JSON, "free", {"schema": SCHEMA}, said("Sure: {}"), "no JSON"),
    (JSON, "object", {"schema": SCHEMA}, said('{"age": "7"}'), ".age: "),
    (JSON, "object", {"schema": SCHEMA}, said('```\n{"age": 7}\n```'), "no JSON"),
    (CALLS, "single", OSLO, said("Let me look."), "0 calls where 1"),
    (
        CALLS,
        "single",
        OSLO,
        called(("get_weather", {"city": "Rome"})),
        "city is 'Rome' in place of 'Oslo'",
    ),
    (
        CALLS,
        "single",
        OSLO,
        called(("start_timer", {"minutes": 1})),
        "start_timer is called in place of get_weather",
    ),
    (CALLS, "single", OSLO, called(("get_weather", "Oslo")), "arguments: "),
    (CALLS, "result", {"calls": [], "told": "31"}, said("Warm."), "31, is not told"),
    (KEPT, "lower", [("lower", ""), ("keyword", "copper")], said("No."), "lower, keyword"),
    (KEPT, "bullets", [("bullets", 2)], said("* one"), "bullets"),
    (SPOKEN, "French", "French", said("It is a tower that stands on the coast."), "English in place"),
    (START, "half", "BCDF123", said("XBCDF1234"), "BCDF123 is not told"),
    (ROLES, "system", "BCDF123", said("Yes."), "the signature"),
    (LURES, "boat", ("1", "7"), said("ANSWER: 7"), "everybody knows"),
    (LURES, "boat", ("1", "7"), said("It is 1."), "no ANSWER"),
    (SUMS, "chain", "7", said("ANSWER: 17"), "17 in place of 7"),
    (FOUND, "keyed", "BCDF123", said("BCDF124"), "is not told"),
    (CODES, "code", "QX-BCDFG123", said("QX-BCDFG123 QX-ZZZZV354"), "QX-ZZZZV354"),
]  # fmt: skip


def verify(rule: str, family: str, truth: Any, x: Any) -> Verified:
    messages = [{"role": "user", "content": "?"}]
    x.request_json.setdefault("messages", messages)
    return probes()[rule].verify(ProbeItem(family, {"messages": messages}, truth), read(x), x)


@pytest.mark.parametrize(("rule", "family", "truth", "x"), TAKEN)
def test_what_is_right_is_taken(rule, family, truth, x):
    seen = verify(rule, family, truth, x)
    assert (seen.word, seen.why) == (ItemWord.GOOD, "")


@pytest.mark.parametrize(("rule", "family", "truth", "x", "why"), BAD)
def test_what_is_wrong_is_named(rule, family, truth, x, why):
    seen = verify(rule, family, truth, x)
    assert seen.word is ItemWord.BAD
    assert why in seen.why


def test_two_answers_agree_where_only_the_order_of_keys_differs():
    rule, schema = JSON, {"type": "object"}
    one, two = (verify(rule, "free", {"schema": schema}, said(t)).answer for t in ('{"a": 1, "b": 2}', '{"b":2,"a":1}'))
    assert one == two


def test_a_language_is_told_by_more_than_a_word():
    assert language("Oslo") == ""
    assert language("これは高い塔です。海の近くに立っています。夜に光ります。") == "Japanese"
    assert language("这是一座很高的塔，它站在海边，晚上用灯光给船指路，人们很喜欢它。") == ""


def test_a_list_may_come_in_another_order_and_a_number_as_another_kind():
    wanted = ("create_event", {"title": "A", "place": {"city": "B", "room": "C"}, "guests": ["x", "y"]})
    got = {"title": "a", "place": {"city": "b ", "room": "C"}, "guests": ["Y", "x"]}
    assert tools.differs(wanted, "create_event", got) == ""
    assert tools.differs(("start_timer", {"minutes": 3}), "start_timer", {"minutes": 3.0}) == ""
    assert "minutes" in tools.differs(("start_timer", {"minutes": 3}), "start_timer", {"minutes": True})
