"""Derive openai.schema.json from the OpenAPI document: ``python -m seatrial.oracles.derive OPENAPI.json > FILE``.

The document calls itself 3.1 but writes ``nullable: true``, which JSON Schema 2020-12 ignores: taken as it is, it
rejects the null finish_reason of every chunk. Such fields become ``anyOf`` with null. Only what is reachable from the
answers we judge is kept, without prose and without ``format``; moderation results, which no self-hosted server sends,
are cut off.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOTS = ("CreateChatCompletionResponse", "CreateChatCompletionStreamResponse", "ListModelsResponse", "ErrorResponse")
PROSE = frozenset({"description", "example", "examples", "title", "format", "deprecated", "default", "discriminator"})
CUT = frozenset({"moderation"})

_PREFIX = "#/components/schemas/"


def derive(document: dict[str, Any]) -> dict[str, Any]:
    """The normalised schema with what the roots need under ``$defs``.

    Raises:
        KeyError: the document lacks a root, or a reference leads nowhere.
    """
    schemas = document["components"]["schemas"]
    needed: dict[str, Any] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = normalised(schemas[name])
            waiting += _references(needed[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"Derived by seatrial.oracles.derive from: {document['x-origin']}; nullable made anyOf null.",
        "$defs": dict(sorted(needed.items())),
    }


def normalised(schema: Any) -> Any:
    """A schema without prose, with ``nullable`` in the words of JSON Schema, and references into ``$defs``."""
    if isinstance(schema, list):
        return [normalised(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: normalised(p) for name, p in value.items() if name not in CUT}
        elif key == "$ref":
            kept[key] = "#/$defs/" + value.removeprefix(_PREFIX)
        elif key not in PROSE and key != "nullable" and not key.startswith("x-"):
            kept[key] = normalised(value)
    return {"anyOf": [kept, {"type": "null"}]} if schema.get("nullable") is True else kept


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for item in schema for name in _references(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix("#/$defs/")] if "$ref" in schema else []
    return own + [name for value in schema.values() for name in _references(value)]


if __name__ == "__main__":
    json.dump(derive(json.loads(Path(sys.argv[1]).read_bytes())), sys.stdout, indent=1)
    sys.stdout.write("\n")
