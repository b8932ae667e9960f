"""Counts as servers print them: Prometheus text, and JSON that may be none.

Its samples are read by :mod:`seatrial.reading.exposition`. Totals and states only: windowed gauges say nothing between
two looks. Whatever a server sends, a field is a number or None. A body that tells nothing at all raises
:class:`Nonsense`.
"""

from __future__ import annotations

import math
from typing import Any

from seatrial.reading import fields
from seatrial.reading.exposition import samples

LARGEST = 2**53
"""Larger totals are no counts of tokens: beyond it a float that passed through JSON has lost its last digit."""


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
    """What a JSON text says.

    Raises:
        Nonsense: it is none.
    """
    try:
        return fields.decoded(body)
    except fields.NoJsonError as error:
        raise Nonsense("no JSON") from error  # where it breaks is another place each time: it would never be said once


def numbers(body: bytes) -> dict[str, int]:
    """What can be counted on by the watch: every name's counts, rounded and summed over its labels.

    What is no count is left out: a watch that sees a total move needs no last digit.
    """
    told: dict[str, int] = {}
    for name, value in samples(body):
        number = count(value)
        if number is not None:
            told[name] = told.get(name, 0) + number
    return told


def wholes(body: bytes) -> dict[str, int]:
    """Totals that can be held against what was received, summed over their labels.

    Agreement is exact: a name of which one series is no whole count has no total at all.
    """
    told: dict[str, int | None] = {}
    for name, value in samples(body):
        before, number = told.get(name, 0), _whole(value)
        told[name] = None if before is None or number is None else before + number
    return {name: number for name, number in told.items() if number is not None}


def something(fields: dict[str, Any]) -> dict[str, Any]:
    """The same fields.

    Raises:
        Nonsense: all of them are None.
    """
    if all(value is None for value in fields.values()):
        raise Nonsense("none of the counters that are looked for")
    return fields


def _whole(text: str) -> int | None:
    number = count(text)
    return number if number is not None and float(text) == number else None
