"""Faults in how tools are taken: bad ones used, results without a call, a choice without tools, functions of old."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.golden.app.tools import MOST, NAME
from tests.golden.edits import Json, each_choice, failure, without
from tests.golden.faults.optional import with_tools
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, fault, freedom
from tests.golden.validation import InsteadError

BAD = "tools/bad-definitions-are-refused"
ORPHANS = "tools/orphaned-results-are-refused-or-answered"
REQUIRED = "tools/required-without-tools-is-refused"
IDLE = "tools/idle-choice-without-tools-is-accepted"
FUNCTIONS = "tools/functions-of-old-work-or-are-refused"


def lists_tools(call: Call) -> bool:
    """A chat with a list of tools, be it empty."""
    return chat(call) and isinstance(call.says("tools"), list)


def _each(body: Json, change: Callable[[Json], Json]) -> Json:
    """With each function changed; the same object where none was."""
    made = [{**tool, "function": change(tool["function"])} for tool in body["tools"]]
    return body if made == body["tools"] else {**body, "tools": made}


@fault("tools-of-one-name", caught_by=BAD, stage="body", when=lists_tools)
def tools_of_one_name(body: Json, shot: Shot) -> Json:
    """Of two tools of one name the last is taken: they are kept by name (a dict in place of a list)."""
    kept = {tool["function"]["name"]: tool for tool in body["tools"]}
    return body if len(kept) == len(body["tools"]) else {**body, "tools": list(kept.values())}


@fault("tools-with-any-name", caught_by=BAD, stage="body", when=lists_tools)
def tools_with_any_name(body: Json, shot: Shot) -> Json:
    """A name that the specification does not allow is mended in silence."""
    return _each(body, lambda f: f if NAME.fullmatch(f["name"]) else {**f, "name": "tool"})


@fault("tools-without-parameters", caught_by=BAD, stage="body", when=lists_tools)
def tools_without_parameters(body: Json, shot: Shot) -> Json:
    """Parameters that are no object are left out in silence."""
    return _each(body, lambda f: f if isinstance(f.get("parameters", {}), dict) else without(f, "parameters"))


@fault("tools-of-any-type", caught_by=BAD, stage="body", when=lists_tools)
def tools_of_any_type(body: Json, shot: Shot) -> Json:
    """The type of a tool is not looked at (llama.cpp reads its function alone)."""
    made = [{**tool, "type": "function"} for tool in body["tools"]]
    return body if made == body["tools"] else {**body, "tools": made}


@fault("tools-empty-list", caught_by=BAD, stage="body", when=lists_tools)
def tools_empty_list(body: Json, shot: Shot) -> Json:
    """An empty list of tools is taken for none."""
    return body if body["tools"] else without(body, "tools")


@fault("tools-beyond-the-most", caught_by=BAD, stage="body", when=lists_tools)
def tools_beyond_the_most(body: Json, shot: Shot) -> Json:
    """Of too many tools the first are kept, and no word is said of the others."""
    return body if len(body["tools"]) <= MOST else {**body, "tools": body["tools"][:MOST]}


def _orphaned(body: Json) -> bool:
    """Whether the first result has no call before it, or the last call no result."""
    roles = ["call" if message.get("tool_calls") else message.get("role") for message in body["messages"]]
    return ("tool" in roles and "call" not in roles) or ("call" in roles and "tool" not in roles)


@fault("orphan-500", caught_by=ORPHANS, stage="body", when=with_tools)
def orphan_500(body: Json, shot: Shot) -> Json:
    """A result without its call, or a call without its result, is a 500: the template looks for the other."""
    if not _orphaned(body):
        return body
    shot.fire()
    raise InsteadError(failure(500, "list index out of range"))


@fault("cut-arguments-500", caught_by=ORPHANS, stage="body", when=with_tools)
def cut_arguments_500(body: Json, shot: Shot) -> Json:
    """An earlier call whose arguments were cut is a 500: who renders it parses them (llama.cpp issue 25510)."""
    calls = [call for message in body["messages"] for call in message.get("tool_calls") or ()]
    try:
        for call in calls:
            json.loads(call["function"]["arguments"])
    except ValueError:
        shot.fire()
        raise InsteadError(failure(500, "Failed to parse tool call arguments as JSON")) from None
    return body


@fault("orphan-empty", caught_by=ORPHANS, stage="body", when=with_tools)
def orphan_empty(body: Json, shot: Shot) -> Json:
    """A history that does not add up is answered with 200 and no choice."""
    if not _orphaned(body):
        return body
    shot.fire()
    raise InsteadError(Reply(200, {"id": "chatcmpl-0", "object": "chat.completion", "created": 0, "choices": []}))


def _alone(call: Call) -> bool:
    """A choice among tools, and no tool."""
    return chat(call) and isinstance(call.body, dict) and "tool_choice" in call.body and not call.says("tools")


@fault("required-alone-ignored", caught_by=REQUIRED, stage="body", when=_alone)
def required_alone_ignored(body: Json, shot: Shot) -> Json:
    """A call is required, no tool is offered, and words are the answer (llama.cpp)."""
    return without(body, "tool_choice") if body["tool_choice"] == "required" else body


@fault("required-alone-500", caught_by=REQUIRED, stage="body", when=_alone)
def required_alone_500(body: Json, shot: Shot) -> Json:
    """A call is required, no tool is offered: a grammar of no alternative is a 500."""
    if body["tool_choice"] != "required":
        return body
    shot.fire()
    raise InsteadError(failure(500, "failed to parse grammar"))


@fault("choice-alone-500", caught_by=IDLE, stage="body", when=_alone)
def choice_alone_500(body: Json, shot: Shot) -> Json:
    """A choice without tools is a 500: tools are read as soon as there is a choice (vLLM #9426, there a 400)."""
    if body["tool_choice"] == "required":
        return body
    shot.fire()
    raise InsteadError(failure(500, "'NoneType' object is not iterable"))


@fault("choice-alone-calls", caught_by=IDLE, stage=("whole", "chunk"), when=_alone)
def choice_alone_calls(body: Json, shot: Shot) -> Json:
    """A tool is called that nobody offered."""
    call = {"id": "call_0", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    return each_choice(
        body, lambda c: {**c, "message": {**c["message"], "tool_calls": [call]}} if "message" in c else c
    )


def with_functions(call: Call) -> bool:
    """A chat that offers functions as before there were tools."""
    functions = call.says("functions")
    return chat(call) and isinstance(functions, list) and bool(functions)


@fault("functions-ignored", caught_by=FUNCTIONS, stage="body", when=with_functions)
def functions_ignored(body: Json, shot: Shot) -> Json:
    """functions and function_call are fields that nobody reads: words are the answer."""
    return without(body, "functions", "function_call")


@fault("functions-as-tools", caught_by=FUNCTIONS, stage="body", when=with_functions)
def functions_as_tools(body: Json, shot: Shot) -> Json:
    """functions are taken for tools, and the answer calls a tool: a client of old never sees it."""
    return _as_tools(body)


@freedom(
    "functions-of-old",
    stage=("body", "whole", "chunk"),
    when=with_functions,
    of="functions of old",
    source="OpenAPI document, functions: deprecated, not removed",
)
def functions_of_old(body: Json, shot: Shot) -> Json:
    """functions and function_call work as they did."""
    return _as_tools(body) if "messages" in body else each_choice(body, _of_old)


@fault("functions-with-an-object", caught_by=FUNCTIONS, stage=("body", "whole", "chunk"), when=with_functions)
def functions_with_an_object(body: Json, shot: Shot) -> Json:
    """The arguments of a function_call are an object, and no string."""
    return _as_tools(body) if "messages" in body else each_choice(body, lambda c: _of_old(c, arguments={}))


def _as_tools(body: Json) -> Json:
    """A request of old as one with tools; a choice of "auto" or "none" is one of both."""
    tools = [{"type": "function", "function": each} for each in body["functions"]]
    named = body.get("function_call")
    chosen = {"type": "function", "function": named} if isinstance(named, dict) else named
    choice = {} if chosen is None else {"tool_choice": chosen}
    return without({**body, "tools": tools, **choice}, "functions", "function_call")


def _of_old(choice: Json, arguments: Any = None) -> Json:
    """A choice whose tool call is a function_call, of a stream in each piece."""
    key = "delta" if "delta" in choice else "message"
    finish = "function_call" if choice["finish_reason"] == "tool_calls" else choice["finish_reason"]
    held = choice[key].get("tool_calls")
    if not held:
        return choice if finish == choice["finish_reason"] else {**choice, "finish_reason": finish}
    function = held[0]["function"] if arguments is None else {**held[0]["function"], "arguments": arguments}
    return {**choice, key: {**without(choice[key], "tool_calls"), "function_call": function}, "finish_reason": finish}
