"""Counts as servers print them: Prometheus text, and JSON that may be none.

Totals and states only: windowed gauges say nothing between two looks. Whatever a server sends, a field is a number that
makes sense or None. A body that tells nothing at all raises :class:`Nonsense`.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

LARGEST = 2**53
"""Larger totals are no counts of tokens: beyond it a float that passed through JSON has lost its last digit."""

_LINE = re.compile(r"(?m)^([A-Za-z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)")


class Nonsense(ValueError):
    """An answer 200 that does not say what it should; the message is what is wrong with it."""


def count(value: Any) -> int | None:
    """A count as servers print it: ``7``, ``7.0``, ``3.21457e+06`` (six digits: the last ones are lost), or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return round(number) if math.isfinite(number) and 0 <= number <= LARGEST else None


def decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Nonsense("no JSON") from error  # where it breaks is another place each time: it would never be said once


def numbers(body: bytes) -> dict[str, int]:
    """Every series of a Prometheus text that is a count, summed over its labels; what is not a number is left out."""
    told: dict[str, int] = {}
    for name, _, value in _LINE.findall(body.decode("utf-8", "replace")):
        number = count(value)
        if number is not None:
            told[name] = told.get(name, 0) + number
    return told


def something(fields: dict[str, Any]) -> dict[str, Any]:
    if all(value is None for value in fields.values()):
        raise Nonsense("none of the counters that are looked for")
    return fields
