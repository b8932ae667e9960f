"""Calls of tools."""

from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.checks.areas.context.parts import WRITTEN
from seatrial.checks.areas.tools import asked, calls, several, streams
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.records import Quoted, Request, Scenario
from suites.conformance.scenarios import HELLO, USAGE, WEATHER, FirstAsk, Judge, Send, chats, optional, request

CLOCK: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
PING: dict[str, Any] = {"type": "function", "function": {"name": "ping", "description": "Says that you are there."}}

NUMBERS: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "save_numbers",
        "description": "Saves numbers.",
        "parameters": {
            "type": "object",
            "properties": {"numbers": {"type": "array", "items": {"type": "integer"}, "minItems": 240}},
            "required": ["numbers"],
        },
    },
}
"""A tool whose only argument is longer than any cap of its scenario."""

OSLO = "What is the weather in Oslo?"
FAR = 'Use the tool get_weather with {"city": "Zürich 東京"}.'
"""A city whose letters have two and three bytes: a stream that cuts between bytes loses them."""

TWICE = "What is the weather in Oslo and in Rome?"
MANY = "Save the numbers from 1 to 240."
BESIDE = 'Write "Let me look." first, and then use the tool get_weather with {"city": "Oslo"}.'

ROOM = 64
"""Tokens for a call, and for the markup in which a model writes it."""

CUT_AT = 24
"""Tokens that reach into the arguments of a call, and not to their end."""


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


PINGS: dict[str, Any] = {"tools": [PING, WEATHER], "tool_choice": named("ping")}
"""The one call that is cheap whatever the model: its arguments are empty."""


def calling(prompt: str, *, of: Traits, cap: int = ROOM, **body: Any) -> Scenario:
    """One request that offers tools, to a server that has them."""
    return optional(chats(of=of, only=request(prompt, max_tokens=cap, **body)), FirstAsk.TOOLS)


def ways(prompt: str, *names: str, of: Traits, alone: bool = False, **body: Any) -> Scenario:
    """The same request under each name; the one called ``stream`` is streamed."""
    sent = {n: request(prompt, max_tokens=ROOM, **body, **({"stream": True} if n == "stream" else {})) for n in names}
    tokens = ROOM * len(sent)
    return optional(Scenario(requests=sent, traits=of, alone=alone, tokens=tokens), FirstAsk.TOOLS)


def again(before: str, **body: Any) -> Request:
    """The turn after the one of that name: the call of ping that it made, its result, and another call."""
    call = {"id": Quoted(after=before, of="call"), "type": "function", "function": {"name": "ping", "arguments": "{}"}}
    talk = [
        {"role": "user", "content": HELLO},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": Quoted(after=before, of="call"), "content": "I am here."},
    ]
    return request(talk, max_tokens=ROOM, **PINGS, **body)


def twice(once: Scenario) -> Scenario:
    """What calls plain and as a stream calls once more, in a second turn of each."""
    turns = {"next": again("plain"), "next-stream": again("stream", stream=True)}
    return replace(once, requests={**once.requests, **turns}, tokens=once.tokens + ROOM * len(turns))


TOOLS = {
    "tools-asked": chats(only=FirstAsk.TOOLS[1], of=asked.OFFERED),
}


CALLS = {
    "tool-none": calling(OSLO, of=asked.FORBIDDEN, cap=24, tools=[WEATHER], tool_choice="none"),
    "tool-required": calling(HELLO, of=asked.REQUIRED, tools=[WEATHER], tool_choice="required"),
    "tool-named": calling(OSLO, of=asked.NAMED | WRITTEN, tools=[WEATHER, CLOCK], tool_choice=named("get_time")),
    "tool-cut": calling(MANY, of=asked.CUT, cap=CUT_AT, tools=[NUMBERS], tool_choice=named("save_numbers")),
    "tools-parallel": calling(TWICE, of=several.PARALLEL, cap=2 * ROOM, tools=[WEATHER], tool_choice="required"),
    "tools-one": calling(
        TWICE,
        of=several.ONE_CALL,
        cap=2 * ROOM,
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
    ),
    "tool-no-parameters": twice(ways(HELLO, "plain", "stream", of=calls.NO_PARAMETERS | several.AGAIN, **PINGS)),
    "tool-words-beside": ways(BESIDE, "plain", "stream", of=streams.BESIDE, tools=[WEATHER], tool_choice="auto"),
}

STREAMED = {
    "tool-none-stream": calling(
        OSLO, of=asked.FORBIDDEN, cap=24, tools=[WEATHER], tool_choice="none", stream=True, stream_options=USAGE
    ),
    "tool-required-stream": calling(
        HELLO, of=asked.REQUIRED, tools=[WEATHER], tool_choice="required", stream=True, stream_options=USAGE
    ),
    "tool-named-stream": calling(
        OSLO, of=asked.NAMED | WRITTEN, tools=[WEATHER, CLOCK], tool_choice=named("get_time"), stream=True
    ),
    "tool-cut-stream": calling(
        MANY,
        of=asked.CUT,
        cap=CUT_AT,
        tools=[NUMBERS],
        tool_choice=named("save_numbers"),
        stream=True,
        stream_options=USAGE,
    ),
    "tools-parallel-stream": calling(
        TWICE, of=several.PARALLEL, cap=2 * ROOM, tools=[WEATHER], tool_choice="required", stream=True
    ),
    "tool-both-ways": ways(
        FAR,
        "plain",
        "again",
        "stream",
        of=streams.BOTH_WAYS | WRITTEN,
        alone=True,
        tools=[WEATHER],
        tool_choice=named("get_weather"),
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(TOOLS))
def test_tools(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(TOOLS[scenario]))


@pytest.mark.parametrize(("rule", "scenario"), cases(CALLS))
def test_calls(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(CALLS[scenario]))


@pytest.mark.parametrize(("rule", "scenario"), cases(STREAMED))
def test_streamed_calls(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(STREAMED[scenario]))
