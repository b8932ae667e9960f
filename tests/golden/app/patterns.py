"""Texts that match a regular expression, drawn from its parts."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MORE = 3
"""So many repetitions beyond the fewest are drawn at most."""

FEWEST = 1000
"""A pattern that asks for more repetitions than this is not enforced."""

WORDS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"


class UnmatchableError(ValueError):
    """No text can be made of a pattern; the message says why."""


def matching(pattern: str, draw: random.Random) -> str:
    """A text that holds a match of the pattern, and nothing beside it.

    Raises:
        UnmatchableError: it is no pattern, or it has a part of which no text is made here (a look-around).
    """
    try:
        return _of(parser.parse(pattern), draw, {})
    except (re.error, RecursionError, OverflowError) as error:
        raise UnmatchableError(f"the pattern {pattern[:80]!r} is not valid: {error}") from error


def _of(parts: Iterable[Any], draw: random.Random, groups: dict[int, str]) -> str:
    return "".join(_one(op, value, draw, groups) for op, value in parts)


def _one(op: Any, value: Any, draw: random.Random, groups: dict[int, str]) -> str:
    made: dict[Any, Callable[[], str]] = {
        ops.LITERAL: lambda: chr(value),
        ops.NOT_LITERAL: lambda: next(c for c in WORDS if c != chr(value)),
        ops.ANY: lambda: draw.choice(WORDS),
        ops.IN: lambda: _in(value, draw),
        ops.BRANCH: lambda: _of(draw.choice(value[1]), draw, groups),
        ops.AT: lambda: "",
        ops.GROUPREF: lambda: groups.get(value, ""),
        ops.SUBPATTERN: lambda: _group(value, draw, groups),
        ops.MAX_REPEAT: lambda: _repeated(value, draw, groups),
        ops.MIN_REPEAT: lambda: _repeated(value, draw, groups),
    }
    if op not in made:
        raise UnmatchableError(f"a pattern with {str(op).lower()} is not enforced")
    return made[op]()


def _group(value: Any, draw: random.Random, groups: dict[int, str]) -> str:
    text = _of(value[3], draw, groups)
    if value[0] is not None:
        groups[value[0]] = text
    return text


def _repeated(value: Any, draw: random.Random, groups: dict[int, str]) -> str:
    low, high, part = value
    if low > FEWEST:
        raise UnmatchableError(f"a pattern with {low} repetitions is not enforced")
    return "".join(_of(part, draw, groups) for _ in range(draw.randint(low, min(high, low + MORE))))


def _in(parts: list[tuple[Any, Any]], draw: random.Random) -> str:
    if parts[0][0] is ops.NEGATE:
        held = {c for op, value in parts[1:] for c in _members(op, value)}
        left = [c for c in WORDS + DIGITS + " -_.!" if c not in held]
        if not left:
            raise UnmatchableError("a class without a common character is not enforced")
        return draw.choice(left)
    return draw.choice([c for op, value in parts for c in _members(op, value)])


def _members(op: Any, value: Any) -> str:
    if op is ops.LITERAL:
        return chr(value)
    if op is ops.RANGE:
        return "".join(map(chr, range(value[0], min(value[1], value[0] + 127) + 1)))
    kinds = {
        ops.CATEGORY_DIGIT: DIGITS,
        ops.CATEGORY_WORD: WORDS + DIGITS + "_",
        ops.CATEGORY_SPACE: " ",
        ops.CATEGORY_NOT_DIGIT: WORDS,
        ops.CATEGORY_NOT_WORD: " -",
        ops.CATEGORY_NOT_SPACE: WORDS,
    }
    if op is ops.CATEGORY and value in kinds:
        return kinds[value]
    raise UnmatchableError(f"a class with {str(op).lower()} is not enforced")
