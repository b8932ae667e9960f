"""TOML files that people write, read into structs; what is wrong is said with file, line and key."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import msgspec.inspect

from seatrial.given.errors import ConfigError
from seatrial.text import visible

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

LARGEST_BYTES = 4 * 1024 * 1024
"""Larger than any file that is written by hand."""

LONGEST = 300
"""Characters of what is said of a file: it may hold anything, and one line is to be read."""

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
        ConfigError: it cannot be read, is no regular file, or is larger than anybody writes by hand.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # of a pipe nobody writes to the end never comes
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(f"cannot read {shown(path)}: it is no regular file")
            raw = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        raise ConfigError(f"cannot read {shown(path)}: {getattr(error, 'strerror', '') or error}") from error
    if len(raw) > LARGEST_BYTES:
        raise ConfigError(f"{shown(path)} is larger than {LARGEST_BYTES // 1024 // 1024} MiB")
    return raw


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
        raise ConfigError(f"{shown(path)} {visible(_syntax(str(error), text), LONGEST)}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{shown(path)}{visible(_meaning(str(error), text, struct), LONGEST)}") from error
    except RecursionError:
        raise ConfigError(f"{shown(path)}: no TOML: it is nested too deep") from None
    except ValueError as error:  # of a number with thousands of digits
        raise ConfigError(f"{shown(path)}: no TOML: {visible(str(error), LONGEST)}") from error


def shown(path: Path) -> str:
    """A path as the user would type it: from the current folder where it lies below it."""
    try:
        return visible(str(path.relative_to(Path.cwd())))
    except ValueError:
        return visible(str(path))


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
    what, path = (match["what"], match["path"].replace("[...]", "")) if match else (said, "")
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
