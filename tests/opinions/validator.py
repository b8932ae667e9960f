"""The Python implementation of JSON Schema, where ours is the one in Rust."""

from __future__ import annotations

import importlib.util
import json
import re
from typing import Any

from tests.opinions.opinion import Unheard


def is_here() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("jsonschema") is not None


def valid(schema: Any, value: Any) -> bool:
    """Whether a value is valid under a schema of 2020-12, formats asserted.

    Raises:
        Unheard: it cannot read the schema, or falls over the value.
    """
    import jsonschema  # the extra of one tox environment

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        return jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid(value)
    except Exception as error:
        raise Unheard(f"{type(error).__name__}: {error}"[:120]) from error


def follows(family: str, schema: Any, text: str) -> bool:
    """Whether a text is one JSON value of the schema; of the family ``free`` a fence of Markdown may be around it."""
    lines = text.strip().splitlines()
    if (
        family == "free"
        and len(lines) > 2
        and re.fullmatch(r"```(json|JSON|Json)?\s*", lines[0])
        and lines[-1] == "```"
    ):
        text = "\n".join(lines[1:-1])
    try:
        value = json.loads(text.strip(), parse_constant=_none)
    except (ValueError, RecursionError):
        return False
    return valid(schema, value)


def _none(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
