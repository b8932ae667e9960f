"""Which requests ask for a format, and changes of it and of the JSON that it binds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.app import wants
from tests.golden.edits import Json
from tests.golden.faults.optional import with_format, with_thought, with_tools
from tests.golden.registry import Call, Shot, streaming

AGAINST = re.compile(r"\b(?:without|never|no) JSON\b|\bin prose\b", re.IGNORECASE)
"""A prompt that asks for anything but JSON."""


def of_schema(call: Call) -> bool:
    form = call.says("response_format")
    return with_format(call) and form.get("type") == "json_schema"


def plain(call: Call) -> bool:
    return of_schema(call) and not streaming(call)


def streamed(call: Call) -> bool:
    return of_schema(call) and streaming(call)


def any_object(call: Call) -> bool:
    return with_format(call) and call.says("response_format")["type"] == "json_object"


def against(call: Call) -> bool:
    return of_schema(call) and bool(AGAINST.search(str(call.says("messages"))))


def beside_tools(call: Call) -> bool:
    return with_format(call) and with_tools(call)


def beside_thought(call: Call) -> bool:
    return with_format(call) and with_thought(call)


def schema_of(body: Any) -> Any:
    form = body.get("response_format") if isinstance(body, dict) else None
    held = form.get("json_schema") if isinstance(form, dict) else None
    return held.get("schema") if isinstance(held, dict) else None


def has(*keywords: str) -> Callable[[Call], bool]:
    """A schema that holds one of the keywords anywhere."""
    return lambda call: of_schema(call) and any(f'"{k}":' in json.dumps(schema_of(call.body)) for k in keywords)


def unreadable(call: Call) -> bool:
    """A schema that is an object, and that this server refuses."""
    return (
        of_schema(call)
        and isinstance(schema_of(call.body), dict)
        and bool(wants.wrong_format(call.body["response_format"]))
    )


def bad_pattern(call: Call) -> bool:
    return unreadable(call) and has("pattern")(call)


def of_strange_type(call: Call) -> bool:
    form = call.says("response_format")
    return isinstance(form, dict) and form.get("type") not in ("text", "json_object", "json_schema")


def text_for_a_schema(call: Call) -> bool:
    return of_schema(call) and not isinstance(schema_of(call.body), dict | None)


def wrongly_held(call: Call) -> bool:
    """A json_schema whose name, schema or strict is wrong, and not what the schema holds."""
    return of_schema(call) and bool(held_in(call.body)) and bool(wants.wrong_format(call.body["response_format"]))


def held_in(body: Any) -> Json:
    held = body["response_format"].get("json_schema")
    return held if isinstance(held, dict) else {}


def loosened(body: Json, *keywords: str) -> Json:
    """Without some keywords of the schema, wherever they stand; the same object where none was there."""

    def loose(value: Any) -> Any:
        if isinstance(value, list):
            return [loose(each) for each in value]
        return {k: loose(v) for k, v in value.items() if k not in keywords} if isinstance(value, dict) else value

    return reschemed(body, loose(schema_of(body)))


def reschemed(body: Json, schema: Any) -> Json:
    """With another schema; the same object where it is no other."""
    if schema == schema_of(body):
        return body
    return {**body, "response_format": {**body["response_format"], "json_schema": {**held_in(body), "schema": schema}}}


def said(answer: Answer, change: Callable[[Any], str], shot: Shot) -> Answer:
    """With the JSON of its content told in another way; the same object where it is no JSON, or bound by nothing."""
    if not with_format(shot.call) or answer.calls:
        return answer
    try:
        text = change(json.loads(answer.text))
    except ValueError:
        return answer
    return answer if text == answer.text else replace(answer, content=tokens(text))


def dumped(value: Any, **settings: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **settings)


def each_value(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {k: each_value(v, change) for k, v in value.items()}
    return [each_value(v, change) for v in value] if isinstance(value, list) else change(value)


def each_key(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {change(k): each_key(v, change) for k, v in value.items()}
    return [each_key(v, change) for v in value] if isinstance(value, list) else value
