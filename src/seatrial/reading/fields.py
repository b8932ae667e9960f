"""Reading JSON whose every field may be of any type: what is read is of the type it says, or empty, or None."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec

DEEPEST = 128
"""Arrays and objects within each other that are read: whoever shows or compares a value goes as deep as it does."""

MOST = 10**300
"""The largest count that is reckoned with: of millions of such the sum, a hundred times taken, fits into a float."""

TOO_DEEP = f"nested deeper than {DEEPEST}"


class NoJsonError(ValueError):
    """A text is no JSON that is read; the message says why."""


def decoded(data: bytes) -> Any:
    """What a text of JSON says. Strict: UTF-8, no lone surrogates, no NaN; RFC 8259 9 lets a reader limit the depth.

    Raises:
        NoJsonError: it is none, or it is nested deeper than :data:`DEEPEST`.
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError) as error:
        raise NoJsonError(str(error)) from error
    except RecursionError as error:
        raise NoJsonError(TOO_DEEP) from error
    if data.count(b"[") + data.count(b"{") > DEEPEST and _is_deep(value):
        raise NoJsonError(TOO_DEEP)
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        within = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = [inner for values in within for inner in values if isinstance(inner, (dict, list))]
    return bool(level)


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def integer(value: Any) -> int | None:
    """The value if it is a whole number; a boolean is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def counted(value: Any) -> int | None:
    """The value if it is a whole number of :data:`MOST` at most, below 0 or above: what is reckoned with as a float."""
    number = integer(value)
    return number if number is not None and -MOST <= number <= MOST else None


def all_counted(values: Iterable[Any]) -> list[int | None]:
    """:func:`counted` of each: of a night's hundreds of thousands, which are nearly always as they should be."""
    every = list(values)
    known = [value for value in every if value is not None]
    if {int}.issuperset(map(type, known)) and min(known, default=0) >= -MOST and max(known, default=0) <= MOST:
        return every
    return [counted(value) for value in every]


def real(value: Any) -> float | None:
    """The value if it is a finite number that a float holds; a boolean is none, nor is a whole number of 400 digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def string(value: Any) -> str | None:
    return value if isinstance(value, str) else None
