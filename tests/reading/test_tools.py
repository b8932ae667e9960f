"""Calls of tools, as they are read of a whole answer and of a stream."""

from __future__ import annotations

import pytest

from seatrial.reading.tools import calls, offered, pieces
from tests.checks.specimens import ASKED, DONE, STREAMED, choice, delta, ends, plain, stream

FUNCTION = {"name": "get_weather", "parameters": {"type": "object"}}
OFFERS = {"tools": [{"type": "function", "function": FUNCTION}]}


def call(arguments='{"city": "Oslo"}', **changes):
    return {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}, **changes}


def part(index=0, arguments=..., **changes):
    function = {} if arguments is ... else {"arguments": arguments}
    return {"index": index, "function": function, **changes}


def message(*made, **changes):
    said = {"role": "assistant", "content": None, "tool_calls": list(made)}
    return plain({"choices": [choice(message=said, finish="tool_calls")]}, **changes)


def test_a_whole_answer():
    (held,) = calls(message(call(), call("{", id="call_2"))).values()
    assert [(c.index, c.id, c.told("type"), c.name, c.value) for c in held] == [
        (0, "call_1", ["function"], "get_weather", {"city": "Oslo"}),
        (1, "call_2", ["function"], "get_weather", None),
    ]


def test_a_stream_is_joined_by_index():
    first = {**part(0, ""), "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    second = {**part(1, ""), "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}
    x = stream(
        delta(role="assistant", tool_calls=[first]),
        delta(tool_calls=[part(0, '{"x"')]),
        delta(tool_calls=[second, part(0, ": 1}")]),
        delta(tool_calls=[part(1, "{}")]),
        ends("tool_calls"),
        DONE,
    )
    one, two = calls(x)[0]
    assert (one.id, one.name, one.value, one.given) == ("a", "f", {"x": 1}, ["", '{"x"', ": 1}"])
    assert (two.id, two.name, two.arguments) == ("b", "g", "{}")
    assert [p.index for p in pieces(x)] == [0, 0, 1, 0, 1]


def test_what_is_repeated_is_told_as_it_was_sent():
    again = {**part(0, "{}"), "id": "a", "type": "function"}
    (one,) = calls(stream(delta(tool_calls=[again]), delta(tool_calls=[again]), DONE))[0]
    assert (one.told("id"), one.told("type"), one.id) == (["a", "a"], ["function", "function"], "aa")


def test_choices_are_apart():
    x = stream(delta(0, tool_calls=[part(0, "1")]), delta(1, tool_calls=[part(0, "2")]), DONE)
    assert {index: [c.arguments for c in held] for index, held in calls(x).items()} == {0: ["1"], 1: ["2"]}


@pytest.mark.parametrize("odd", [None, 5, "x", [], [None], [5], [{}], [{"function": 5}], [{"index": "x", "id": 7}]])
def test_anything_can_be_read(odd):
    for x in (plain({"choices": [choice(message={"tool_calls": odd})]}), stream(delta(tool_calls=odd), DONE)):
        for held in calls(x).values():
            for c in held:
                assert (c.id, c.name, c.arguments, c.value, c.names, c.given) == ("", "", "", None, [], [])


def test_arguments_that_are_no_text_are_told_and_not_joined():
    (one,) = calls(message(call({"city": "Oslo"})))[0]
    assert (one.given, one.arguments) == ([{"city": "Oslo"}], "")
    assert calls(message(call("[" * 100_000)))[0][0].value is None


def test_what_a_request_offers():
    assert offered(plain(asked=ASKED | OFFERS)) == {"get_weather": FUNCTION}
    odd = {"tools": [5, {"function": 5}, {"function": {"name": 5}}]}
    assert offered(plain(asked=ASKED | odd)) == offered(plain(asked=STREAMED | {"tools": 5})) == {}
