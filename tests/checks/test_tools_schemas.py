"""Rules on the schemas of tools."""

import json

from tests.checks.specimens import ASKED, DONE, breaks, choice, delta, ends, found, holds, plain, refused, stream

SCHEMA = {
    "type": "object",
    "properties": {"unit": {"enum": ["C", "F"]}, "place": {"$ref": "#/$defs/place"}},
    "required": ["unit"],
    "additionalProperties": False,
    "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}},
}
TOOL = {"type": "function", "function": {"name": "forecast", "strict": True, "parameters": SCHEMA}}
STRICT = ASKED | {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "forecast"}}}


def called(arguments, name="forecast", finish="tool_calls", **settings):
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": text}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return plain({"choices": [choice(message=message, finish=finish)]}, asked=STRICT, **settings)


def test_strict_schemas_are_enforced():
    rule = "tools/strict-schemas-are-enforced"
    holds(rule, [called({"unit": "C"}), called({"unit": "F", "place": {"city": "Oslo"}})])
    assert breaks(rule, called({"unit": "K"}), "call 0, arguments.unit", "K").grave
    assert breaks(rule, called({"unit": "C", "mood": 1}), "arguments", "mood").expected == "additionalProperties"
    assert breaks(rule, called({}), "arguments", "unit").expected == "required"
    breaks(rule, called({"unit": "C", "place": {"any": 1}}), "arguments.place", "any")
    assert breaks(rule, refused(500, asked=STRICT), "the status", "500").grave


def test_of_a_strict_call_that_is_not_there_nothing_is_told():
    rule = "tools/strict-schemas-are-enforced"
    assert [f.kind for f in found(rule, refused(asked=STRICT))] == ["refusal"]
    (finding,) = found(rule, plain(asked=STRICT))
    assert (finding.kind, finding.causes[0]) == ("no-evidence", "tools/named-function-is-called[*]")
    assert [f.kind for f in found(rule, called('{"unit": "', finish="length"))] == ["no-evidence"]
    assert [f.kind for f in found(rule, called("unit C"))] == ["no-evidence"]
    assert [f.kind for f in found(rule, called({}, name="other"))] == ["no-evidence"]
    assert [f.kind for f in found(rule, plain({"choices": []}, asked=STRICT))] == ["no-evidence"]


def test_a_strict_call_that_the_cap_cuts_is_nothing_beside_a_whole_one():
    rule = "tools/strict-schemas-are-enforced"
    texts = ('{"unit": "C"}', '{"unit": "')
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "forecast", "arguments": text}}
        for n, text in enumerate(texts)
    ]

    def made(*held):
        message = {"role": "assistant", "content": None, "tool_calls": list(held)}
        return plain({"choices": [choice(message=message, finish="length")]}, asked=STRICT)

    holds(rule, [made(*calls)])
    assert [f.kind for f in found(rule, made(calls[1]))] == ["no-evidence"]


def test_strict_arguments_of_a_stream():
    rule = "tools/strict-schemas-are-enforced"
    first = delta(tool_calls=[{"index": 0, "id": "a", "type": "function", "function": {"name": "forecast"}}])

    def then(text):
        return delta(tool_calls=[{"index": 0, "function": {"arguments": text}}])

    asked = STRICT | {"stream": True}
    holds(rule, [stream(first, then('{"unit"'), then(': "C"}'), ends("tool_calls"), DONE, asked=asked)])
    breaks(rule, stream(first, then('{"unit"'), then(": 5}"), ends("tool_calls"), DONE, asked=asked), ".unit", "5")


def test_schemas_of_any_kind_are_accepted():
    rule = "tools/schemas-of-any-kind-are-accepted"
    holds(rule, [{"texts": plain(), "numbers": stream()}])
    (finding,) = found(rule, {"texts": refused(), "numbers": plain()})
    assert (finding.about, finding.kind, finding.grave) == ("texts", "violation", False)
    assert breaks(rule, {"texts": refused(500)}, "the status", "500").grave
    assert breaks(rule, {"texts": plain({"error": {"message": "no"}, "choices": ...})}, "the answer").grave
    assert [f.kind for f in found(rule, {"texts": plain({"choices": []})})] == ["no-evidence"]


def test_of_what_is_refused_the_smallest_is_named():
    def offered(*names):
        return ASKED | {"tools": [{"type": "function", "function": {"name": name}} for name in names]}

    whole, all_, one, two = (refused(asked=offered(*names)) for names in ("ab", "abc", "a", "b"))
    rule = "tools/schemas-of-any-kind-are-accepted"
    apart = {"texts": whole, "all": all_, "texts: a": one, "texts: b": plain(asked=offered("b"))}
    assert [f.about for f in found(rule, apart)] == ["texts: a"]
    assert [f.about for f in found(rule, apart | {"texts: b": two})] == ["texts: a", "texts: b"]
    together = {"texts": whole, "texts: a": plain(asked=offered("a")), "texts: b": plain(asked=offered("b"))}
    assert [f.about for f in found(rule, together)] == ["texts"]


def counted(prompt, tools):
    made = [{"type": "function", "function": {"name": f"job_{n}"}} for n in range(tools)]
    usage = {"prompt_tokens": prompt, "completion_tokens": 1, "total_tokens": prompt + 1}
    return plain({"usage": usage}, asked=ASKED | {"tools": made})


FEW = {"few": counted(30, 1), "one more": counted(50, 2)}


def test_many_tools_are_accepted():
    rule = "tools/many-tools-are-accepted"
    holds(rule, [FEW | {"many": counted(1300, 64)}, FEW | {"many": counted(700, 64)}])
    assert breaks(rule, FEW | {"many": counted(600, 64)}, "many: usage.prompt_tokens", "600").grave
    untold = {"few": counted(30, 1), "one more": counted(30, 2), "many": counted(30, 64)}
    assert breaks(rule, untold, "many: usage.prompt_tokens", "30").grave
    assert not breaks(rule, FEW | {"many": refused()}, "many: the status", "400").grave
    assert breaks(rule, FEW | {"many": refused(500)}, "many: the status", "500").grave


def test_a_prompt_that_is_too_long_may_be_refused_and_one_without_a_count_tells_nothing():
    rule = "tools/many-tools-are-accepted"
    long = {"error": {"message": "the request exceeds the available context size", "type": "invalid_request_error"}}
    assert [f.kind for f in found(rule, FEW | {"many": refused(body=long)})] == ["refusal"]
    assert [f.kind for f in found(rule, FEW | {"many": plain({"usage": None})})] == ["no-evidence"]
    assert [f.kind for f in found(rule, FEW | {"few": refused(), "many": counted(1300, 64)})] == ["no-evidence"]
