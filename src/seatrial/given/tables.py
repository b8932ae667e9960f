"""TOML files that people write, read into structs; what is wrong is said with file, line and key."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import msgspec.inspect

from seatrial.given.errors import ConfigError

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_AT = re.compile(r"^(?P<what>.*?) - at `\$(?P<path>[^`]*)`$", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+)\]")


def read(path: Path, struct: type[_Struct]) -> _Struct:
    """Read a whole file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or does not hold what it should.
    """
    return parse(content(path), path, struct)


def content(path: Path) -> bytes:
    """What a file holds.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {shown(path)}: {error.strerror}") from error


def sum_of(path: Path) -> str:
    """A sum of the content of a file, by which another content shows.

    Raises:
        ConfigError: the file cannot be read.
    """
    return hashlib.sha256(content(path)).hexdigest()[:16]


def parse(raw: bytes, path: Path, struct: type[_Struct]) -> _Struct:
    """Read the content of a file; ``path`` is named where something is wrong.

    Raises:
        ConfigError: it is no TOML, or does not hold what it should.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read {shown(path)}: it is not UTF-8") from error
    try:
        return msgspec.convert(tomllib.loads(text), struct)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{shown(path)} {_syntax(str(error), text)}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{shown(path)}{_meaning(str(error), text, struct)}") from error


def shown(path: Path) -> str:
    """A path as the user would type it: from the current folder where it lies below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def line_of(text: str, *steps: str | int) -> int | None:
    """The line of ``steps`` in TOML text, as ``("waive", 2, "case")``; of its table where the key stands elsewhere.

    A search by form, for messages only: arrays written inline have no line of their own.
    """
    steps_left = list(steps)
    header, key, index = str(steps_left[0]), str(steps_left[-1]), 0
    if len(steps_left) > 1 and isinstance(steps_left[1], int):
        index = steps_left[1]
    tables = [n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[\[?\s*{re.escape(header)}\b", line)]
    lines = text.splitlines()
    start = tables[index] if index < len(tables) else 0
    for number, line in enumerate(lines[start:], start + 1):
        if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
        if start and re.match(r"\s*\[", line):
            break
    return start or None


def _syntax(said: str, text: str) -> str:
    match = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", said)
    line = match[1] if match and match[1] else str(len(text.splitlines()))
    what = said[: match.start()] if match else said
    return f"line {line}: no TOML: {what}"


def _meaning(said: str, text: str, struct: type[msgspec.Struct]) -> str:
    match = _AT.match(said)
    what, path = (match["what"], match["path"]) if match else (said, "")
    steps: list[Any] = [m["key"] if m["key"] else int(m["index"]) for m in _STEP.finditer(path)]
    field = re.search(r"field `([^`]+)`", what)
    if field:
        steps.append(field[1])
    line = line_of(text, *steps) if steps else None
    key = next((s for s in reversed(steps) if isinstance(s, str)), "")
    known = _known(struct, steps) if "enum value" in what else ""
    return (f" line {line}" if line else "") + f": {key + ': ' if key and not field else ''}{_plain(what)}{known}"


def _known(struct: type[msgspec.Struct], steps: Iterable[str | int]) -> str:
    """The words that may stand at a place of a file where only some may; empty where that is not known."""
    found: Any = msgspec.inspect.type_info(struct)
    for step in steps:
        if isinstance(step, int):
            found = getattr(found, "item_type", None)
        else:
            fields = getattr(found, "fields", ())
            found = next((each.type for each in fields if each.encode_name == step), None)
    words = getattr(found, "values", None) or getattr(found, "cls", None) or ()
    return f"; known are {', '.join(map(str, words))}" if words else ""


def _plain(what: str) -> str:
    what = what.replace("Invalid enum value", "unknown:").replace("Object missing required field", "there is no key")
    return what.replace("Object contains unknown field", "unknown key").replace("`", "")
