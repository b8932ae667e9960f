"""JSON decoded so that each string and whole number knows where it stood; of broken JSON, what can be read of it.

Slow, and so only for documents in which a secret is known to be, or that no decoder takes. What a decoder takes is read
as it reads it: escaped keys are decoded, and of two members of one name the later counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

Span = tuple[int, int]

_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_NUMBER = re.compile(rb"-?[0-9]{1,4000}")
_PIECE = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]+|\\", re.DOTALL)
_CONSTANTS = {b"true": True, b"false": False, b"null": None}


class Text(str):  # noqa: SLOT000 - it is to have attributes
    """A string value.

    Attributes:
        span: of its bytes in the document, quotes left out.
        raw: these bytes.
    """

    span: Span
    raw: bytes

    def parts(self, wanted: Sequence[Span]) -> list[Span]:
        """Where parts of its UTF-8 stand in the document; an escape is never cut. All of it where that is unknown.

        Args:
            wanted: the parts, none of them empty, in order and apart from each other.
        """
        found: list[Span] = []
        opened: int | None = None  # where the part that is due begins, once that is known
        at = 0
        for piece in _PIECE.finditer(self.raw):
            first, last = piece.span()
            length = len(_decoded(piece[0]).encode("utf-8", "surrogatepass"))
            plain = length == last - first
            while len(found) < len(wanted) and wanted[len(found)][0] < at + length:
                start, end = wanted[len(found)]
                if opened is None:
                    opened = self.span[0] + first + (start - at if plain else 0)
                if end > at + length:
                    break
                found.append((opened, self.span[0] + (first + end - at if plain else last)))
                opened = None
            at += length
        if at != len(self.encode("utf-8", "surrogatepass")) or len(found) < len(wanted):
            return [self.span]
        return found


class Number(int):
    """A whole number."""

    span: Span


def read(document: bytes) -> Any:
    """The document decoded. Never raises; several documents in a row, and what is broken, become an array."""
    roots: list[Any] = []
    path: list[list[Any] | dict[str, Any]] = [roots]
    keys: list[str] = [""]  # of the value to come, for each open container
    waits: list[bool] = [False]  # for a key
    for match in _TOKEN.finditer(document):
        token = match[0]
        if token in (b"{", b"["):
            opened: list[Any] | dict[str, Any] = {} if token == b"{" else []
            _put(path[-1], keys[-1], opened)
            path.append(opened)
            keys.append("")
            waits.append(token == b"{")
        elif token in (b"}", b"]"):
            if len(path) > 1:
                del path[-1], keys[-1], waits[-1]
        elif token == b",":
            waits[-1] = isinstance(path[-1], dict)
        elif token == b":":
            waits[-1] = False
        elif waits[-1]:
            keys[-1] = _decoded(match[1]) if match[1] is not None else token.decode("utf-8", "replace")
        else:
            _put(path[-1], keys[-1], _value(match))
    return roots[0] if len(roots) == 1 else roots


def _put(container: list[Any] | dict[str, Any], key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container.append(value)


def _value(match: re.Match[bytes]) -> Any:
    if match[1] is not None:
        text = Text(_decoded(match[1]))
        text.span, text.raw = match.span(1), match[1]
        return text
    if _NUMBER.fullmatch(match[0]):
        number = Number(match[0])
        number.span = match.span()
        return number
    return _CONSTANTS.get(match[0])


def _decoded(raw: bytes) -> str:
    """What stands between two quotes."""
    try:
        text: str = json.loads(b'"%b"' % raw, strict=False)
    except ValueError:
        return raw.decode("utf-8", "replace")
    return text
