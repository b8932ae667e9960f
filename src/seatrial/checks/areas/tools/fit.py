"""Whether a value fits the JSON Schema of a request."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import jsonschema_rs


def misfit(schema: dict[str, Any], value: Any) -> str:
    """How a value breaks a schema; empty where it does not, or where the schema itself is none."""
    try:
        validator = _validator(json.dumps(schema, sort_keys=True))
        wrong = next(validator.iter_errors(value), None)
    except (ValueError, RecursionError):
        return ""
    return f"{'/'.join(map(str, wrong.instance_path)) or 'the object'}: {wrong.message}" if wrong else ""


@lru_cache(maxsize=64)
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema))
