"""Calls compared as the Berkeley leaderboard describes it, written from its description and not from our own verifier.

Its blog of 2024 ("Evaluating function calls", abstract syntax trees): the name is the same; every required parameter is
there and none that the function does not know; each value has the type of its parameter, a whole number being taken for
a float; a text is equal once blanks and ``,./-_*^`` are taken out and case is put aside; a list is equal element by
element in its order; an object has each key and no other. Of parallel calls each expected one needs a call of its own,
in any order. Where no function fits there must be no call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (float, int), "boolean": (bool,), "array": (list,),
    "object": (dict,),
}  # fmt: skip


def matches(
    tools: Mapping[str, Mapping[str, Any]],
    expected: Sequence[tuple[str, Mapping[str, Any]]],
    made: Sequence[tuple[Any, Any]],
) -> bool:
    """Whether the calls are those that were expected."""
    if len(expected) != len(made):
        return False
    if len(expected) > 6:
        raise ValueError("every order is tried: of more calls there are too many")
    return any(
        all(_same(tools[name]["function"]["parameters"], (name, wanted), call)
            for (name, wanted), call in zip(expected, order, strict=True))
        for order in permutations(made)
    )  # fmt: skip


def _same(schema: Mapping[str, Any], expected: tuple[str, Mapping[str, Any]], call: tuple[Any, Any]) -> bool:
    (name, wanted), (called, arguments) = expected, call
    return name == called and isinstance(arguments, dict) and _object(schema, wanted, arguments)


def _object(schema: Mapping[str, Any], wanted: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    known, required = schema["properties"], schema["required"]
    if any(key not in got for key in required) or any(key not in known for key in got):
        return False
    return got.keys() == wanted.keys() and all(_value(known[key], wanted[key], got[key]) for key in got)


def _value(schema: Mapping[str, Any], wanted: Any, got: Any) -> bool:
    kind = schema["type"]
    if not isinstance(got, TYPES[kind]) or (isinstance(got, bool) and kind != "boolean"):
        return False
    if kind == "object":
        return _object(schema, wanted, got)
    if kind == "array":
        return len(wanted) == len(got) and all(
            _value(schema["items"], mine, its) for mine, its in zip(wanted, got, strict=True)
        )
    return _text(wanted) == _text(got) if kind == "string" else bool(wanted == got)


def _text(value: str) -> str:
    return re.sub(r"[ ,./\-_*^]", "", value).lower().replace("'", '"')
