"""Tool calls of the golden server: when it calls, which tools, with what, and what it makes of their results.

The prompt decides, by a convention that a test can read: ``Use the tool NAME with {...}`` (or ``Call the function``)
calls, once for each mention. Without it, under ``auto``, a tool is called whose name shares a word with the question
("What is the weather in Oslo and Rome?" calls ``get_weather`` twice). Arguments always validate. Words stand beside a
call where the prompt asks for them: ``Write "..." first``.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.golden.app import schemas

USE = re.compile(r"\b(?:use|call|invoke)\s+(?:the\s+)?(?:tool|function)s?\s+[\"'`]?([A-Za-z0-9_-]+)", re.IGNORECASE)
BESIDE = re.compile(r'\b(?:write|say) "([^"]+)" first', re.IGNORECASE)
PLACES = re.compile(r"\b(?:in|for|of|at)\s+((?:(?:,\s*|\s+and\s+(?:in\s+|for\s+|of\s+|at\s+)?)?[A-Z]\w+)+)")
AND = re.compile(r",\s*|\s+and\s+(?:in\s+|for\s+|of\s+|at\s+)?")
NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
COMMON = frozenset({"call", "find", "make", "list", "read", "send", "tool", "with", "from", "this", "that", "function"})
MOST = 128
ANY: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call: tokens of its name and of its arguments; a cap may leave part of the arguments."""

    id: str
    name: tuple[str, ...]
    arguments: tuple[str, ...]

    @property
    def generated(self) -> int:
        return len(self.name) + len(self.arguments)

    def whole(self) -> dict[str, Any]:
        """As a message has it."""
        function = {"name": "".join(self.name), "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": "function", "function": function}

    def deltas(self, index: int) -> Iterator[tuple[dict[str, Any], int]]:
        """As a stream has it: (entry of ``tool_calls``, tokens that it took), the first with id, type and name."""
        told = self.whole()
        yield {"index": index, **told, "function": {**told["function"], "arguments": ""}}, len(self.name)
        for piece in self.arguments:
            yield {"index": index, "function": {"arguments": piece}}, 1


def within(calls: Sequence[ToolCall], cap: int) -> tuple[ToolCall, ...]:
    """The calls within a cap: the last one's arguments may be cut, and a call without its whole name is none."""
    kept: list[ToolCall] = []
    for call in calls:
        if cap < len(call.name):
            break
        kept.append(replace(call, arguments=call.arguments[: cap - len(call.name)]))
        cap -= call.generated
    return tuple(kept)


def decide(body: Mapping[str, Any], last: str, draw: random.Random) -> list[tuple[str, str]]:
    """The calls that answer a request, each its function's name and the JSON of its arguments; none: it is talk."""
    offered = {tool["function"]["name"]: tool["function"] for tool in body.get("tools") or ()}
    choice = body.get("tool_choice") or ("auto" if offered else "none")
    if not offered or choice == "none":
        return []
    wanted = _mentioned(last, offered)
    answered = body["messages"][-1].get("role") == "tool"
    if isinstance(choice, dict):
        name = choice["function"]["name"]
        wanted = [each for each in wanted if each[0] == name][:1] or [(name, "")]
    elif choice == "required":
        wanted = wanted or _fitting(last, offered) or [(next(iter(offered)), "")]
    else:
        wanted = [] if answered else wanted or _fitting(last, offered)
    if body.get("parallel_tool_calls") is False:
        wanted = wanted[:1]
    return [(name, _arguments(offered[name], said, last, draw)) for name, said in wanted]


def results(messages: Sequence[Mapping[str, Any]], text: Any) -> str:
    """What is said of the results that end a conversation: each is repeated. Empty where it does not end with any."""
    told: list[str] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        told.insert(0, text(message))
    return f"The tool says: {'; '.join(told)}" if told else ""


def _mentioned(last: str, offered: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Tools that a prompt says to use, with the text that follows each mention."""
    found = list(USE.finditer(last))
    ends = [*(each.start() for each in found[1:]), len(last)]
    return [(f[1], last[f.end() : end]) for f, end in zip(found, ends, strict=False) if f[1] in offered]


def _fitting(last: str, offered: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A tool whose name shares a word with the question, once for each place that it names."""
    asked = {word for word in re.findall(r"[a-z]{4,}", last.lower()) if word not in COMMON}
    for name in offered:
        if asked & set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())):
            places = PLACES.search(last)
            return [(name, each) for each in AND.split(places[1]) if each] if places else [(name, "")]
    return []


def _arguments(function: Mapping[str, Any], said: str, last: str, draw: random.Random) -> str:
    """Arguments as JSON: an object that the prompt gives, where it validates, else one made of the schema."""
    schema = function.get("parameters") or ANY
    for value in objects(said):
        if schemas.validates(schema, value):
            return json.dumps(value, ensure_ascii=False)
    hints = () if "{" in said else tuple(re.findall(r"[A-Z]\w+", said)) or tuple(_named(last))
    schema = schema if "type" in schema or "$ref" in schema or "anyOf" in schema else {**schema, "type": "object"}
    return json.dumps(schemas.sample(schema, draw, hints=hints), ensure_ascii=False)


def _named(text: str) -> Iterator[str]:
    """Proper names of a text: words with a capital that no sentence begins with."""
    yield from re.findall(r"(?<=[a-z,] )[A-Z]\w+", text)


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects that a text holds, in order."""
    at = text.find("{")
    while at >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict):
                yield value
        at = text.find("{", end)
