"""What a client gives beside its question: tools, right and wrong ones, and histories with their results."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.checks.areas.context.parts import WRITTEN
from seatrial.checks.areas.tools import definitions, own, roundtrip, schemas
from seatrial.checks.areas.tools import history as turns
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Exchange, Request, Scenario
from suites.conformance.scenarios import (
    HELLO,
    THINKING,
    USAGE,
    WEATHER,
    FirstAsk,
    Judge,
    Send,
    all_faulty,
    chats,
    declinable,
    faulty,
    full,
    optional,
    request,
)

ASKED = FirstAsk.TOOLS
FUNCTION: dict[str, Any] = WEATHER["function"]  # type: ignore[assignment]
ASKS = "What is the weather in Oslo?"


def offering(*functions: dict[str, Any], **body: Any) -> Request:
    """A chat that offers functions as tools; one token, should it be answered."""
    tools = [{"type": "function", "function": each} for each in functions]
    return request(HELLO, max_tokens=1, **{"tools": tools, **body})


BAD = {
    "two-of-one-name": offering(FUNCTION, {**FUNCTION, "description": "The climate of a city."}),
    "bad-name": offering({**FUNCTION, "name": "get weather (now)!"}),
    "parameters-no-object": offering({**FUNCTION, "parameters": "city"}),
    "unknown-type": request(HELLO, max_tokens=1, tools=[{**WEATHER, "type": "gadget"}]),
    "empty-list": request(HELLO, max_tokens=1, tools=[]),
    # Under "none" most servers keep them out of the prompt: a hundred and more cost nothing then.
    "too-many": offering(*({"name": f"f{n}"} for n in range(129)), tool_choice="none"),
}

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
USER: dict[str, Any] = {"role": "user", "content": ASKS}
ORPHANS: dict[str, list[Any]] = {
    "result-without-call": [USER, {"role": "tool", "tool_call_id": "call_9", "content": "7 degrees"}],
    "call-without-result": [USER, {"role": "assistant", "content": "", "tool_calls": [CALL]}, USER],
    "call-cut": [USER, *definitions.CUT_CALL],
}

DEFINITIONS = {
    "tools-bad": all_faulty(BAD, of=definitions.BAD_TOOLS, asked=ASKED),
    "tools-orphans": all_faulty(
        {name: request(talk, max_tokens=1, tools=[WEATHER]) for name, talk in ORPHANS.items()},
        of=definitions.ORPHANS,
        asked=ASKED,
    ),
    "tools-required-alone": faulty(
        request(HELLO, max_tokens=1, tool_choice="required"), of=definitions.REQUIRED_ALONE, asked=ASKED
    ),
    "tools-choice-alone": declinable(
        {str(choice): request(HELLO, max_tokens=1, tool_choice=choice) for choice in ("none", "auto", None)},
        of=definitions.CHOICE_ALONE,
        asked=ASKED,
    ),
    "functions": declinable(
        {
            name: request(
                ASKS, max_tokens=32, functions=[FUNCTION], function_call={"name": "get_weather"}, stream=streamed
            )
            for name, streamed in (("plain", False), ("stream", True))
        },
        of=definitions.FUNCTIONS,
        asked=ASKED,
    ),
}


STATION = "What is the weather in Oslo, and which station says so?"
SAID = "7 degrees and light rain, says the station kestrel-7391. "
LONG = SAID + (
    "The wind comes from the west at three knots and will turn north by noon; clouds are low over the harbour, the "
    "fjord is calm, and boats may leave until the evening tide comes in and the light goes."
)
SHORT = "Cold."
CITY = "Oslo"
FAR = (
    "the old town of Oslo, by the harbour below the castle, where the ferry from the islands lands at noon and the "
    "market has its stalls, or, if no station stands there, the nearest one up the river"
)
"""A place of many words: a call for it takes many tokens of a prompt."""


def history(result: Any = LONG, identity: str = "call_1", city: str = CITY, **assistant: Any) -> list[Any]:
    """A question, a call, its result; ``assistant`` is what the call's message has beside the call."""
    arguments = json.dumps({"city": city})
    call = {"id": identity, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    return [
        {"role": "user", "content": STATION},
        {"role": "assistant", "tool_calls": [call], **assistant},
        {"role": "tool", "tool_call_id": identity, "content": result},
    ]


def turn(one: list[Any], other: list[Any], content: str = "") -> list[Any]:
    """Two histories as one: a turn with the calls of both, and then their results."""
    (user, called, result), (_, also, second) = one, other
    calls = [*called["tool_calls"], *also["tool_calls"]]
    return [user, {"role": "assistant", "content": content, "tool_calls": calls}, result, second]


def told(talk: list[Any], cap: int = 1, **body: Any) -> Request:
    return request(talk, max_tokens=cap, tools=[WEATHER], **body)


LONGER, BRIEF = history(city=FAR), history(SHORT, "call_2")
STREAM: dict[str, Any] = {"stream": True, "stream_options": USAGE}
HISTORIES = {
    "null": told(history(content=None)),
    "missing": told(history()),
    "empty": told(history(content="")),
    "parts": told(
        history([{"type": "text", "text": SAID}, {"type": "text", "text": LONG.removeprefix(SAID)}], content="")
    ),
    "ids": told(history(identity="appel-é-天気-7", content="")),
    "short": told(history(SHORT, content="")),
}
THINKS = {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "get_weather"}}, **THINKING}

ROUNDTRIP = {
    "tool-result": optional(
        chats(
            of=roundtrip.RESULT,
            long=told(history(content=None), 24),
            short=told(history(SHORT, content=None)),
            called=told(history(SHORT, city=FAR, content=None)),
        ),
        FirstAsk.TOOLS,
    ),
    "tool-result-stream": optional(
        chats(
            of=roundtrip.RESULT,
            long=told(history(content=None), 24, **STREAM),
            short=told(history(SHORT, content=None), **STREAM),
            called=told(history(SHORT, city=FAR, content=None), **STREAM),
        ),
        FirstAsk.TOOLS,
    ),
    "tool-result-forms": optional(chats(of=roundtrip.FORMS, **HISTORIES), FirstAsk.TOOLS),
    "tool-results-of-a-turn": declinable(
        {
            "first": told(turn(LONGER, BRIEF)),
            "last": told(turn(BRIEF, LONGER)),
            "words": told(turn(BRIEF, LONGER, LONG)),
        },
        of=turns.TURN,
        asked=ASKED,
    ),
    "tools-thought": declinable(
        {
            name: request('Use the tool get_weather with {"city": "Oslo"}.', max_tokens=256, stream=streamed, **THINKS)
            for name, streamed in (("plain", False), ("stream", True))
        },
        of=roundtrip.THOUGHT,
        asked=FirstAsk.REASONING,
    ),
}


FORECAST = {
    "name": "forecast",
    "description": "The forecast for a place.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {
            "unit": {"type": "string", "enum": ["C", "F"]},
            "days": {"type": "integer", "enum": [1, 3, 7]},
            "place": {"$ref": "#/$defs/place"},
        },
        "required": ["unit", "days", "place"],
        "additionalProperties": False,
        "$defs": {
            "place": {
                "type": "object",
                "properties": {"city": {"type": "string", "enum": ["Oslo-7 🚀", "Rome-7 🚀"]}},
                "required": ["city"],
                "additionalProperties": False,
            }
        },
    },
}
"""A schema of which every value is short, so that a model cannot run on; a character of four bytes is in one of them,
and what is left without it no model says by itself."""

MISFIT = '{"unit": "furlongs", "days": "all", "place": "Paris", "mood": "good"}'
FORCED = {
    "tools": [{"type": "function", "function": FORECAST}],
    "tool_choice": {"type": "function", "function": {"name": "forecast"}},
}

NODE: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "below": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
}
GROUPS: dict[str, dict[str, Any]] = {
    "joined": {
        "anyOf": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "oneOf": {"oneOf": [{"type": "boolean"}, {"type": "null"}]},
        "allOf": {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"required": ["a"]}]},
        "type-list": {"type": ["string", "null"]},
        "no-description": {"type": "string"},
        "recursion": {"$ref": "#/$defs/node"},
    },
    "numbers": {
        "minimum": {"type": "integer", "minimum": -5, "maximum": 500},
        "exclusiveMinimum": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1.5},
        "multipleOf": {"type": "integer", "multipleOf": 5},
    },
    "texts": {
        "pattern": {"type": "string", "pattern": "^\\d{4}-\\d{2}(?:-\\w+)?$"},
        "format": {"type": "string", "format": "date-time"},
        "maxLength": {"type": "string", "minLength": 1, "maxLength": 65536},
        "const": {"const": "fixed"},
        "enum-any-script": {"enum": ["日本", "naïve", 'say "hi"', "a\\b"]},
    },
    "nested": {
        "items": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 1000, "uniqueItems": True},
        "prefixItems": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": False},
        "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        "deep": {
            "type": "object",
            "properties": {"a": {"type": "object", "properties": {"b": NODE["properties"]["name"]}}},
        },
        "default": {"type": "string", "default": "x", "title": "Title", "examples": ["x", "y"]},
        "description": {
            "type": "string",
            "description": 'A {"name": "x"} in <tool_call> marks, or "quoted";\n\t{{ so }}',
        },
    },
}
"""What a property of a tool may be, by the keyword that makes it special."""


def keyword(name: str, schema: Any) -> dict[str, Any]:
    """A tool whose parameter has a keyword."""
    parameters = {"type": "object", "properties": {"value": schema}, "required": ["value"], "$defs": {"node": NODE}}
    if name != "recursion":
        del parameters["$defs"]
    said = {} if name == "no-description" else {"description": f"Takes {name}."}
    return {"name": f"with_{name.replace('-', '_')}", **said, "parameters": parameters}


EACH = {name: keyword(name, schema) for group in GROUPS.values() for name, schema in group.items()}
ZOO = {group: offering(*(EACH[name] for name in held)) for group, held in GROUPS.items()}
APART = {f"{group}: {name}": offering(EACH[name]) for group, held in GROUPS.items() for name in held}


def crowd(n: int, words: int) -> list[dict[str, Any]]:
    """So many tools, each with so many words of description."""
    text = "Moves the crane along the quay, lifts what lies there and sets it down on the ship that waits. "
    return [{"name": f"job_{job}", "description": " ".join((text * 9).split()[:words])} for job in range(n)]


SCHEMAS = {
    "tools-strict": declinable(
        {
            name: request(f"Use the tool forecast with {MISFIT}.", max_tokens=96, stream=streamed, **FORCED)
            for name, streamed in (("plain", False), ("stream", True))
        },
        of=schemas.STRICT | WRITTEN,
        asked=ASKED,
    ),
    "tools-zoo": replace(
        declinable(
            ZOO | {"all, streamed": offering(*EACH.values(), tool_choice="required", stream=True)},
            of=schemas.ZOO,
            asked=ASKED,
        ),
        apart=APART,
    ),
    "tools-zoo-each": full(
        declinable(
            {
                f"{name}, {'streamed' if streamed else 'plain'}": offering(
                    function, stream=streamed, tool_choice="required"
                )
                for name, function in EACH.items()
                for streamed in (False, True)
            },
            of=schemas.ZOO,
            asked=ASKED,
        )
    ),
    # Forty-eight tools in small, within 2048 tokens; in full sixty-four of 30 kB.
    "tools-many": declinable(
        {
            "few": offering(FUNCTION),
            "one more": offering(FUNCTION, *crowd(1, 2)),
            "many": offering(FUNCTION, *crowd(47, 2)),
        },
        of=schemas.MANY,
        asked=ASKED,
    ),
    "tools-large": full(
        declinable(
            {
                "few": offering(FUNCTION),
                "one more": offering(FUNCTION, *crowd(1, 80)),
                "large": offering(FUNCTION, *crowd(63, 80)),
                "large, streamed": offering(FUNCTION, *crowd(63, 80), stream=True, stream_options=USAGE),
            },
            of=schemas.MANY,
            asked=ASKED,
        )
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(DEFINITIONS | ROUNDTRIP | SCHEMAS))
def test_tools_given(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send((DEFINITIONS | ROUNDTRIP | SCHEMAS)[scenario]))


PROMPT_S = 180.0
"""The tools of an agent are a prompt of thousands of tokens, which a small machine reads for half a minute."""

OWN = {
    "own-tools": replace(declinable({}, of=own.OFFERED, asked=ASKED), deadline_s=PROMPT_S),
    "own-tools-called": declinable({}, of=own.CALLED, asked=ASKED),
}
"""The tools of the operator's own client, which ``--tools`` names: what is sent is made of them."""


@pytest.mark.parametrize(("rule", "scenario"), cases(OWN))
def test_own_tools(
    rule: Rule, scenario: str, seatrial_offer: Callable[[Scenario], Mapping[str, Exchange]], seatrial_judge: Judge
) -> None:
    seatrial_judge(rule, seatrial_offer(OWN[scenario]))
