"""Sets of tools as an operator's client may have them, with a keyword in one of them where that is wanted."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

N = 40
PATTERN = {"type": "string", "pattern": "^\\d{2}:\\d{2}$"}
LONG = {"type": "string", "maxLength": 65536}
RARE = {"type": "string", "format": "idn-hostname"}


def tool(number: int) -> dict[str, Any]:
    """A tool with a nested schema that uses what every server takes."""
    place = {
        "type": "object",
        "description": "Where.",
        "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]}, "floor": {"type": "integer"}},
        "required": ["city"],
    }
    properties = {
        "note": {"type": "string", "description": f"What task {number} is for."},
        "count": {"type": "integer", "description": "How many."},
        "places": {"type": "array", "items": place},
        "same": {"$ref": "#/$defs/unit"},
    }
    parameters = {
        "type": "object",
        "properties": properties,
        "required": ["count"],
        "additionalProperties": False,
        "$defs": {"unit": {"type": "string", "enum": ["C", "F"]}},
    }
    function = {"name": f"task_{number}", "description": f"Does task {number}.", "parameters": parameters}
    return {"type": "function", "function": function}


def forty(**odd: dict[str, Any]) -> list[dict[str, Any]]:
    """Forty tools. ``task_17=SCHEMA`` gives that tool a property ``at`` with this schema, deep inside."""
    made = [tool(number) for number in range(1, N + 1)]
    for name, schema in odd.items():
        held = next(each["function"] for each in made if each["function"]["name"] == name)
        held["parameters"]["properties"]["places"]["items"]["properties"]["at"] = copy.deepcopy(schema)
    return made


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Each object in a value."""
    if isinstance(value, dict):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(below)
