"""A tool in pieces: what can be left out of it, and the tool that is made of those that are kept.

A piece is a keyword of a schema, or a property by itself. Of a schema its plain ``type`` is no piece: a keyword such as
``maxLength`` means nothing to many servers without it. A piece brings along what it needs: the schemas around it, the
target of a ``$ref``, and the properties that ``required`` names. Cut so, a valid tool stays valid, and one that was
refused only for what was cut away is taken.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Tool = dict[str, Any]
Path = tuple[str | int, ...]

ROOT: Path = ("parameters",)
NAMED = ("$defs", "definitions", "properties", "patternProperties", "dependentSchemas")
"""Keywords that hold schemas by name."""

HOLDS = (
    "anyOf", "oneOf", "allOf", "prefixItems", "items", "additionalItems", "contains", "additionalProperties",
    "propertyNames", "unevaluatedItems", "unevaluatedProperties", "not", "if", "then", "else",
)  # fmt: skip
"""Keywords that hold a schema, or a list of them."""

TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
PLAIN = re.compile(r"[A-Za-z_$][\w$-]*")


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a tool.

    Attributes:
        path: from the tool's function to the schema that holds it; empty for the function itself.
        keyword: empty where the piece is the schema by itself, with its type, or the function with its name.
    """

    path: Path
    keyword: str

    def __str__(self) -> str:
        return ", ".join(part for part in (shown(self.path), self.keyword or self._itself) if part)

    @property
    def _itself(self) -> str:
        return "type" if self.path else "name"

    @property
    def pointer(self) -> str:
        """Where it stands in its tool, as a JSON pointer."""
        steps = ("function", *self.path, *([self.keyword] if self.keyword else []))
        return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


BARE = Part((), "")
STRICT = Part((), "strict")


def shown(path: Path) -> str:
    """A path in words, as ``parameters.properties.at`` or ``parameters.properties["the place"].anyOf[1]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif PLAIN.fullmatch(step):
            text += f".{step}"
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text.removeprefix(".")


@dataclass(frozen=True)
class Cut:
    """A tool and its pieces, in an order in which the first ones make a whole tool, however many they are."""

    tool: Tool
    pieces: tuple[Part, ...] = ()
    needs: Mapping[Part, tuple[Part, ...]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return str(self.tool["function"]["name"])

    def of(self, kept: Collection[Part]) -> Tool:
        """The tool of these pieces and of what they need."""
        return _Made(self.tool, self.closed(kept)).tool()

    def closed(self, kept: Collection[Part]) -> frozenset[Part]:
        """These pieces with all that they need."""
        found: set[Part] = set()
        todo = list(kept)
        while todo:
            piece = todo.pop()
            if piece not in found:
                found.add(piece)
                todo += self.needs.get(piece, ())
        return frozenset(found)

    def without(self, piece: Part) -> Tool | None:
        """The tool without a piece and without what stands on it; None where nothing is left."""
        if piece == BARE:
            return None
        if piece == STRICT:
            return {**self.tool, "function": {k: v for k, v in self.tool["function"].items() if k != "strict"}}
        left = [each for each in self.pieces if each.keyword == "required" or piece not in self.closed([each])]
        return _Made(self.tool, frozenset(left) - {piece}).tool()


def cut(tool: Tool) -> Cut:
    """A tool in pieces."""
    needs = dict(_function(tool["function"]))
    return Cut(tool, tuple(needs), {piece: tuple(n for n in held if n in needs) for piece, held in needs.items()})


Listed = Iterator[tuple[Part, tuple[Part, ...]]]
"""Pieces, each with what it needs."""


def _function(function: Mapping[str, Any]) -> Listed:
    yield BARE, ()
    for key in function:
        if key not in ("name", "parameters", "strict"):
            yield Part((), key), (BARE,)
    strict = function.get("strict") is True
    if "strict" in function:
        yield STRICT, (BARE,)
    if isinstance(schema := function.get("parameters"), dict):
        yield from _schema(ROOT, schema, (STRICT,) if strict else (BARE,), strict=strict)


def _schema(path: Path, schema: Any, needs: tuple[Part, ...], *, strict: bool) -> Listed:
    """The pieces inside of a schema; that it is there is for its holder to list."""
    if not isinstance(schema, dict):
        return
    if "type" in schema and not _plain(schema["type"]):
        yield Part(path, "type"), needs
    for key in NAMED:
        for name, below in schema[key].items() if isinstance(schema.get(key), dict) else ():
            itself = Part((*path, key, name), "")
            yield itself, needs
            yield from _schema(itself.path, below, (itself,), strict=strict)
    for key, value in schema.items():
        piece = Part(path, key)
        if key == "type" or (key in NAMED and isinstance(value, dict) and (value or path == ROOT)):
            continue
        if strict and key in ("required", "additionalProperties") and not isinstance(value, dict):
            continue
        yield piece, (*needs, *_also(path, schema, key))
        if key in HOLDS:
            for step, below in enumerate(value) if isinstance(value, list) else [(None, value)]:
                yield from _schema((*path, key, *(() if step is None else (step,))), below, (piece,), strict=strict)


def _also(path: Path, schema: Mapping[str, Any], key: str) -> Iterator[Part]:
    """What a keyword needs beside the schema that holds it."""
    value = schema[key]
    if key == "$ref" and isinstance(value, str) and value.startswith("#/"):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in value[2:].split("/")]
        yield from (Part((*ROOT, *steps[:n]), "") for n in range(1, len(steps) + 1))
    if key == "required" and isinstance(value, list):
        yield from (Part((*path, "properties", name), "") for name in value if isinstance(name, str))


def _plain(kind: Any) -> bool:
    return isinstance(kind, str) and kind in TYPES


@dataclass(frozen=True)
class _Made:
    """A tool made of the pieces that are kept, which are closed."""

    whole: Tool
    kept: frozenset[Part]

    def tool(self) -> Tool:
        function = self.whole["function"]
        strict = function.get("strict") is True
        made = {
            key: self._schema(ROOT, value, strict=strict) if key == "parameters" else value
            for key, value in function.items()
            if key in ("name", "parameters") or Part((), key) in self.kept
        }
        return {**self.whole, "function": made}

    def _schema(self, path: Path, schema: Any, *, strict: bool) -> Any:
        if not isinstance(schema, dict):
            return schema
        deeper: Callable[[Path, Any], Any] = functools.partial(self._schema, strict=strict)
        made: Tool = {}
        for key, value in schema.items():
            kept = Part(path, key) in self.kept
            if key == "type":
                self._type(made, value, kept=kept)
            elif key in NAMED and isinstance(value, dict):
                held = {
                    n: deeper((*path, key, n), s) for n, s in value.items() if Part((*path, key, n), "") in self.kept
                }
                if held or kept or (path == ROOT and (key == "properties" or not value)):
                    made[key] = held
            elif kept and key in HOLDS and isinstance(value, list):
                made[key] = [deeper((*path, key, n), below) for n, below in enumerate(value)]
            elif kept and key in HOLDS:
                made[key] = deeper((*path, key), value)
            elif kept or (strict and key in ("required", "additionalProperties") and not isinstance(value, dict)):
                made[key] = value
        if isinstance(listed := made.get("required"), list):
            made["required"] = _there(listed, schema.get("properties"), made.get("properties", {}))
        return made

    @staticmethod
    def _type(made: Tool, value: Any, *, kept: bool) -> None:
        if kept or _plain(value):
            made["type"] = value
        elif isinstance(value, list) and value and _plain(value[0]):
            made["type"] = value[0]


def _there(listed: Sequence[Any], before: Any, now: Any) -> list[Any]:
    """Of the names that are required those whose properties were not cut away."""
    gone = set(before) - set(now) if isinstance(before, dict) else set()
    return [name for name in listed if not (isinstance(name, str) and name in gone)]
