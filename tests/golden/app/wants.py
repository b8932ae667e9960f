"""What a chat request may say of tools, of its answer's form and of thought; each says what is wrong, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.golden.app import schemas
from tests.golden.app.tools import MOST, NAME

BUDGETS = ("thinking_budget", "thinking_token_budget", "thinking_budget_tokens", "reasoning_budget")
"""The names under which servers take the most tokens of thought."""


def wrong_tools(body: Mapping[str, Any]) -> tuple[str, str]:
    """(parameter, what is wrong) of the tools of a request and the choice among them; empty where nothing is."""
    tools, choice = body.get("tools"), body.get("tool_choice")
    for name in ("functions", "function_call"):
        if body.get(name) is not None:
            return name, f"{name} is of old: use tools"
    if tools is not None and (wrong := _tools(tools)):
        return "tools", wrong
    return "tool_choice", "" if choice is None or choice in ("none", "auto") else _wrong_choice(choice, tools or ())


def _wrong_choice(choice: Any, tools: Sequence[Any]) -> str:
    if choice == "required":
        return "" if tools else '"required" needs tools'
    named = choice.get("function") if isinstance(choice, dict) and choice.get("type") == "function" else None
    if not isinstance(named, dict) or not isinstance(named.get("name"), str):
        return 'must be "none", "auto", "required" or name a function'
    if named["name"] not in {tool["function"]["name"] for tool in tools}:
        return f"there is no tool {named['name'][:64]!r}"
    return ""


def _tools(tools: Any) -> str:
    if not isinstance(tools, list) or not 1 <= len(tools) <= MOST:
        return f"must be a list of 1 to {MOST} tools"
    names: set[str] = set()
    for n, tool in enumerate(tools):
        if wrong := _tool(tool, names):
            return f"tools[{n}] {wrong}"
    return ""


def _tool(tool: Any, names: set[str]) -> str:
    """What is wrong with a tool; its name is added to those before it."""
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function":
        return 'must be of type "function" and hold one'
    name, strict = function.get("name"), function.get("strict")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return "needs a name of 1 to 64 letters, digits, _ and -"
    if name in names:
        return f"has the name of another, {name}"
    names.add(name)
    if not isinstance(function.get("description", ""), str) or not isinstance(strict, bool | None):
        return "must have a string as description, and strict true or false"
    given = function.get("parameters")
    wrong = "" if given is None else _parameters(given, strict=strict is True)
    return f"has parameters that are refused: {wrong}" if wrong else ""


def _parameters(schema: Any, *, strict: bool) -> str:
    if isinstance(schema, dict) and schema.get("type", "object") != "object":
        return "the schema must be of an object"
    return schemas.problem(schema, strict=strict)


def wrong_results(messages: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with the results of tools: one without its call, or a call without its result."""
    open_ids: set[Any] = set()
    for n, message in enumerate(messages):
        if message.get("role") == "tool":
            identity = message.get("tool_call_id")
            if not isinstance(identity, str) or identity not in open_ids:
                return f"messages[{n}] answers no call before it"
            open_ids.discard(identity)
            continue
        if open_ids:
            return f"messages[{n}]: a call before it has no result"
        calls = message.get("tool_calls") if message.get("role") == "assistant" else None
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict) or not isinstance(call.get("id"), str):
                return f"messages[{n}].tool_calls: a call needs an id and a function"
            if not isinstance(function.get("name"), str) or not isinstance(function.get("arguments"), str):
                return f"messages[{n}].tool_calls: name and arguments must be strings"
            open_ids.add(call["id"])
    return "the last call has no result" if open_ids else ""


def wrong_format(form: Any) -> str:
    """What is wrong with a response_format; empty where nothing is."""
    kind = form.get("type") if isinstance(form, dict) else None
    if kind in ("text", "json_object"):
        return ""
    if kind != "json_schema":
        return 'must be an object of type "text", "json_object" or "json_schema"'
    given = form.get("json_schema")
    if not isinstance(given, dict) or not isinstance(given.get("name"), str) or not NAME.fullmatch(given["name"]):
        return "json_schema needs a name of letters, digits, _ and -"
    if not isinstance(given.get("strict"), bool | None):
        return "strict must be true or false"
    if "schema" not in given:
        return "json_schema needs a schema"
    return schemas.problem(given["schema"], strict=True)


def budget(body: Mapping[str, Any]) -> int | None:
    """The most tokens of thought that a request allows; None where it names none."""
    template, thinking = body.get("chat_template_kwargs"), body.get("thinking")
    places = [body, template if isinstance(template, dict) else {}]
    given = [place.get(name) for place in places for name in BUDGETS]
    given.append(thinking.get("budget_tokens") if isinstance(thinking, dict) else None)
    return next((b for b in given if isinstance(b, int) and not isinstance(b, bool) and b >= 0), None)


def tries_hard(body: Mapping[str, Any]) -> bool:
    """Whether a request asks for long thought."""
    return body.get("reasoning_effort") in ("high", "xhigh", "max")


def thinks(body: Mapping[str, Any], *, usually: bool) -> bool:
    """Whether a request is thought about: as it says, else as the server usually does."""
    template = body.get("chat_template_kwargs")
    said = template.get("enable_thinking") if isinstance(template, dict) else None
    effort = body.get("reasoning_effort")
    if said is False or effort == "none" or budget(body) == 0:
        return False
    return usually or said is True or effort is not None
