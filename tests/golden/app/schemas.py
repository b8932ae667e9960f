"""JSON that is bound to a schema: made from it, and checked against it by another hand before it leaves."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jsonschema_rs

from tests.golden.app.patterns import UnmatchableError, matching

SAYS = frozenset(
    {"title", "description", "default", "examples", "example", "$schema", "$id", "$comment", "deprecated", "readOnly"}
    | {"writeOnly", "$defs", "definitions"}
)
"""Keywords that bind nothing."""

BINDS = frozenset(
    {"type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", "properties", "required", "additionalProperties"}
    | {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "format"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minProperties", "maxProperties"}
)
"""Keywords that are enforced. A schema with any other is refused where it has to be."""

FORMATS = {
    "date-time": ("2026-03-01T09:30:00Z", "2025-12-24T18:00:00+01:00"),
    "date": ("2026-03-01", "2025-12-24"),
    "time": ("09:30:00Z", "18:00:00Z"),
    "duration": ("PT15M", "P3D"),
    "email": ("ada@example.com", "lin@example.org"),
    "hostname": ("example.com", "harbour.example.org"),
    "ipv4": ("192.0.2.1", "198.51.100.7"),
    "ipv6": ("2001:db8::1", "2001:db8::7"),
    "uri": ("https://example.com/a", "https://example.org/b"),
    "uuid": ("1f0e4a3c-5b6d-4c7e-8f90-a1b2c3d4e5f6", "9b2c7d1e-3f4a-4b5c-8d6e-7f8091a2b3c4"),
}
WORDS = ("anchor", "beacon", "current", "dune", "ferry", "harbour", "island", "jetty", "keel", "lagoon", "mast", "reef")
MOST_PARTS, LONGEST, DEEPEST, TRIES = 2000, 4096, 6, 12


class UnenforceableError(ValueError):
    """No answer can be made of a schema; the message says why."""


@dataclass
class Maker:
    """Makes one value. ``hints``: words of the prompt that texts without any other bond take first."""

    root: Any
    draw: random.Random
    hints: list[str] = field(default_factory=list)
    parts: int = 0

    def value(self, schema: Any, depth: int = 0) -> Any:
        """A value of a schema, as far as its parts go; whether it holds as a whole is checked after.

        Raises:
            UnenforceableError: it cannot be made.
        """
        self.parts += 1
        if self.parts > MOST_PARTS or depth > 8 * DEEPEST:
            raise UnenforceableError("the schema is too large or too deep to be enforced")
        if schema is True or schema == {}:
            return self.draw.choice(WORDS)
        if not isinstance(schema, dict):
            raise UnenforceableError("the schema allows no value")
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.draw.choice(schema["enum"])
        for joined in ("$ref", "allOf", "anyOf", "oneOf"):
            if joined in schema:
                return self.value(self._joined(schema, joined, depth), depth + 1)
        return self._typed(schema, self._kind(schema, depth), depth)

    def _joined(self, schema: dict[str, Any], how: str, depth: int) -> Any:
        """The schema with one of its joins resolved: a reference, all of several, or one of them."""
        rest = {key: value for key, value in schema.items() if key != how}
        if how == "$ref":
            return merged(rest, resolved(self.root, schema["$ref"]))
        if how == "allOf":
            for each in schema["allOf"]:
                rest = merged(rest, each)
            return rest
        branches = schema[how]
        if depth >= DEEPEST:  # what ends soonest
            branches = sorted(branches, key=lambda each: len(json.dumps(each)))[:1]
        return merged(rest, self.draw.choice(branches))

    def _kind(self, schema: dict[str, Any], depth: int) -> str:
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return "null" if depth >= DEEPEST and "null" in kinds else str(self.draw.choice(kinds))
        if kinds is not None:
            return str(kinds)
        for kind, keys in {
            "object": ("properties", "required", "additionalProperties"),
            "array": ("items", "prefixItems", "minItems", "maxItems"),
            "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        }.items():
            if any(key in schema for key in keys):
                return kind
        return "string"

    def _typed(self, schema: dict[str, Any], kind: str, depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind == "string":
            return self._text(schema)
        if kind in ("integer", "number"):
            return self._number(schema, whole=kind == "integer")
        return self.draw.choice((True, False)) if kind == "boolean" else None

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        known, wanted = schema.get("properties", {}), schema.get("required", ())
        names = [n for n in known if n in wanted or (depth < DEEPEST and self.draw.random() < 0.7)]
        names += [n for n in wanted if n not in known]
        more = schema.get("additionalProperties", True)
        made = {name: self.value(known.get(name, more), depth + 1) for name in names}
        fewest = schema.get("minProperties", 0)
        for name in (*(n for n in known if n not in made), *WORDS):
            if len(made) >= fewest:
                break
            if name in known or more is not False:
                made[name] = self.value(known.get(name, more), depth + 1)
        return made

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        first, rest = schema.get("prefixItems", []), schema.get("items", True)
        low = schema.get("minItems", 0)
        high = schema.get("maxItems", max(low, len(first), 2))
        if low > MOST_PARTS:
            raise UnenforceableError(f"an array of {low} items is not enforced")
        wanted = low if depth >= DEEPEST else self.draw.randint(low, max(low, min(high, max(low + 2, len(first)))))
        made: list[Any] = []
        for at in range(wanted):
            each = first[at] if at < len(first) else rest
            if each is False:
                break
            value = self.value(each, depth + 1)
            for _ in range(TRIES * 4):
                if not schema.get("uniqueItems") or value not in made:
                    break
                value = self.value(each, depth + 1)
            made.append(value)
        return made

    def _text(self, schema: dict[str, Any]) -> str:
        low, high = schema.get("minLength", 0), schema.get("maxLength")
        if low > LONGEST:
            raise UnenforceableError(f"a text of {low} characters is not enforced")
        if "pattern" in schema:
            try:
                return matching(schema["pattern"], self.draw)
            except UnmatchableError as error:
                raise UnenforceableError(str(error)) from error
        if "format" in schema:
            if schema["format"] not in FORMATS:
                raise UnenforceableError(f"the format {str(schema['format'])[:60]!r} is not enforced")
            return self.draw.choice(FORMATS[schema["format"]])
        if self.hints and low <= len(self.hints[0]) <= (high if high is not None else LONGEST):
            return self.hints.pop(0)
        text = " ".join(self.draw.sample(WORDS, 2))
        while len(text) < low:
            text += f" {self.draw.choice(WORDS)}"
        return text if high is None else text[:high]

    def _number(self, schema: dict[str, Any], *, whole: bool) -> int | float:
        step = schema.get("multipleOf", 1 if whole else None)
        low, high = schema.get("minimum"), schema.get("maximum")
        over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        grain = step or 0.5
        if over is not None and (low is None or over >= low):
            low = math.floor(over / grain) * grain + grain
        if under is not None and (high is None or under <= high):
            high = math.ceil(under / grain) * grain - grain
        if low is None and high is None:
            low, high = 0, 40 * grain
        low = high - 40 * grain if low is None else low
        high = low + 40 * grain if high is None else high
        if step is None:
            return round(self.draw.uniform(low, high), 2) if high - low > 0.1 else (low + high) / 2
        first, last = math.ceil(low / step), math.floor(high / step)
        if first > last:
            raise UnenforceableError("no number is within the bounds")
        made = self.draw.randint(first, min(last, first + 40)) * step
        return int(made) if whole else made


def sample(schema: Any, draw: random.Random, *, hints: tuple[str, ...] = ()) -> Any:
    """A value that validates.

    Raises:
        UnenforceableError: none was found.
    """
    check = _validator(json.dumps(schema))
    why = "no value was found"
    for _ in range(TRIES):
        maker = Maker(schema, draw, list(hints))
        try:
            value = maker.value(schema)
        except RecursionError as error:
            raise UnenforceableError("the schema never ends") from error
        if check.is_valid(value):
            return value
        why = "its keywords together allow no value that was found"
    raise UnenforceableError(why)


def validates(schema: Any, value: Any) -> bool:
    return _validator(json.dumps(schema)).is_valid(value)


def problem(schema: Any, *, strict: bool) -> str:
    """Why a schema is refused; empty where it is not. ``strict``: what cannot be enforced is refused too."""
    if not isinstance(schema, dict):
        return "the schema must be an object"
    try:
        if not jsonschema_rs.meta.is_valid(schema):
            return "the schema is no valid JSON Schema"
        _validator(json.dumps(schema))
        if strict and (odd := next(_odd(schema), "")):
            return odd
        if strict:
            sample(schema, random.Random(0))
    except UnenforceableError as error:
        return str(error)
    except (ValueError, RecursionError, jsonschema_rs.ReferencingError) as error:
        return f"the schema cannot be read: {str(error).splitlines()[0][:120]}"
    return ""


def _odd(schema: Any) -> Iterator[str]:
    """Keywords of a schema and of those in it that are not enforced."""
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key not in SAYS | BINDS:
            yield f"the keyword {key[:60]!r} is not enforced"
        if key == "$ref" and not str(value).startswith("#"):
            yield f"the reference {str(value)[:60]!r} leads outside"
        below = value.values() if key in {"properties", "$defs", "definitions"} and isinstance(value, dict) else ()
        below = value if key in {"anyOf", "oneOf", "allOf", "prefixItems"} else below
        below = (value,) if key in {"items", "additionalProperties"} else below
        for each in below:
            yield from _odd(each)


def resolved(root: Any, ref: str) -> Any:
    """What a reference within a schema leads to.

    Raises:
        UnenforceableError: nothing.
    """
    here = root
    for step in ref.removeprefix("#").strip("/").split("/") if ref != "#" else ():
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(here, Mapping) or name not in here:
            raise UnenforceableError(f"the reference {ref[:60]!r} leads nowhere")
        here = here[name]
    return here


def merged(one: dict[str, Any], other: Any) -> Any:
    """Both schemas in one; of a key of both, objects are joined, and else the second counts."""
    if not isinstance(other, dict):
        return other if other is False else one
    made = {**one, **other}
    for key in ("properties", "$defs"):
        if key in one and key in other:
            made[key] = {**one[key], **other[key]}
    if "required" in one and "required" in other:
        made["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    return made


@lru_cache(maxsize=256)
def _validator(text: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(text), validate_formats=True, retriever=_nothing)


def _nothing(uri: str) -> Any:
    raise ValueError(f"{uri[:80]!r} is outside of the schema")
