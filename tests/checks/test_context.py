"""Rules on the context: what is too long, what just fits, odd texts, and what requests share."""

import json

import pytest

from seatrial.checks.catalogue import load_all
from seatrial.records import Outcome
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import ASKED, breaks, choice, found, holds, pair, plain, refused

TEN = ASKED | {"messages": [{"role": "user", "content": "a b c d e f g h i j"}]}
TWENTY = ASKED | {"messages": [{"role": "user", "content": "a b c d e f g h i j " * 2}]}
CONTEXT = {"context": 8}


def counted(prompt, *, asked=TEN, tokens=1, finish="stop", content="Hello.", **more):
    usage = {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens, **more}
    return plain({"choices": [choice(content, finish=finish)], "usage": usage}, asked=asked)


def verdict(name, findings):
    rule = load_all()[name]
    return outcome(rule.level, findings, optional=rule.optional)


def test_prompt_beyond_the_context_is_refused():
    rule = "context/prompt-beyond-the-context-is-refused"
    holds(rule, [pair(refused(asked=TEN)), pair(refused(413, asked=TEN))], **CONTEXT)
    cut = breaks(rule, pair(counted(6)), "the status", "200", **CONTEXT)
    assert cut.causes == ("context/nothing-is-cut-in-silence[*]",)
    uncounted = breaks(rule, pair(plain({"usage": None}, asked=TEN)), "the status", "200", **CONTEXT)
    assert uncounted.causes == cut.causes
    error = plain({"choices": ..., "error": {"message": "too long"}}, asked=TEN)
    told = breaks(rule, pair(error), "the status", "200", **CONTEXT)
    assert told.causes == ("errors/error-object-has-its-shape[*]",)
    assert breaks(rule, pair(refused(500, asked=TEN)), "the status", "500", **CONTEXT).causes
    assert verdict(rule, found(rule, pair(counted(12)), **CONTEXT)) is Outcome.UNSUPPORTED


def test_text_of_any_length_is_answered_or_refused():
    rule = "context/text-of-any-length-is-answered-or-refused"
    holds(rule, [{"2-words": counted(12), "9-words": refused(413, asked=TWENTY)}])
    breaks(rule, {"2-words": counted(12), "9-words": refused(500, asked=TWENTY)}, "9-words: the status", "500")
    gone = refused(status=None, error="closed", detail="closed without an answer", asked=TWENTY)
    assert verdict(rule, found(rule, {"2-words": counted(12), "9-words": gone})) is Outcome.FAIL


def test_nothing_is_cut_in_silence():
    rule = "context/nothing-is-cut-in-silence"
    twice = {"once": counted(14), "twice": counted(24, asked=TWENTY)}
    holds(rule, [twice, {"once": counted(40), "twice": counted(90, asked=TWENTY)}, pair(refused(asked=TEN))])
    holds(rule, [{"once": counted(8), "twice": counted(16, asked=TWENTY)}])  # some tokens are two words
    assert breaks(rule, pair(counted(7)), "bad: usage.prompt_tokens", "7").grave
    assert breaks(rule, twice | {"twice": counted(21, asked=TWENTY)}, "twice: usage", "7 more").about == "twice"
    assert [f.kind for f in found(rule, pair(refused(500, asked=TEN)))] == ["no-evidence"]
    assert [f.kind for f in found(rule, pair(plain({"usage": 5}, asked=TEN)))] == ["no-evidence"]
    holds(rule, [twice | {"twice": refused(asked=TWENTY)}])


def edge(**changes):
    return {"short": counted(5), "one-less": counted(5), "fits": counted(5), "over": counted(5), **changes}


def test_cap_beyond_the_context_is_refused_or_met():
    rule = "context/cap-beyond-the-context-is-refused-or-met"
    cut = counted(5, tokens=3, finish="length")
    holds(rule, [edge(), edge(over=refused()), edge(over=cut), edge(full=counted(7), over=cut)], **CONTEXT)
    breaks(rule, edge(over=refused(500)), "over: the status", "500", **CONTEXT)
    breaks(rule, edge(over=counted(5, tokens=3)), "over: finish_reason", "stop", **CONTEXT)
    beyond = counted(5, tokens=40, finish="length")
    breaks(rule, edge(over=beyond), "over: usage", "40 more", **CONTEXT)
    for unknown in (edge(short=refused()), edge(short=plain({"usage": None})), {"short": counted(5)}):
        assert [f.kind for f in found(rule, unknown, **CONTEXT)] == ["no-evidence"]
    assert verdict(rule, found(rule, edge(full=refused()), **CONTEXT)) is Outcome.UNSUPPORTED


def test_the_exact_limit_works():
    rule = "context/the-exact-limit-works"
    holds(rule, [edge(), edge(full=counted(7))], **CONTEXT)
    assert breaks(rule, edge(fits=refused()), "fits: the status", "400", **CONTEXT).about == "fits"
    breaks(rule, edge(**{"one-less": refused(500)}), "one-less: the status", "500", **CONTEXT)
    assert [f.kind for f in found(rule, edge(short=refused()), **CONTEXT)] == ["no-evidence"]


def says(message, **more):
    return pair(refused(400, {"error": {"message": message, "type": "invalid_request_error", **more}}, asked=TEN))


def test_context_is_as_long_as_announced():
    rule, announced = "context/context-is-as-long-as-announced", {"context": 2048}
    names = (
        "This model's maximum context length is 2048 tokens. However, you requested 2130 tokens",
        "request (2127 tokens) exceeds the available context size (2048 tokens), try increasing it",
        "the prompt is longer than the context by 9000 tokens",
        "This model's maximum context length is 2,048 tokens",
        "the prompt does not fit the context: 4160 tokens > 2048",
        "too long",
    )
    holds(rule, [*map(says, names), says("too long", n_prompt_tokens=2127, n_ctx=2048)], **announced)
    breaks(rule, says("the context is 512 tokens; the messages take 2130"), "the context", "512", **announced)
    breaks(rule, says("the context length is 131,072 tokens"), "the context", "131072", **announced)
    breaks(rule, says("too long", n_prompt_tokens=2127, n_ctx=512), "the context", "512", **announced)
    breaks(rule, pair(counted(2130)), "the context", "2130 tokens were read", **announced)
    assert [f.kind for f in found(rule, pair(refused(500, asked=TEN)), **announced)] == ["no-evidence"]


def test_odd_text_is_never_a_5xx():
    rule = "context/odd-text-is-never-a-5xx"
    holds(rule, [{"text-0": plain(), "text-1": refused(), "text-2": refused(422)}])
    breaks(rule, {"text-0": plain(), "text-1": refused(500)}, "text-1: the status", "500")
    gone = refused(status=None, error="closed", detail="closed without an answer")
    assert verdict(rule, found(rule, {"text-0": gone})) is Outcome.FAIL
    assert [f.kind for f in found(rule, {"text-0": plain({"choices": []})})] == ["no-evidence"]


WANTED = "Zo\u00eb 7 e\u0301 \u65e5"
ONLY = {"type": "json_schema", "json_schema": {"schema": {"properties": {"text": {"enum": [WANTED]}}}}}


def echoed(text, content=None):
    said = json.dumps({"text": text}) if content is None else content
    return plain({"choices": [choice(said)]}, asked=ASKED | {"response_format": ONLY})


def test_characters_come_back_as_they_went():
    rule = "context/characters-come-back-as-they-went"
    holds(rule, [echoed(WANTED), echoed(WANTED, json.dumps({"text": WANTED}, ensure_ascii=False, indent=1))])
    breaks(rule, echoed("Zo\u00eb 7 \u00e9 \u65e5"), "content", "U+0020 U+00E9 U+0020 U+65E5 at character 6")
    breaks(rule, echoed("Zo? 7 e? ?"), "content", "at character 2")
    breaks(rule, echoed("Zo\ufffd"), "content")
    for other in ("Oslo", None, 5):
        assert [f.kind for f in found(rule, echoed(other))] == ["no-evidence"]
    assert [f.kind for f in found(rule, echoed("", "Hello."))] == ["no-evidence"]


def turns(known, *, first=40, second=60, **more):
    details = {} if known is None else {"prompt_tokens_details": {"cached_tokens": known}}
    return {"first": counted(first), "second": counted(second, **details, **more)}


def test_second_turn_reuses_its_prefix():
    rule = "context/second-turn-reuses-its-prefix"
    holds(rule, [turns(20), turns(39), turns(60)])
    breaks(rule, turns(0), "second: tokens known", "0")
    breaks(rule, turns(19), "second: tokens known", "19")
    breaks(rule, turns(61), "second: tokens known", "61")
    assert verdict(rule, found(rule, turns(None))) is Outcome.UNSUPPORTED
    timed = {"choices": [choice()], "usage": {"prompt_tokens": 60}, "timings": {"cache_n": 32}}
    holds(rule, [{"first": counted(40), "second": plain(timed)}])
    nameless = {"first": counted(40), "second": plain({"usage": None})}
    assert [f.kind for f in found(rule, nameless)] == ["no-evidence"]


def test_each_request_of_a_crowd_has_its_answer():
    rule = "context/each-request-of-a-crowd-has-its-answer"
    holds(rule, [{"a": plain(), "b": refused(503), "c": refused(), "d": refused(429)}])
    breaks(rule, {"a": plain(), "b": refused(500)}, "b: the status, 2 requests", "500")
    cut = plain(error="closed", detail="closed in mid-answer")
    breaks(rule, {"a": plain(), "b": cut}, "b: the answer", "closed")
    late = refused(status=None, error="deadline", detail="no answer")
    assert breaks(rule, {"a": plain(), "b": late}, "b: the answer").grave
    assert [f.kind for f in found(rule, {"a": refused(503), "b": refused(503)})] == ["no-evidence"]


@pytest.mark.parametrize("name", [name for name in load_all() if name.startswith("context/")])
def test_nothing_recorded_is_no_evidence(name):
    assert verdict(name, found(name, {}, **CONTEXT)) is Outcome.INCONCLUSIVE
