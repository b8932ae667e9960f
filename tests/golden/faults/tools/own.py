"""Faults with a client's own set of tools: a keyword or a size that is refused, and schemas that nobody keeps to.

The set that is offered to a golden server is ``tests/toolset.py``: each of its tools has an ``enum`` in the schema of
what an array holds, a ``$ref`` and an ``additionalProperties``; the first faults refuse one of them in one tool.
"""

from __future__ import annotations

import json
from dataclasses import replace

from tests.golden.answers import Answer, tokens
from tests.golden.app import tools
from tests.golden.edits import Json, failure
from tests.golden.faults.optional import with_named_tool, with_tools
from tests.golden.registry import Call, Shot, fault
from tests.golden.validation import InsteadError, RefusedError
from tests.toolset import parts

ACCEPTED = "tools/own-tools-are-accepted"
ENFORCED = "tools/own-tools-are-enforced"


def _of_tasks(call: Call) -> bool:
    """A chat that offers the tools of an operator, and no others."""
    return with_tools(call) and all(
        str(each["function"].get("name", "")).startswith(("task_", "tool_")) for each in call.says("tools")
    )


def _has(body: Json, name: str, keyword: str) -> bool:
    """Whether a tool of this name uses a keyword anywhere."""
    held = [tool["function"] for tool in body["tools"] if tool["function"]["name"] == name]
    return any(keyword in part for each in held for part in parts(each.get("parameters")))


@fault("own-enum-of-one-tool-refused", caught_by=ACCEPTED, stage="body", when=_of_tasks)
def own_enum_of_one_tool_refused(body: Json, shot: Shot) -> Json:
    """One keyword of one tool, nested, makes every chat a 400 that names nothing (llama.cpp #27580: pattern)."""
    if not _has(body, "task_17", "enum"):
        return body
    shot.fire()
    raise RefusedError("failed to parse grammar")


@fault("own-references-of-two-tools-500", caught_by=ACCEPTED, stage="body", when=_of_tasks)
def own_references_of_two_tools_500(body: Json, shot: Shot) -> Json:
    """A reference in either of two tools is a 500: it is looked up in a table that was made of the first one."""
    if not any(_has(body, name, "$ref") for name in ("task_3", "task_40")):
        return body
    shot.fire()
    raise InsteadError(failure(500, "Unresolved reference"))


@fault("own-tools-too-many", caught_by=ACCEPTED, stage="body", when=_of_tasks)
def own_tools_too_many(body: Json, shot: Shot) -> Json:
    """More than 32 tools are refused, whatever is in them."""
    if len(body["tools"]) <= 32:
        return body
    shot.fire()
    raise RefusedError("number of repetitions exceeds sane defaults")


@fault("own-tools-too-long", caught_by=ACCEPTED, stage="body", when=_of_tasks)
def own_tools_too_long(body: Json, shot: Shot) -> Json:
    """A set of more than 12,000 bytes is refused, however many tools it has."""
    if len(json.dumps(body["tools"])) <= 12_000:
        return body
    shot.fire()
    raise RefusedError("the request exceeds the available context size", code="context_length_exceeded")


@fault("own-tools-not-together", caught_by=ACCEPTED, stage="body", when=_of_tasks)
def own_tools_not_together(body: Json, shot: Shot) -> Json:
    """Two tools that are taken each are refused together: rules of a grammar get one name."""
    if not {"task_5", "task_30"} <= {tool["function"]["name"] for tool in body["tools"]}:
        return body
    shot.fire()
    raise InsteadError(failure(500, "duplicate rule"))


def _named_task(call: Call) -> bool:
    return with_named_tool(call) and _of_tasks(call)


@fault("own-schemas-open", caught_by=ENFORCED, stage="draft", when=_named_task)
def own_schemas_open(answer: Answer, shot: Shot) -> Answer:
    """The grammar of a schema cannot be made, and none is used: the arguments are what the prompt asks for (#19051)."""
    asked = next(tools.objects(shot.call.body["messages"][-1]["content"]), None)
    return answer if asked is None else _with(answer, json.dumps(asked))


@fault("own-schema-of-one-tool-open", caught_by=ENFORCED, stage="draft", when=_named_task)
def own_schema_of_one_tool_open(answer: Answer, shot: Shot) -> Answer:
    """The arguments of one tool among forty are free, for a keyword of it is not known (#26596)."""
    if shot.call.body["tool_choice"]["function"]["name"] != "task_23":
        return answer
    return _with(answer, json.dumps({"places": "everywhere"}))


def _with(answer: Answer, arguments: str) -> Answer:
    made = tuple(replace(call, arguments=tokens(arguments)) for call in answer.calls)
    return replace(answer, calls=made) if made else answer
