"""Keywords of a schema that bind nothing, and values and keys that are not as it has them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.edits import Json, several
from tests.golden.faults.structured.asked import (
    dumped,
    each_key,
    each_value,
    has,
    loosened,
    of_schema,
    reschemed,
    said,
    schema_of,
)
from tests.golden.registry import Shot, fault

EVERYDAY = "structured/everyday-keywords-are-enforced"
JOINED = "structured/references-and-alternatives-are-enforced"
FINE = "structured/patterns-and-bounds-are-enforced"
FORMATS = "structured/formats-are-enforced"
SCRIPTS = "structured/names-and-values-of-any-script-work"
KEYS = "structured/keys-are-those-of-the-schema"


@fault("enum-ignored", caught_by=EVERYDAY, stage="body", when=has("enum", "const"))
def enum_ignored(body: Json, shot: Shot) -> Json:
    """enum and const bind nothing."""
    return loosened(body, "enum", "const")


@fault("counts-of-items-ignored", caught_by=EVERYDAY, stage="body", when=has("minItems", "maxItems"))
def counts_of_items_ignored(body: Json, shot: Shot) -> Json:
    """minItems and maxItems bind nothing."""
    return loosened(body, "minItems", "maxItems")


@fault("numbers-as-text", caught_by=EVERYDAY, stage="draft", when=of_schema)
def numbers_as_text(answer: Answer, shot: Shot) -> Answer:
    """Numbers stand in quotes."""
    return said(answer, lambda v: dumped(each_value(v, lambda n: str(n) if type(n) in (int, float) else n)), shot)


@fault("references-ignored", caught_by=JOINED, stage="body", when=has("$ref"))
def references_ignored(body: Json, shot: Shot) -> Json:
    """What $ref leads to binds nothing."""
    return loosened(body, "$ref")


@fault("reference-to-enum-is-an-object", caught_by=JOINED, stage="body", when=has("$ref"))
def reference_to_enum_is_an_object(body: Json, shot: Shot) -> Json:
    """An enum that $ref leads to is taken for an object of any keys (llama.cpp issue 8073)."""
    schema = schema_of(body)
    named = schema.get("$defs") if isinstance(schema, dict) else None
    if not isinstance(named, dict) or not any(isinstance(each, dict) and "enum" in each for each in named.values()):
        return body
    loose = {k: {"type": "object"} if isinstance(v, dict) and "enum" in v else v for k, v in named.items()}
    return reschemed(body, {**schema, "$defs": loose})


@fault("alternatives-ignored", caught_by=JOINED, stage="body", when=has("anyOf"))
def alternatives_ignored(body: Json, shot: Shot) -> Json:
    """What anyOf allows binds nothing."""
    return loosened(body, "anyOf")


@fault("deep-objects-as-text", caught_by=JOINED, stage="draft", when=of_schema)
def deep_objects_as_text(answer: Answer, shot: Shot) -> Answer:
    """Objects below the second level are texts: what recurs is unrolled so far and no further."""

    def told(value: Any, depth: int = 0) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: told(v, depth + 1) for k, v in value.items()} if depth < 2 else dumped(value)

    return said(answer, lambda value: dumped(told(value)), shot)


@fault("first-choice-alone-bound", caught_by=EVERYDAY, stage="draft", when=several)
def first_choice_alone_bound(answer: Answer, shot: Shot) -> Answer:
    """Of several choices the schema binds the first: the others are drawn from a copy that has no grammar."""
    if len(shot.call.drafts) < 2 or not of_schema(shot.call):
        return answer
    return replace(answer, content=tokens("Sure, here is what was asked for."))


@fault("pattern-ignored", caught_by=FINE, stage="body", when=has("pattern"))
def pattern_ignored(body: Json, shot: Shot) -> Json:
    """pattern binds nothing (Ollama issue 8185)."""
    return loosened(body, "pattern")


@fault("bounds-ignored", caught_by=FINE, stage="body", when=has("minimum", "maximum"))
def bounds_ignored(body: Json, shot: Shot) -> Json:
    """minimum and maximum bind nothing."""
    return loosened(body, "minimum", "maximum")


@fault("lengths-ignored", caught_by=FINE, stage="body", when=has("minLength", "maxLength"))
def lengths_ignored(body: Json, shot: Shot) -> Json:
    """minLength and maxLength bind nothing (vLLM issue 45592: beside a pattern)."""
    return loosened(body, "minLength", "maxLength")


@fault("format-keyword-ignored", caught_by=FORMATS, stage="body", when=has("format"))
def format_keyword_ignored(body: Json, shot: Shot) -> Json:
    """format binds nothing."""
    return loosened(body, "format")


@fault("keys-in-ascii", caught_by=SCRIPTS, stage="draft", when=of_schema)
def keys_in_ascii(answer: Answer, shot: Shot) -> Answer:
    """Names of keys lose what is not ASCII."""
    return said(answer, lambda v: dumped(each_key(v, lambda k: k.encode("ascii", "ignore").decode())), shot)


@fault("escaped-twice", caught_by=SCRIPTS, stage="draft", when=of_schema)
def escaped_twice(answer: Answer, shot: Shot) -> Answer:
    """Texts that are not plain are escaped twice."""

    def twice(value: Any) -> Any:
        return json.dumps(value)[1:-1] if isinstance(value, str) else value

    return said(answer, lambda value: dumped(each_value(value, twice)), shot)


@fault("a-key-too-few", caught_by=KEYS, stage="draft", when=of_schema)
def a_key_too_few(answer: Answer, shot: Shot) -> Answer:
    """The last of the required keys is left out."""
    return said(answer, lambda value: dumped(dict(list(value.items())[:-1])), shot)


@fault("additional-keys-in-nested-objects", caught_by=KEYS, stage="draft", when=of_schema)
def additional_keys_in_nested_objects(answer: Answer, shot: Shot) -> Answer:
    """additionalProperties binds the outermost object alone: nested ones have a key more."""

    def told(value: Any, depth: int = 0) -> Any:
        if isinstance(value, list):
            return [told(each, depth) for each in value]
        if not isinstance(value, dict):
            return value
        return {k: told(v, depth + 1) for k, v in value.items()} | ({"note": "as asked"} if depth else {})

    return said(answer, lambda value: dumped(told(value)), shot)


@fault("a-key-too-many", caught_by=KEYS, stage="draft", when=of_schema)
def a_key_too_many(answer: Answer, shot: Shot) -> Answer:
    """A key is added that no property has."""
    return said(answer, lambda value: dumped({**value, "note": "as asked"}), shot)
