"""Reading the vectors of an answer, numbers or base64, whose every field may be of any type."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from dataclasses import dataclass
from typing import Any, Literal

from seatrial.reading.fields import integer, listing, mapping
from seatrial.records import Exchange

WIDTH = 4
"""Bytes of a number in base64: a 32-bit float, the lowest byte first."""

ROUNDED = 1e-6
"""By how much of a vector's length its numbers may differ and still be called the same: seven digits are written."""


@dataclass(frozen=True)
class Vector:
    """One entry of ``data``.

    Attributes:
        position: its place in the list.
        index: what it says is its index; of any type.
        form: how its numbers were sent; empty: neither way.
        values: its numbers; empty where they cannot be read.
        wrong: why they cannot be read; empty where they can.
    """

    position: int
    index: Any
    form: Literal["float", "base64", ""]
    values: tuple[float, ...]
    wrong: str = ""

    @property
    def norm(self) -> float:
        """Its length; 0 where it has no numbers, infinite where they overflow."""
        return math.hypot(*self.values)

    @property
    def strange(self) -> int | None:
        """The place of its first number that is not finite; None where all are."""
        return next((n for n, value in enumerate(self.values) if not math.isfinite(value)), None)


def vectors(x: Exchange) -> list[Vector]:
    """Every entry of ``data``, in the order in which it was sent."""
    return [_vector(n, mapping(entry)) for n, entry in enumerate(listing(mapping(x.json).get("data")))]


def wanted(x: Exchange) -> int:
    """How many vectors a request asks for: one for each input, and a list of token ids is one input."""
    given = mapping(x.request_json).get("input")
    if not isinstance(given, list):
        return 1
    return 1 if given and all(integer(each) is not None for each in given) else len(given)


def same(one: Vector, other: Vector) -> bool:
    """Whether two vectors have the same numbers, but for rounding."""
    within = ROUNDED * max(one.norm, other.norm)
    pairs = zip(one.values, other.values, strict=False)
    return len(one.values) == len(other.values) > 0 and all(a == b or abs(a - b) <= within for a, b in pairs)


def cosine(one: Vector, other: Vector) -> float | None:
    """The cosine between two vectors; None where their widths differ or one has no direction."""
    lengths = one.norm * other.norm
    if len(one.values) != len(other.values) or not lengths or not math.isfinite(lengths):
        return None
    return sum(a * b for a, b in zip(one.values, other.values, strict=True)) / lengths


def _vector(position: int, entry: dict[str, Any]) -> Vector:
    sent = entry.get("embedding")
    form: Literal["float", "base64", ""] = ""
    values: tuple[float, ...] = ()
    wrong = "neither a list of numbers nor base64"
    if isinstance(sent, list):
        form = "float"
        values, wrong = _numbers(sent)
    elif isinstance(sent, str):
        form = "base64"
        values, wrong = _decoded(sent)
    return Vector(position, entry.get("index"), form, values, wrong)


def _numbers(sent: list[Any]) -> tuple[tuple[float, ...], str]:
    for n, value in enumerate(sent):
        if not isinstance(value, int | float) or isinstance(value, bool):
            return (), f"not all of it are numbers, number {n} is {'null' if value is None else type(value).__name__}"
    try:
        return tuple(map(float, sent)), ""
    except OverflowError:
        return (), "a number is too large"


def _decoded(sent: str) -> tuple[tuple[float, ...], str]:
    try:
        data = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        return (), "a text that is no base64"
    if len(data) % WIDTH:
        return (), f"base64 of {len(data)} bytes, which are no whole 32-bit numbers"
    return struct.unpack(f"<{len(data) // WIDTH}f", data), ""
