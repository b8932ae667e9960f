"""Rules on answers that were to be JSON: enforced, refused, or accepted and ignored."""

import json

import pytest

from seatrial.checks.catalogue import load_all
from seatrial.records import Outcome
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import ASKED, DONE, breaks, choice, delta, ends, found, holds, pair, plain, refused, stream

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]}},
    "required": ["city"],
    "additionalProperties": False,
}
GOOD = '{"city": "Oslo"}'
CALL = {"id": "call_1", "type": "function", "function": {"name": "get", "arguments": "{}"}}


def form(schema=SCHEMA):
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}}


def said(content, finish="stop", *, schema=SCHEMA, asked=None, **message):
    told = {"role": "assistant", "content": content, **message}
    return plain({"choices": [choice(finish=finish, message=told)]}, asked=ASKED | form(schema) | (asked or {}))


def streamed(*pieces, finish="stop"):
    chunks = [delta(role="assistant"), *(delta(content=piece) for piece in pieces), ends(finish), DONE]
    return stream(*chunks, asked=ASKED | form() | {"stream": True})


def kinds(rule, evidence):
    return [f.kind for f in found(rule, evidence)]


def verdict(rule, findings):
    made = load_all()[rule]
    return outcome(made.level, findings, optional=made.optional)


SCHEMAS = [
    "structured/answer-validates",
    "structured/prompt-cannot-talk-it-out-of-the-schema",
    "structured/everyday-keywords-are-enforced",
    "structured/references-and-alternatives-are-enforced",
    "structured/patterns-and-bounds-are-enforced",
    "structured/names-and-values-of-any-script-work",
    "structured/unenforceable-schema-is-refused",
]


@pytest.mark.parametrize("rule", SCHEMAS)
def test_a_schema_is_enforced(rule):
    holds(rule, [said(GOOD), said('\n{\n    "city":"R\\u006fme"\n}\n')])
    free = [choice(GOOD), choice("Oslo is a city.", index=1)]
    breaks(rule, plain({"choices": free}, asked=ASKED | form() | {"n": 2}), "choice 1, content", "Oslo is a city.")
    for bad in (
        "Oslo is a city.",
        f"```json\n{GOOD}\n```",
        f"Sure! {GOOD}",
        f"{GOOD} Bye.",
        GOOD[:-3],
        "",
        '{"city": "Bern"}',
        '{"city": "Oslo", "land": "Norway"}',
        "{}",
        "[]",
        '{"city": NaN}',
    ):
        finding = breaks(rule, said(bad), "choice 0, content")
        assert verdict(rule, [finding]) is Outcome.FAIL
    breaks(rule, said(None), "content", "no text")


@pytest.mark.parametrize("rule", SCHEMAS)
def test_half_an_answer_says_nothing_where_its_cap_ended_it(rule):
    for cut in (GOOD[:-3], "", "{", " "):
        assert kinds(rule, said(cut, "length")) == ["no-evidence"]
    for never in ("Sure, the", "```json\n{", "42", '{"city": Oslo'):
        breaks(rule, said(never, "length"), "content")
    assert kinds(rule, said("{", "content_filter")) == ["no-evidence"]
    assert kinds(rule, said(None, refusal="I cannot help with that.")) == ["no-evidence"]
    assert kinds(rule, said("", "length", reasoning_content="Let me see.")) == ["no-evidence"]


@pytest.mark.parametrize("rule", [r for r in SCHEMAS if load_all()[r].optional])
def test_a_keyword_may_be_declined(rule):
    assert verdict(rule, found(rule, refused(asked=ASKED | form()))) is Outcome.UNSUPPORTED


NESTED = {
    "type": "object",
    "properties": {"town": SCHEMA, "size": {"enum": [1, 2]}},
    "required": ["town", "size"],
    "additionalProperties": False,
}


def test_keys_are_those_of_the_schema():
    rule = "structured/keys-are-those-of-the-schema"
    right = [
        '{"size": 1, "town": {"city": "Rome"}}',
        '{"town": {"city": "Bern"}, "size": 7}',
    ]  # values are not its matter
    holds(rule, [said(text, schema=NESTED) for text in right])
    for bad in (
        '{"town": {"city": "Oslo"}}',
        '{"town": {}, "size": 1}',
        '{"town": {"city": "Oslo", "a": 1}, "size": 1}',
    ):
        assert verdict(rule, [breaks(rule, said(bad, schema=NESTED), "choice 0, content")]) is Outcome.FAIL
    breaks(rule, said("Oslo is a city.", schema=NESTED), "choice 0, content")
    assert verdict(rule, found(rule, refused(asked=ASKED | form(NESTED)))) is Outcome.UNSUPPORTED


def test_a_key_too_many_is_the_reason_of_every_schema_that_closes_an_object():
    keys = "structured/keys-are-those-of-the-schema[*]"
    for rule in ("everyday-keywords-are-enforced", "references-and-alternatives-are-enforced"):
        more = said('{"town": {"city": "Oslo", "a": 1}, "size": 1}', schema=NESTED)
        assert keys in breaks(f"structured/{rule}", more, "content.town").causes
        both = said('{"town": {"city": "Bern", "a": 1}, "size": 1}', schema=NESTED)
        assert not any(keys in each.causes for each in found(f"structured/{rule}", both))


def test_streamed_answer_validates():
    rule = "structured/streamed-answer-validates"
    holds(rule, [streamed('{"ci', 'ty": ', '"Oslo"}'), streamed(GOOD)])
    breaks(rule, streamed("```json\n", GOOD, "\n```"), "content", "a fence")
    breaks(rule, streamed('{"city": "Os'), "content")
    assert kinds(rule, streamed('{"city": "Os', finish="length")) == ["no-evidence"]
    assert kinds(rule, stream(DONE, asked=ASKED | form() | {"stream": True})) == ["no-evidence"]


def test_json_object_gives_an_object():
    rule = "structured/json-object-gives-an-object"
    asked = {"response_format": {"type": "json_object"}}
    holds(rule, [said(text, asked=asked) for text in ("{}", '{"any": ["thing"]}', f" {GOOD}\n")])
    for bad in ("[{}]", '"a"', "5", "Hello.", f"```\n{GOOD}\n```", "", '{"a": '):
        assert breaks(rule, said(bad, asked=asked), "content").grave
    assert kinds(rule, said('{"a": ', "length", asked=asked)) == ["no-evidence"]
    assert verdict(rule, found(rule, refused(asked=ASKED | asked))) is Outcome.UNSUPPORTED


def test_cut_answer_says_length():
    rule = "structured/cut-answer-says-length"
    holds(rule, [said('{"city": "Os', "length"), said(GOOD), streamed('{"ci', finish="length")])
    breaks(rule, said('{"city": "Os'), "finish_reason", "stop")
    breaks(rule, said('{"city": "Os"}'), "finish_reason", "stop")
    breaks(rule, said('{"city": "Os', None), "finish_reason")
    breaks(rule, streamed('{"ci'), "finish_reason", "stop")
    assert kinds(rule, said("", "length", reasoning_content="Hm")) == ["no-evidence"]


def test_formats_are_enforced_as_a_should():
    rule = "structured/formats-are-enforced"
    schema = {"type": "object", "properties": {"day": {"type": "string", "format": "date"}}, "required": ["day"]}
    holds(rule, [said('{"day": "2026-03-01"}', schema=schema)])
    finding = breaks(rule, said('{"day": "soon"}', schema=schema), "content.day", "soon")
    assert verdict(rule, [finding]) is Outcome.ADVISORY
    assert verdict(rule, [breaks(rule, said('{"day": 5}', schema=schema), "content.day")]) is Outcome.FAIL


def test_who_fails_a_plain_schema_fails_for_one_reason():
    for rule in SCHEMAS[1:]:
        assert breaks(rule, said("Hello."), "content").causes == ("structured/answer-validates[*]",)
    assert breaks(SCHEMAS[0], said("Hello."), "content").causes == ()
    thought = breaks(SCHEMAS[0], said(f"<think>Hm.</think>{GOOD}"), "content", "words before")
    assert thought.causes == ("reasoning/content-holds-no-marker[*]",)


def test_who_fails_streams_alone_fails_for_one_reason():
    both = ("structured/answer-validates[*]", "structured/streamed-answer-validates[*]")
    for rule in SCHEMAS[1:-1]:
        assert breaks(rule, streamed("Hello."), "content").causes == both
    assert breaks("structured/streamed-answer-validates", streamed("Hello."), "content").causes == both[:1]


@pytest.mark.parametrize(
    ("rule", "word", "value", "named"),
    [
        ("prompt-cannot-talk-it-out-of-the-schema", {"enum": ["zq"]}, '"sand"', True),
        ("references-and-alternatives-are-enforced", {"anyOf": [{"const": "zq"}]}, '"sand"', True),
        ("references-and-alternatives-are-enforced", {"anyOf": [{"minimum": 9}]}, "1", False),
        ("everyday-keywords-are-enforced", {"enum": ["zq"]}, '"sand"', False),
    ],
)
def test_a_keyword_that_is_ignored_is_the_reason_of_every_schema_that_has_it(rule, word, value, named):
    schema = {"type": "object", "properties": {"enum": word}, "required": ["enum"]}
    one = breaks(f"structured/{rule}", said(f'{{"enum": {value}}}', schema=schema), "content")
    assert ("structured/everyday-keywords-are-enforced[*]" in one.causes) is named


@pytest.mark.parametrize(
    ("word", "value", "judge"),
    [
        ({"enum": ["zq"], "not": {"const": "zq"}}, '"sand"', "everyday-keywords-are-enforced"),
        ({"type": "integer", "maximum": 6, "multipleOf": 7}, "14", "patterns-and-bounds-are-enforced"),
        ({"$ref": "#/$defs/nowhere"}, '"sand"', "references-and-alternatives-are-enforced"),
        ({"type": "integer", "maximum": 6, "multipleOf": 7}, "5", ""),
    ],
)
def test_what_cannot_be_enforced_hangs_on_the_keyword_that_is_not(word, value, judge):
    schema = {"type": "object", "properties": {"a": word}, "required": ["a"]}
    (one,) = found("structured/unenforceable-schema-is-refused", said(f'{{"a": {value}}}', schema=schema))
    named = [each for each in one.causes if "answer-validates" not in each]
    assert named == ([f"structured/{judge}[*]"] if judge else [])


def test_json_that_stands_as_thought_is_told_so():
    breaks(SCHEMAS[0], said("", reasoning_content=GOOD), "content", "no text; as thought: ")


NOTHING_FITS = {"enum": ["a"], "not": {"const": "a"}}
UNREADABLE = {"$ref": "#/$defs/nowhere"}


@pytest.mark.parametrize(
    ("rule", "wrapped", "cut"),
    [
        ("structured/unenforceable-schema-is-refused", lambda x: x, ["no-evidence"]),
        ("structured/explosive-schema-is-refused-in-time", pair, []),
    ],
)
def test_what_cannot_be_enforced_is_refused(rule, wrapped, cut):
    holds(rule, [wrapped(refused(asked=ASKED | form(UNREADABLE))), wrapped(said(GOOD))])
    for text in ('"a"', "Hello.", "5", "1e999"):
        assert breaks(rule, wrapped(said(text, schema=NOTHING_FITS)), "content").grave
        assert breaks(rule, wrapped(said(text, "length", schema=UNREADABLE)), "the status", "cannot be read").grave
    breaks(rule, wrapped(refused(500)), "the status", "500")
    assert kinds(rule, wrapped(said('{"ci', "length"))) == cut
    silent = refused(status=None, error="idle", detail="no byte in 15 s")
    assert verdict(rule, found(rule, wrapped(silent))) is Outcome.FAIL


@pytest.mark.parametrize("rule", ["structured/malformed-format-is-refused", "structured/incomplete-format-is-refused"])
def test_a_wrong_format_is_refused(rule):
    holds(rule, [pair(refused()), pair(refused(422))])
    breaks(rule, pair(said(GOOD)), "the status", "200")
    breaks(rule, pair(refused(500)), "the status", "500")


NONE, NAMED = {"tool_choice": "none"}, {"tool_choice": {"type": "function", "function": {"name": "get"}}}


def test_calls_are_free_of_the_format():
    rule = "structured/calls-are-free-of-the-format"
    called = said(None, "tool_calls", asked=NAMED, tool_calls=[CALL])
    holds(rule, [said(GOOD, asked=NONE), called, said(GOOD, "stop", asked=NAMED, tool_calls=[CALL])])
    assert breaks(rule, said("The weather is fine.", asked=NONE), "content").grave
    assert breaks(rule, said('{"city": "Bern"}', asked=NONE), "content").grave
    assert breaks(rule, said(GOOD, asked=NAMED), "choice 0", "Oslo").grave
    assert kinds(rule, said("I would call it.", asked=NAMED)) == ["no-evidence"]
    assert kinds(rule, said(None, "tool_calls", asked=NONE, tool_calls=[CALL])) == ["no-evidence"]
    assert kinds(rule, said("", "length", asked=NAMED)) == ["no-evidence"]
    assert verdict(rule, found(rule, refused(asked=ASKED | form() | NONE))) is Outcome.UNSUPPORTED


def test_thought_is_free_of_the_format():
    rule = "structured/thought-is-free-of-the-format"
    free = plain({"choices": [choice(message={"role": "assistant", "content": "42", "reasoning_content": "Hm."})]})
    quiet = plain()
    holds(rule, [{"free": free, "bound": said(GOOD, reasoning="Let me see.")}, {"free": quiet, "bound": said(GOOD)}])
    breaks(rule, {"free": free, "bound": said(GOOD)}, "bound: choice 0, thought", "none")
    breaks(rule, {"free": free, "bound": said(GOOD, reasoning_content=GOOD)}, "thought", "Oslo")
    spoiled = said("42", reasoning_content="Hm.")
    assert breaks(rule, {"free": free, "bound": spoiled}, "content").about == "bound"
    assert kinds(rule, {"free": free, "bound": said("", "length", reasoning="Hm.")}) == ["no-evidence"]
    assert kinds(rule, {"free": free}) == ["no-evidence"]
    assert kinds(rule, {"free": plain({"choices": []}), "bound": said(GOOD)}) == ["no-evidence"]


def test_white_space_ends():
    rule = "structured/white-space-ends"
    laid_out = json.dumps({"a": {"b": {"c": ["d" + " " * 300]}}}, indent=8)
    holds(rule, [said(GOOD), said(laid_out), said("", "length")])
    for run in ("\n" * 121, " \t\n" * 100):
        breaks(rule, said("{" + run + GOOD[1:]), "content", "of")
        breaks(rule, said("{" + run, "length"), "content", "length")
    assert verdict(rule, found(rule, said(" " * 200))) is Outcome.ADVISORY


def test_white_space_that_is_not_shown_ends_too():
    rule = "structured/white-space-ends"

    def made(tokens, finish="length", thought=0, **message):
        usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
        usage |= {"completion_tokens_details": {"reasoning_tokens": thought}}
        told = {"role": "assistant", "content": GOOD, **message}
        return plain({"choices": [choice(finish=finish, message=told)], "usage": usage}, asked=ASKED | form())

    holds(rule, [made(len(GOOD)), made(48, "stop"), made(48, reasoning="Hm."), made(48, thought=30)])
    breaks(rule, made(48), "finish_reason", "48 tokens for 16 bytes")


TYPED = {
    "type": "object",
    "properties": {
        "city": {"enum": ["Oslo"]},
        "sizes": {"type": "array", "items": {"type": "integer"}},
        "any": {"anyOf": [{"type": "null"}]},
    },
    "required": ["city", "sizes", "any"],
}
WHOLE = '{"city": "Oslo", "sizes": [1], "any": null}'


def test_parse_helper_gives_the_object():
    rule = "structured/parse-helper-gives-the-object"
    holds(rule, [said(WHOLE, schema=TYPED), said(WHOLE, schema=TYPED, refusal=None)])
    for bad in ("Hello.", f"```json\n{WHOLE}\n```", '{"city": "Oslo"}', WHOLE.replace("[1]", '["a"]')):
        breaks(rule, said(bad, schema=TYPED), "parsed", "ValidationError")
    breaks(rule, said(WHOLE, schema=TYPED, refusal="none"), "parsed", "refusal")
    breaks(rule, said("", schema=TYPED), "parsed", "none")
    assert kinds(rule, said(WHOLE[:9], "length", schema=TYPED)) == ["no-evidence"]
    assert kinds(rule, said(None, schema=TYPED, refusal="I cannot.")) == ["no-evidence"]
