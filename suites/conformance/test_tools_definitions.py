"""Tools as a request offers them: wrong ones, none at all, and the functions of old."""

from typing import Any

import pytest

from seatrial.checks.areas.tools import definitions
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Request
from suites.conformance.scenarios import (
    HELLO,
    WEATHER,
    FirstAsk,
    Judge,
    Send,
    all_faulty,
    declinable,
    faulty,
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


@pytest.mark.parametrize(("rule", "scenario"), cases(DEFINITIONS))
def test_tools_definitions(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(DEFINITIONS[scenario]))
