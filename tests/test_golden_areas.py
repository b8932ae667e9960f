"""The golden server is right in what a server may lack: tools, bound answers, thought, known prefixes, vectors."""

from __future__ import annotations

import base64
import json
import random
import re
import struct
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from tests.golden.app import schemas
from tests.golden.app.embeddings import DIMENSIONS, LENGTH, identities
from tests.golden.app.patterns import UnmatchableError, matching
from tests.golden.client import ask, call, chat, said, stream
from tests.golden.server import Golden
from tests.golden.validation import MODEL

USAGE = {"stream_options": {"include_usage": True}}
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": CITY, "strict": True}}
CLOCK = {"type": "function", "function": {"name": "clock"}}
TOOLS = [WEATHER, CLOCK]
ASKS = "What is the weather in Oslo and Rome?"


@pytest.fixture(scope="module")
def golden() -> Iterator[Golden]:
    with Golden() as running:
        yield running


def made(golden: Golden, prompt: str = ASKS, **parameters: Any) -> tuple[Any, list[Any], str]:
    """(message, calls, finish_reason) of the answer to a request with tools; its stream says the same."""
    body = chat(prompt, **{"tools": TOOLS, **parameters})
    status, answer = ask(golden, body)
    assert status == 200, answer
    choice = answer["choices"][0]
    calls = choice["message"].get("tool_calls", [])
    chunks = stream(golden, {**body, **USAGE})
    assert _joined(chunks) == [(c["function"]["name"], c["function"]["arguments"]) for c in calls]
    assert chunks[-2]["usage"]["completion_tokens"] == answer["usage"]["completion_tokens"]
    assert chunks[-3]["choices"][0]["finish_reason"] == choice["finish_reason"]
    assert said(chunks) == (choice["message"]["content"] or "")
    return choice["message"], calls, choice["finish_reason"]


def _joined(chunks: list[Any]) -> list[tuple[str, str]]:
    held: dict[int, list[str]] = {}
    for chunk in chunks[:-2]:
        for entry in chunk["choices"][0]["delta"].get("tool_calls", ()):
            if entry["index"] not in held:
                assert set(entry) == {"index", "id", "type", "function"}
                held[entry["index"]] = [entry["function"]["name"], ""]
            else:
                assert set(entry) == {"index", "function"}
            held[entry["index"]][1] += entry["function"]["arguments"]
    return [(name, arguments) for name, arguments in held.values()]


# tools


def test_a_question_that_fits_calls_once_for_each_place(golden: Golden) -> None:
    message, calls, finish = made(golden)
    assert [json.loads(c["function"]["arguments"])["city"] for c in calls] == ["Oslo", "Rome"]
    assert len({c["id"] for c in calls}) == 2
    assert (message["content"], finish) == (None, "tool_calls")


@pytest.mark.parametrize(
    ("prompt", "parameters", "names"),
    [
        (ASKS, {"tool_choice": "none"}, []),
        ("Say hello.", {}, []),
        ("Say hello.", {"tool_choice": "required"}, ["get_weather"]),
        ("Say hello.", {"tool_choice": {"type": "function", "function": {"name": "clock"}}}, ["clock"]),
        (ASKS, {"parallel_tool_calls": False}, ["get_weather"]),
        ("Use the tool clock, then call the function get_weather.", {}, ["clock", "get_weather"]),
        ("Use the tool nobody.", {}, []),
    ],
)
def test_the_choice_decides(golden: Golden, prompt: str, parameters: dict[str, Any], names: list[str]) -> None:
    message, calls, finish = made(golden, prompt, **parameters)
    assert [c["function"]["name"] for c in calls] == names
    assert finish == ("tool_calls" if names else "stop")
    assert bool(message["content"]) is not bool(names)
    for each in calls:
        schema = CITY if each["function"]["name"] == "get_weather" else {"type": "object", "maxProperties": 0}
        jsonschema_rs.validate(schema, json.loads(each["function"]["arguments"]))


def test_arguments_are_those_of_the_prompt_where_they_fit(golden: Golden) -> None:
    given = {"city": "Zürich 日本 🎉", "unit": "C"}
    _, calls, _ = made(golden, f"Use the tool get_weather with {json.dumps(given, ensure_ascii=False)}.")
    assert json.loads(calls[0]["function"]["arguments"]) == given
    _, calls, _ = made(golden, 'Use the tool get_weather with {"city": 5}.')
    jsonschema_rs.validate(CITY, json.loads(calls[0]["function"]["arguments"]))


@pytest.mark.parametrize("cap", range(1, 12))
def test_a_cap_cuts_a_call(golden: Golden, cap: int) -> None:
    whole = made(golden, parallel_tool_calls=False)[1][0]["function"]["arguments"]
    _, calls, finish = made(golden, parallel_tool_calls=False, max_tokens=cap)
    assert finish == "length"
    assert all(whole.startswith(c["function"]["arguments"]) for c in calls)


@pytest.mark.parametrize("content", [{"content": None}, {"content": ""}, {}])
@pytest.mark.parametrize("result", ["It is 7 degrees: 🎉", [{"type": "text", "text": "It is 7 degrees: 🎉"}]])
def test_a_result_is_used(golden: Golden, content: dict[str, Any], result: Any) -> None:
    asked = {"id": "é-1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    talk = [
        {"role": "user", "content": ASKS},
        {"role": "assistant", "tool_calls": [asked], **content},
        {"role": "tool", "tool_call_id": "é-1", "content": result},
    ]
    message, calls, finish = made(golden, messages=talk)
    assert "It is 7 degrees: 🎉" in message["content"]
    assert (calls, finish) == ([], "stop")


def _tool(**function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", **function}}


TURN = {
    "role": "assistant",
    "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}],
}


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"tools": []}, "tools"),
        ({"tools": [CLOCK, CLOCK]}, "tools"),
        ({"tools": [_tool(name="two words")]}, "tools"),
        ({"tools": [_tool(name="x" * 65)]}, "tools"),
        ({"tools": [_tool(parameters="none")]}, "tools"),
        ({"tools": [_tool(parameters={"type": "array"})]}, "tools"),
        ({"tools": [_tool(parameters={"type": "objekt"})]}, "tools"),
        ({"tools": [_tool(strict="yes")]}, "tools"),
        ({"tools": [_tool(strict=True, parameters={"type": "object", "not": {}})]}, "tools"),
        ({"tools": [{"type": "tool", "function": {"name": "f"}}]}, "tools"),
        ({"tools": [_tool(name=f"f{n}") for n in range(129)]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": "always"}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"messages": [{"role": "tool", "tool_call_id": "a", "content": "x"}]}, "messages"),
        ({"messages": [TURN]}, "messages"),
        ({"messages": [TURN, {"role": "user", "content": "x"}]}, "messages"),
    ],
)
def test_what_is_wrong_with_tools_is_refused(golden: Golden, parameters: dict[str, Any], param: str) -> None:
    status, answer = ask(golden, chat(**parameters))
    assert (status, answer["error"]["param"]) == (400, param)


@pytest.mark.parametrize("choice", ["none", "auto", None])
def test_a_choice_without_tools_is_none(golden: Golden, choice: Any) -> None:
    assert ask(golden, chat(tool_choice=choice))[0] == 200


# answers bound to a schema

ZOO: list[dict[str, Any]] = [
    CITY,
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 5}}, "required": ["n"]},
    {"type": "array", "items": {"enum": ["x", "y", 1]}, "minItems": 2, "uniqueItems": True},
    {
        "$defs": {
            "n": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}}}
        },
        "$ref": "#/$defs/n",
    },
    {"type": ["string", "null"], "format": "date-time"},
    {"type": "string", "pattern": "^[A-Z]{2}-\\d{3}(?:-(?:ab|cd)+)?$"},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    {"type": "string", "minLength": 30, "maxLength": 40},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"const": '日本 "quoted"'}}}]},
    {"type": "object", "additionalProperties": {"type": "boolean"}, "minProperties": 2},
    {"oneOf": [{"type": "integer", "multipleOf": 7}, {"type": "boolean"}]},
]


@pytest.mark.parametrize("schema", ZOO)
def test_an_answer_validates(golden: Golden, schema: dict[str, Any]) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "zoo", "schema": schema, "strict": True}}
    for seed in range(8):
        body = chat("Answer in prose, please.", response_format=form, seed=seed)
        status, answer = ask(golden, body)
        assert status == 200, answer
        text = answer["choices"][0]["message"]["content"]
        jsonschema_rs.validate(schema, json.loads(text), validate_formats=True)
        assert said(stream(golden, body)) == text
    cut = ask(golden, chat(response_format=form, max_tokens=1))[1]["choices"][0]
    assert cut["finish_reason"] in ("length", "stop")


def test_an_object_is_one(golden: Golden) -> None:
    form = {"type": "json_object"}
    assert isinstance(json.loads(said(stream(golden, chat("Say hello.", response_format=form)))), dict)
    given = ask(golden, chat('Reply with {"a": "日本"}.', response_format=form))[1]["choices"][0]["message"]["content"]
    assert json.loads(given) == {"a": "日本"}


@pytest.mark.parametrize(
    "schema",
    [
        5,
        {"type": "objekt"},
        {"type": "string", "pattern": "("},
        {"type": "string", "pattern": "a(?=b)"},
        {"not": {"type": "string"}},
        {"$ref": "#/nowhere"},
        {"$ref": "http://127.0.0.1:9/x"},
        {"$ref": "#"},
        {"type": "string", "format": "tea-time"},
        {"type": "integer", "minimum": 5, "maximum": 2},
        {"type": "array", "minItems": 10**9, "items": {"type": "string"}},
        {"type": "string", "minLength": 10**9},
    ],
)
def test_a_schema_that_cannot_be_enforced_is_refused(golden: Golden, schema: Any) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "odd", "schema": schema}}
    status, answer = ask(golden, chat(response_format=form))
    assert (status, answer["error"]["param"]) == (400, "response_format")


@pytest.mark.parametrize("given", [5, {}, {"name": "x"}, {"schema": {}}, {"name": "a b", "schema": {}}])
def test_a_malformed_format_is_refused(golden: Golden, given: Any) -> None:
    assert ask(golden, chat(response_format={"type": "json_schema", "json_schema": given}))[0] == 400


@pytest.mark.parametrize("pattern", ["a+b?", r"[^a-c]\w\S\d", "(x|y)\\1", ".{3}", "^[\\w.]{1,4}$", "(a+)+$"])
def test_a_text_matches_its_pattern(pattern: str) -> None:
    for seed in range(50):
        assert re.search(pattern, matching(pattern, random.Random(seed)))


def test_a_pattern_beyond_us_says_so() -> None:
    for odd in ("(", "(?<!a)b", "a{5000}"):
        with pytest.raises(UnmatchableError):
            matching(odd, random.Random(0))
    with pytest.raises(schemas.UnenforceableError):
        schemas.sample(False, random.Random(0))


# thought


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_thought_is_told_in_any_field(name: str) -> None:
    with Golden(thought_in=name) as golden:
        body = chat(reasoning_effort="low", **USAGE)
        chunks = stream(golden, body)
        assert said(chunks, name=name)
        message = ask(golden, {**body, "stream_options": None})[1]["choices"][0]["message"]
        assert message[name] == said(chunks, name=name)


@pytest.mark.parametrize("name", ["thinking_budget", "thinking_token_budget", "thinking_budget_tokens"])
def test_a_budget_of_thought_is_kept(golden: Golden, name: str) -> None:
    for budget in (0, 1, 5):
        usage = ask(golden, chat(reasoning_effort="high", **{name: budget}))[1]["usage"]
        assert usage["completion_tokens_details"]["reasoning_tokens"] == budget
    assert golden.truth()["reasoning_tokens"] >= 6


def test_thought_may_be_sent_back(golden: Golden) -> None:
    turn = {"role": "assistant", "content": "42", "reasoning_content": "so", "reasoning": "so"}
    talk = [{"role": "user", "content": "x"}, turn, {"role": "user", "content": "Say hello."}]
    assert ask(golden, chat(messages=talk))[0] == 200


# prefixes


def test_what_was_sent_before_is_known() -> None:
    with Golden() as golden:
        first = [{"role": "user", "content": "The sea is wide. " * 20}]
        usage = ask(golden, chat(messages=first))[1]["usage"]
        assert usage["prompt_tokens_details"]["cached_tokens"] == 0
        more = [*first, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And deep?"}]
        later = ask(golden, chat(messages=more))[1]["usage"]
        assert later["prompt_tokens_details"]["cached_tokens"] == usage["prompt_tokens"] - 2
        other = ask(golden, chat("A ship."))[1]["usage"]["prompt_tokens_details"]["cached_tokens"]
        assert other < 6
        assert [told["cached_tokens"] for told in golden.truth()["told"]] == [0, usage["prompt_tokens"] - 2, other]


# vectors


def embed(golden: Golden, given: Any, **parameters: Any) -> tuple[int, Any]:
    return call(golden, "POST", "/v1/embeddings", {"model": MODEL, "input": given, **parameters})


def test_vectors_do_not_depend_on_form_or_company(golden: Golden) -> None:
    alone = embed(golden, "the wide sea")[1]["data"][0]["embedding"]
    batch = embed(golden, ["a ship", "the wide sea"])[1]
    assert [entry["index"] for entry in batch["data"]] == [0, 1]
    assert batch["data"][1]["embedding"] == alone
    assert len(alone) == DIMENSIONS
    packed = embed(golden, "the wide sea", encoding_format="base64")[1]["data"][0]["embedding"]
    assert list(struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(packed))) == alone
    assert sum(value * value for value in alone) == pytest.approx(1, abs=1e-6)
    ids = identities("the wide sea")
    assert [e["embedding"] for e in embed(golden, [ids, ids])[1]["data"]] == [alone, alone]
    assert embed(golden, ids)[1]["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_dimensions_cut_and_keep_the_length(golden: Golden) -> None:
    whole, cut = (embed(golden, "the sea", dimensions=n)[1]["data"][0]["embedding"] for n in (None, 8))
    assert len(cut) == 8
    assert sum(value * value for value in cut) == pytest.approx(1, abs=1e-6)
    scale = cut[0] / whole[0]
    assert cut == pytest.approx([value * scale for value in whole[:8]], abs=1e-6)


@pytest.mark.parametrize(
    ("given", "parameters", "param"),
    [
        ("", {}, "input"),
        ("  ", {}, "input"),
        ([], {}, "input"),
        (["a", ""], {}, "input"),
        ([[]], {}, "input"),
        (None, {}, "input"),
        ({}, {}, "input"),
        (["a", 5], {}, "input"),
        ([-1], {}, "input"),
        ([10**9], {}, "input"),
        (["a"] * 2049, {}, "input"),
        ("sea " * (LENGTH + 1), {}, "input"),
        ("a", {"encoding_format": "hex"}, "encoding_format"),
        ("a", {"dimensions": 0}, "dimensions"),
        ("a", {"dimensions": 1.5}, "dimensions"),
        ("a", {"dimensions": 10**6}, "dimensions"),
    ],
)
def test_what_is_wrong_with_inputs_is_refused(golden: Golden, given: Any, parameters: Any, param: str) -> None:
    status, answer = embed(golden, given, **parameters)
    assert (status, answer["error"]["param"]) == (400, param)


def test_a_text_of_the_announced_length_is_taken(golden: Golden) -> None:
    assert embed(golden, "sea " * (LENGTH - 1) + "sea")[0] == 200
    assert embed(golden, ["a"] * 2048)[0] == 200
