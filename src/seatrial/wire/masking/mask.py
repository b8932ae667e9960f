"""The API key, made unreadable before anything is written: each byte of it becomes ``*``, so that offsets stay.

A server may hand the key back in many spellings: as it is, JSON-escaped (once or twice), percent-encoded, or inside a
longer base64 text, where it begins at one of three alignments. Each character of a pattern is an alternation of its
spellings, so that mixed ones match too. Of a base64 text only the characters that the key alone determines can be
known; they are masked, and what is left over at both ends holds at most four bits of it each.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

SHORTEST = 4
"""Shorter keys are not looked for in answers: they would be found everywhere. ``Authorization`` is masked anyway."""

Raw = bytes  # the class below has a method called bytes
Span = tuple[int, int]


class Mask:
    """Knows the secrets of a run. False where there are none to look for."""

    def __init__(self, *secrets: str | None) -> None:
        known = sorted({s for s in secrets if s and len(s.encode()) >= SHORTEST}, key=len, reverse=True)
        self._secrets = tuple(known)
        patterns = [pattern for secret in known for pattern in (_spelled(secret.encode()), *_base64(secret.encode()))]
        self._pattern = re.compile(b"|".join(patterns)) if patterns else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def also(self, secrets: Iterable[str]) -> Mask:
        """A mask that knows these secrets too."""
        return Mask(*self._secrets, *secrets)

    def find(self, data: Raw) -> list[Span]:
        """Where a secret stands, in order."""
        return [match.span() for match in self._pattern.finditer(data)] if self._pattern else []

    def bytes(self, data: Raw) -> Raw:
        """The same bytes, each byte of a secret replaced by ``*``."""
        return blot(data, self.find(data))

    def text(self, text: str) -> str:
        """The same text, each byte of a secret replaced by ``*``."""
        if not self._pattern:
            return text
        return self.bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def blot(data: bytes, spans: Iterable[Span]) -> bytes:
    """The same bytes, with ``*`` in the spans."""
    out: bytearray | None = None
    for start, end in spans:
        out = bytearray(data) if out is None else out
        out[start:end] = b"*" * (end - start)
    return data if out is None else bytes(out)


def _spelled(secret: bytes) -> bytes:
    """A pattern for the secret, each character in any of its spellings; other than ASCII per UTF-16 unit or byte."""
    return b"".join(_character(c) for c in secret.decode())


_SHORT_ESCAPES = {'"': b'"', "\\": b"\\\\", "/": b"/", "\b": b"b", "\f": b"f", "\n": b"n", "\r": b"r", "\t": b"t"}


def _character(c: str) -> bytes:
    encoded = c.encode()
    units = c.encode("utf-16-be")
    spellings = [
        re.escape(encoded),
        b"".join(rb"\\{1,8}u" + _hex(units[i : i + 2]) for i in range(0, len(units), 2)),
        b"".join(b"%(?:25){0,3}" + _hex(encoded[i : i + 1]) for i in range(len(encoded))),
    ]
    if c in _SHORT_ESCAPES:
        spellings.insert(0, rb"\\{1,8}" + _SHORT_ESCAPES[c])
    return b"(?:" + b"|".join(spellings) + b")"


def _hex(raw: bytes) -> bytes:
    """The bytes in hexadecimal, letters in either case."""
    return b"".join(b"[%c%c]" % (d, d - 32) if d >= ord("a") else b"%c" % d for d in raw.hex().encode())


def _base64(secret: bytes) -> list[bytes]:
    """Patterns for the characters that the secret alone determines, at each of the three alignments."""
    patterns = []
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + secret).rstrip(b"=")
        first = -(-8 * shift // 6)
        last = 8 * (shift + len(secret)) // 6
        patterns.append(b"".join(_base64_character(c) for c in text[first:last]))
    return patterns


def _base64_character(c: int) -> bytes:
    if c == ord("+"):
        return rb"(?:[+-]|%2[bB]|\\{1,8}u002[bB])"
    if c == ord("/"):
        return rb"(?:\\{0,8}/|_|%2[fF]|\\{1,8}u002[fF])"
    return b"%c" % c
