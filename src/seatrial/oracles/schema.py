"""What the OpenAPI document says of an answer, asked of JSON Schema.

Two readings. *Strict* is the document as it stands, but for the finish_reason of a chunk, of which ``sse`` has rules.
*Compat* is what clients need of it: no self-hosted server sends
``refusal`` and ``logprobs`` as nulls, and the SDK takes null for every field that may be missing.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema_rs

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import violation
from seatrial.checks.rules import rule
from seatrial.reading import chat
from seatrial.records import Exchange, Expect, Finding, Level

ANSWER = "CreateChatCompletionResponse"
CHUNK = "CreateChatCompletionStreamResponse"
MOST = 5
"""Findings of one answer; a server that is wrong in one field is wrong on every chunk."""

MISSING = re.compile(r'"(\w+)" is a required property')
UNREAD = (causes.EVENTS, causes.EVENTS + causes.SOME)
"""The rule whose finding it is that an event of a stream holds no object."""

SPARED = frozenset({"refusal", "logprobs", "bytes"})
"""Required by the document, missed by no SDK."""


@rule(
    area="schema",
    row="chat/basic/1",
    level=Level.MUST,
    of=traits.CHAT,
    source="OpenAPI document, CreateChatCompletion(Stream)Response",
)
def answer_validates(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The answer, or each chunk of a stream, validates against the OpenAPI document's schema."""
    if chat.asks_for_stream(x):
        if nothing := look.unreadable(x):
            yield nothing
            return
        end = next((c.index for c in x.chunks if c.done), len(x.chunks))  # there clients leave
        parts = [(f", in chunk {c.index}", c.json) for c in x.chunks[:end] if not c.fault and c.data.strip()]
        name = CHUNK
    elif x.json is None and (x.fault or x.is_stream):
        yield look.unreadable(x) or violation("the body", expected="JSON", got=x.fault)
        return
    else:
        parts, name = [("", x.json)], ANSWER
    seen: set[tuple[str, str]] = set()
    for at, instance in parts:
        for where, message in _errors(name, expect.strict, instance):
            if (where, message) not in seen and len(seen) < MOST:
                seen.add((where, message))
                expected = f"what the OpenAPI document says, {'strict' if expect.strict else 'compat'}"
                so = "typed clients refuse it or misread it"
                judges = UNREAD if at and not isinstance(instance, dict) else _judges(x, where, message)
                yield violation(where, expected=expected, got=f"{message}{at}", so=so, causes=judges)


FIELDS = {
    "finish_reason": (causes.FINISH_KNOWN,),
    "delta.role": (causes.ROLE, causes.ROLE + causes.SOME),
    "delta.content": (causes.CONTENT,),
    "message.content": (causes.CONTENT,),
    "message.role": (causes.CHOICES,),
    "].message": (causes.CHOICES,),
}
"""Fields of a choice, and the rules that judge each by itself."""


def _judges(x: Exchange, where: str, message: str) -> tuple[str, ...]:
    """The rules that judge the same place by itself. A message begins with the value that is wrong, whatever it is."""
    if where == "choices" or message.startswith('"choices" is'):
        return look.by_choices(x)
    if where == "created" and message.lstrip("-")[:1].isdigit():
        return (causes.SECONDS,)
    missing = MISSING.match(message)
    place = f"{where}.{missing[1]}" if missing else where
    if field := next((name for name in FIELDS if place.endswith(name)), ""):
        return FIELDS[field]
    if where.partition(".")[0] == "usage":
        return causes.USAGE, causes.USAGE + causes.SOME
    return causes.CALLS if "tool_calls" in where else ()


def compat(schema: Any, parent: str = "") -> Any:
    """The schema as the SDK reads it: null for what may be missing, nothing required that no SDK misses."""
    if isinstance(schema, list):
        return [compat(item, parent) for item in schema]
    if not isinstance(schema, dict):
        return schema
    relaxed = {key: compat(value, key) for key, value in schema.items()}
    if parent == "properties" or not isinstance(schema.get("properties"), dict):
        return relaxed
    required = [name for name in schema.get("required", []) if name not in SPARED]
    relaxed["required"] = required
    relaxed["properties"] = {
        name: value if name in required else {"anyOf": [value, {"type": "null"}]}
        for name, value in relaxed["properties"].items()
    }
    return relaxed


def elsewhere(schema: Any) -> Any:
    """The schema without what other rules ask for: the finish_reason of a chunk, one finding of which is enough."""
    if isinstance(schema, list):
        return [elsewhere(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: elsewhere(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "delta" in schema["properties"]:
        kept["required"] = [name for name in schema.get("required", []) if name != "finish_reason"]
    return kept


def _errors(name: str, strict: bool, instance: Any) -> Iterator[tuple[str, str]]:  # noqa: FBT001
    try:
        for error in _validator(name, strict).iter_errors(instance):
            yield _path(error.instance_path), error.message
    except (ValueError, RecursionError) as error:  # what no JSON Schema can hold: NaN, nesting without end
        yield "the body", str(error)


@functools.cache
def _validator(name: str, strict: bool) -> Any:  # noqa: FBT001
    text = resources.files(__package__).joinpath("openai.schema.json").read_text("utf-8")
    schema = json.loads(text)
    definitions = {key: elsewhere(value) for key, value in schema["$defs"].items()}
    if not strict:
        definitions = {key: compat(value) for key, value in definitions.items()}
    return jsonschema_rs.Draft202012Validator({**schema, "$defs": definitions, "$ref": f"#/$defs/{name}"})


def _path(parts: list[str | int]) -> str:
    joined = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return joined.removeprefix(".") or "the body"
