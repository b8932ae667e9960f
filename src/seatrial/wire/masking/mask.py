"""The API key, made unreadable before anything is written: each byte of it becomes ``*``, so that offsets stay.

How a server may spell it is told in :mod:`seatrial.wire.masking.spellings`. A list of numbers (the bytes of a token)
stays one: in it the number of ``*`` stands for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import NamedTuple

from seatrial.wire.masking.shortened import parts, whole
from seatrial.wire.masking.spellings import SPELLED, Escapes, Way, bare, numbers, ways

SHORTEST = 4
"""Shorter keys are not looked for in answers: they would be found everywhere. ``Authorization`` is masked anyway."""

GROWTH = 12
"""Bytes that the spelling of one character takes at most, but for wilful ones."""

Raw = bytes  # the class below has a method called bytes
Span = tuple[int, int]

UNCUT = 8
"""Keys of no more characters are never sent without their last one: what is left would be found in words."""


def cut(key: str) -> str:
    """A key without its last character, as a suite sends it to learn how much of a key is compared; empty where a key
    is too short for that."""
    return key[:-1] if len(key) > UNCUT else ""


class Blots(NamedTuple):
    """What is to be blotted out of some bytes; false where it is nothing.

    Attributes:
        spans: each byte of them becomes a star.
        numbers: (offset, what is put there) of numbers: that of a star, padded with blanks, so that a list stays one.
    """

    spans: list[Span]
    numbers: list[tuple[int, bytes]]

    @classmethod
    def none(cls) -> Blots:
        return cls([], [])

    def __bool__(self) -> bool:
        return bool(self.spans or self.numbers)

    def add(self, others: Blots) -> None:
        self.spans.extend(others.spans)
        self.numbers.extend(others.numbers)

    def over(self, data: bytes) -> bytes:
        """The bytes, blotted out."""
        if not self:
            return data
        out = bytearray(data)
        for start, digits in self.numbers:
            out[start : start + len(digits)] = digits
        for start, end in self.spans:
            out[start:end] = b"*" * (end - start)
        return bytes(out)


def number(start: int, end: int) -> tuple[int, bytes]:
    """What is put in place of a number: that of a star; where there is room for one digit alone, nought."""
    return start, b"0" if end - start == 1 else b"42".rjust(end - start)


class Mask:
    """Knows the secrets of a run, each as it is and cut. False where there are none to look for."""

    def __init__(self, *secrets: str | None) -> None:
        self._given = tuple(s for s in secrets if s)
        every = {*self._given, *map(cut, self._given)}
        known = sorted({s for s in every if len(s.encode()) >= SHORTEST}, key=lambda s: (-len(s), s))
        self._secrets = tuple(known)
        self._shortest = min([SPELLED, *map(len, known)])

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def also(self, secrets: Iterable[str]) -> Mask:
        """A mask that knows these secrets too."""
        return Mask(*self._given, *secrets)

    def find(self, data: Raw) -> Blots:
        """Where a secret stands: spelled or packed, or as a list of numbers."""
        found = Blots.none()
        if self._secrets and len(data) >= self._shortest:  # no spelling takes less than a byte for a character
            low, loose = data.lower(), bare(data).lower()
            for secret in self._secrets:
                found.spans.extend(_known(secret).find(data, low, loose))
            digits = (match.span() for start, end in self.lists(data) for match in _NUMBER.finditer(data, start, end))
            found.numbers.extend(number(*span) for span in digits)
        return found

    def lists(self, data: Raw) -> list[Span]:
        """Where a secret is spelled as a list of numbers."""
        lists = (match.span() for secret in self._secrets for match in _known(secret).numbers.finditer(data))
        return [(start, end) for start, end in lists if data[max(start - 1, 0) : start] not in _MORE_DIGITS]

    def bytes(self, data: Raw) -> Raw:
        """The same bytes, each byte of a secret replaced by ``*``."""
        return self.find(data).over(data)

    def text(self, text: str) -> str:
        """The same text, each byte of a secret replaced by ``*``."""
        if not self._secrets:
            return text
        return self.bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def shortened(self, text: str) -> str:
        """A text that others may have shortened: what is left of a secret beside dots is replaced too."""
        if not self._secrets:
            return text
        return self.shortened_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def shortened_bytes(self, data: Raw) -> Raw:
        """The same of bytes."""
        data = self.bytes(data)
        spans = [whole(data, span) for secret in self._secrets for span in parts(data, secret)]
        return Blots(spans, []).over(data)

    def start(self, text: str, limit: int) -> str:
        """The first characters of a text, masked before it is cut, so that no part of a secret stands at the cut."""
        margin = GROWTH * max((len(secret) for secret in self._secrets), default=0)
        return self.text(text[: limit + margin])[:limit]


class Unseen:
    """Bytes that are masked when somebody first looks at them: of most streams of a load nobody does."""

    __slots__ = ("_data", "_mask")

    def __init__(self, data: Raw = b"", mask: Mask | None = None) -> None:
        self._data, self._mask = data, mask

    def __len__(self) -> int:
        """How many there are: the same before and after."""
        return len(self._data)

    def masked(self) -> Raw:
        """The bytes as they may be shown and stored."""
        if self._mask is not None:
            self._data, self._mask = self._mask.bytes(self._data), None
        return self._data


NOTHING = Unseen()
_NUMBER = re.compile(rb"[0-9]+")
_MORE_DIGITS = frozenset(bytes([c]) for c in b"0123456789.-")


class _Secret:
    """One secret and its patterns, each made when a text first has one of its needles."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._ways = [_Searched(way) for way in ways(secret)]
        self._escapes = Escapes(secret)

    def find(self, data: bytes, low: bytes, loose: bytes) -> list[Span]:
        escaped: bool | None = None
        found: list[Span] = []
        for searched in self._ways:
            way = searched.way
            there = loose if way.strewn else low
            hit = not way.needles or any(needle in there for needle in way.needles)
            if not hit and way.escaped:
                escaped = self._escapes(data) if escaped is None else escaped
                hit = escaped
            if hit:
                found += [match.span() for match in searched.pattern.finditer(low if way.low else data)]
        return found

    @cached_property
    def numbers(self) -> re.Pattern[bytes]:
        return re.compile(numbers(self._secret))


class _Searched:
    """A way of writing, and its pattern once it is needed."""

    def __init__(self, way: Way) -> None:
        self.way = way

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        return re.compile(self.way.pattern)


@lru_cache(maxsize=64)
def _known(secret: str) -> _Secret:
    return _Secret(secret)
