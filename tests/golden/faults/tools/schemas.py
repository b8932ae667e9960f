"""Faults with the schemas of tools: strict and not enforced, keywords refused, and what many tools break."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.app import tools
from tests.golden.edits import Json, failure, without
from tests.golden.faults.optional import with_tools
from tests.golden.registry import Call, Shot, chat, fault, freedom
from tests.golden.validation import InsteadError, RefusedError

STRICT = "tools/strict-schemas-are-enforced"
ZOO = "tools/schemas-of-any-kind-are-accepted"
MANY = "tools/many-tools-are-accepted"


def with_strict_tool(call: Call) -> bool:
    """A chat with a strict function."""
    told = call.says("tools")
    return with_tools(call) and any('"strict": true' in json.dumps(each) for each in told)


def _called_with(answer: Answer, change: Callable[[Json], Any]) -> Answer:
    """With the arguments of each call changed."""
    made = []
    for call in answer.calls:
        arguments = change(json.loads("".join(call.arguments)))
        made.append(replace(call, arguments=tokens(json.dumps(arguments, ensure_ascii=False))))
    return replace(answer, calls=tuple(made)) if made else answer


@fault("strict-ignored", caught_by=STRICT, stage="draft", when=with_strict_tool)
def strict_ignored(answer: Answer, shot: Shot) -> Answer:
    """strict is not looked at: the arguments are what the prompt asks for."""
    last = shot.call.body["messages"][-1]["content"]
    asked = next(tools.objects(last), None) if isinstance(last, str) else None
    return answer if asked is None else _called_with(answer, lambda _made: asked)


@fault("strict-with-more-keys", caught_by=STRICT, stage="draft", when=with_strict_tool)
def strict_with_more_keys(answer: Answer, shot: Shot) -> Answer:
    """additionalProperties false is not kept: a key stands there that the schema does not have."""
    return _called_with(answer, lambda made: {**made, "note": "as you wish"})


@fault("strict-below-the-top-free", caught_by=STRICT, stage="draft", when=with_strict_tool)
def strict_below_the_top_free(answer: Answer, shot: Shot) -> Answer:
    """What lies below the top is not held to its schema: a reference is taken for anything."""
    return _called_with(answer, lambda made: {k: {"any": 1} if isinstance(v, dict) else v for k, v in made.items()})


def _parts(value: Any) -> Iterator[Json]:
    """Each object in a value."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _parts(each)


def _keyword(body: Json, name: str) -> list[Any]:
    """What the tools of a request say under a keyword of their schemas."""
    return [part[name] for tool in body["tools"] for part in _parts(tool["function"].get("parameters")) if name in part]


@fault("tool-pattern-refused", caught_by=ZOO, stage="body", when=with_tools)
def pattern_refused(body: Json, shot: Shot) -> Json:
    r"""A pattern with \d in one tool refuses the request, and the error names nothing (llama.cpp #27580)."""
    if not any("\\d" in str(pattern) for pattern in _keyword(body, "pattern")):
        return body
    shot.fire()
    raise RefusedError("Failed to parse grammar")


@fault("tool-long-text-refused", caught_by=ZOO, stage="body", when=with_tools)
def long_text_refused(body: Json, shot: Shot) -> Json:
    """A text that may be long is refused (llama.cpp: number of repetitions exceeds sane defaults)."""
    if not any(isinstance(most, int) and most > 2000 for most in _keyword(body, "maxLength")):
        return body
    shot.fire()
    raise RefusedError("number of repetitions exceeds sane defaults, please reduce the number of repetitions")


@fault("tool-description-500", caught_by=ZOO, stage="body", when=with_tools)
def description_500(body: Json, shot: Shot) -> Json:
    """A description with a line feed or a quote is a 500: it stands in the grammar as it is (llama.cpp #27619)."""
    told = [text for tool in body["tools"] for part in _parts(tool) if isinstance(text := part.get("description"), str)]
    if not any("\n" in text or '"' in text for text in told):
        return body
    shot.fire()
    raise InsteadError(failure(500, "unexpected character in grammar"))


@fault("tool-without-description-500", caught_by=ZOO, stage="body", when=with_tools)
def without_description_500(body: Json, shot: Shot) -> Json:
    """A tool that has no description is a 500: who renders it counts on one (vLLM issue 21165, lemonade issue 540)."""
    functions = [tool.get("function") for tool in body["tools"] if isinstance(tool, dict)]
    if all(not isinstance(each, dict) or each.get("description") for each in functions):
        return body
    shot.fire()
    raise InsteadError(failure(500, "key 'description' not found"))


@fault("tool-recursion-500", caught_by=ZOO, stage="body", when=with_tools)
def recursion_500(body: Json, shot: Shot) -> Json:
    """A schema that refers to itself is a 500: it is written out until there is no stack left."""
    if not _keyword(body, "$ref"):
        return body
    shot.fire()
    raise InsteadError(failure(500, "maximum recursion depth exceeded"))


def _many(call: Call) -> bool:
    return chat(call) and isinstance(told := call.says("tools"), list) and len(told) > 1


@fault("many-tools-refused", caught_by=MANY, stage="body", when=_many)
def many_tools_refused(body: Json, shot: Shot) -> Json:
    """More than 32 tools are refused."""
    if len(body["tools"]) <= 32:
        return body
    shot.fire()
    raise RefusedError("at most 32 tools", param="tools")


@fault("many-tools-dropped", caught_by=MANY, stage="body", when=_many)
def many_tools_dropped(body: Json, shot: Shot) -> Json:
    """Of many tools the first sixteen are kept."""
    return {**body, "tools": body["tools"][:16]} if len(body["tools"]) > 16 else body


@fault("many-tools-500", caught_by=MANY, stage="body", when=_many)
def many_tools_500(body: Json, shot: Shot) -> Json:
    """Many tools make a grammar that is too large: a 500."""
    if len(body["tools"]) <= 32:
        return body
    shot.fire()
    raise InsteadError(failure(500, "Failed to initialize samplers"))


@fault("no-room-for-many-tools", stage="body", when=_many, family="honest")
def no_room_for_many_tools(body: Json, shot: Shot) -> Json:
    """Many tools are refused, for the prompt would be longer than the context."""
    if len(body["tools"]) <= 32:
        return body
    shot.fire()
    raise RefusedError("the request exceeds the available context size", code="context_length_exceeded")


def _of_one(body: Json, kept: Json) -> Json:
    """A body that offers one tool; where another is named, its model calls what it knows."""
    named = body["tool_choice"]["function"]["name"] if isinstance(body.get("tool_choice"), dict) else None
    unknown = named not in (None, kept["function"]["name"])
    return {**body, "tools": [kept], **({"tool_choice": "required"} if unknown else {})}


@fault("first-tool-alone", caught_by=MANY, stage="body", when=_many)
def first_tool_alone(body: Json, shot: Shot) -> Json:
    """The template tells the model of the first tool, and of no other."""
    return _of_one(body, body["tools"][0])


@fault("last-tool-alone", caught_by=MANY, stage="body", when=_many)
def last_tool_alone(body: Json, shot: Shot) -> Json:
    """Each tool is written over the one before it, and the model is told of the last."""
    return _of_one(body, body["tools"][-1])


@fault("last-tool-alone-is-talked-about", caught_by=MANY, stage="body", when=_many)
def last_tool_alone_is_talked_about(body: Json, shot: Shot) -> Json:
    """The same, and where another tool is named no call is forced."""
    changed = last_tool_alone(body, shot)
    return without(changed, "tool_choice") if changed.get("tool_choice") != body.get("tool_choice") else changed


@freedom(
    "tools-are-told-without-descriptions",
    of="tools in a prompt",
    source="OpenAPI document, FunctionObject.description: how the model is told of it is nowhere said",
    stage="body",
    when=_many,
)
def tools_are_told_without_descriptions(body: Json, shot: Shot) -> Json:
    """The template tells the model of each tool by its name and its parameters, and leaves out what describes it."""
    bare = [{**t, "function": without(t["function"], "description")} if _described(t) else t for t in body["tools"]]
    return body if bare == body["tools"] else {**body, "tools": bare}


def _described(tool: object) -> bool:
    """Whether a tool is described in words: any other description is for the server to refuse."""
    function = tool.get("function") if isinstance(tool, dict) else None
    return isinstance(function, dict) and isinstance(function.get("description"), str)
