"""What is unusual and right, and what is refused honestly."""

from __future__ import annotations

import json

from tests.golden.answers import Answer
from tests.golden.edits import Json
from tests.golden.faults.optional import with_format
from tests.golden.faults.structured.asked import any_object, beside_tools, dumped, has, said
from tests.golden.registry import Shot, fault, freedom
from tests.golden.validation import RefusedError


@freedom(
    "json-laid-out",
    stage="draft",
    when=with_format,
    of="JSON of answers",
    source="RFC 8259 2: insignificant white space",
)
def json_laid_out(answer: Answer, shot: Shot) -> Answer:
    """The JSON is laid out over lines, and white space stands around it."""
    return said(answer, lambda value: f"\n {dumped(value, indent=4)}\n", shot)


@freedom(
    "json-closely-set",
    stage="draft",
    when=with_format,
    of="JSON of answers",
    source="RFC 8259 2 and 7: no white space is needed, any character may be escaped",
)
def json_closely_set(answer: Answer, shot: Shot) -> Answer:
    """The JSON has no white space at all, and escapes what is not ASCII."""
    return said(answer, lambda value: json.dumps(value, separators=(",", ":")), shot)


@freedom(
    "keys-in-reverse",
    stage="draft",
    when=with_format,
    of="keys of answers",
    source="RFC 8259 4: an object is unordered",
)
def keys_in_reverse(answer: Answer, shot: Shot) -> Answer:
    """Keys come in another order than the schema's."""
    return said(answer, lambda value: dumped(dict(reversed(value.items()))), shot)


@fault("refuses-json-object", stage="body", when=any_object, family="honest")
def refuses_json_object(body: Json, shot: Shot) -> Json:
    """json_object is refused with a 400, and json_schema is not (LM Studio)."""
    shot.fire()
    raise RefusedError("'response_format.type' must be 'json_schema' or 'text'", param="response_format")


@fault("refuses-patterns", stage="body", when=has("pattern", "format", "minLength", "minimum"), family="honest")
def refuses_patterns(body: Json, shot: Shot) -> Json:
    """Schemas with patterns, formats, lengths or bounds are refused with a 400."""
    shot.fire()
    raise RefusedError("the schema contains features that are not supported", param="response_format")


@fault("refuses-formats-with-tools", stage="body", when=beside_tools, family="honest")
def refuses_formats_with_tools(body: Json, shot: Shot) -> Json:
    """A format beside tools is refused with a 400 (Groq)."""
    shot.fire()
    raise RefusedError("json mode cannot be combined with tool/function calling", param="response_format")
