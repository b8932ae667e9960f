"""Parts of a secret that are left where a text was shortened: ``'sk-Ab...``, ``...4711'``, or the half of a diff.

pytest shortens what it prints of an assertion, Allure what it shows of a parameter: dots stand in the midst of a
secret then, and what is left of it is no spelling of the whole. A diff leaves out what its two sides have in common,
without dots. In a server's answer such a part may be a word of its own; in what a test says it is looked for.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from seatrial.wire.masking.spellings import packed

ENDING = 3
"""Beside dots so many bytes of either end of a secret are blotted out: fewer tell nothing of it."""

IN_A_DIFF = 4
"""At the border of a line of a diff so many: no dots say there that something is missing."""

MIDST = 6
"""There and beside dots, so many bytes from its midst: what is shortened was itself a part, cut at both ends."""

RUN = 8
"""So many bytes of it in a row, and half of it, are a part of a secret wherever they stand."""

LONGEST = 2 * 1024 * 1024
"""Bytes that are searched for parts; nobody shortens a text to more."""

_DOTS = re.compile(r"\.{2,}|…".encode())
_DIFF = re.compile(
    rb"(?:^|(?<=[\n\"])|(?<=\\n))(?:e?[ ]{1,20})?[-+?] +['\"b]{0,2}"  # its start
    rb"([^\r\n]*?)['\"]{0,2}(?=\\n|[\r\n]|\Z)"
)
"""A line of a diff, as pytest prints it, in lower case; of JSON too, where its ends are escaped."""

_ONES = frozenset((b"'", b'"', b"`"))
"""Quotes that may stand between dots and what is left."""

Span = tuple[int, int]


class _Rendering(NamedTuple):
    """One way in which a secret is printed, in lower case, with what finds parts of it fast.

    Attributes:
        run: bytes of it that are a part of it wherever they stand.
        needles: (offset, bytes) of its parts of which each such run holds one.
        stops: the last bytes of each of its beginnings, and how long these are, the longest first.
        begins: the first bytes of each of its ends, and the same.
    """

    text: bytes
    run: int
    needles: tuple[tuple[int, bytes], ...]
    stops: Mapping[bytes, list[int]]
    begins: Mapping[bytes, list[int]]


class _Ends(NamedTuple):
    """Which renderings have a beginning that ends so, an end that begins so, so many bytes in their midst.

    A text of a server's may be all dots: at most of them nothing of a secret stands, and one look-up says so.
    """

    stops: dict[bytes, list[_Rendering]]
    begins: dict[bytes, list[_Rendering]]
    midsts: dict[bytes, list[_Rendering]]


def parts(data: bytes, secret: str) -> Iterator[Span]:
    """Where a part of a secret stands in what a test or a report says; in no order, and they may overlap."""
    if len(data) > LONGEST:
        return
    low = data.lower()  # of bytes: nothing gets longer by it
    ends = _ends(secret)
    for rendering in _renderings(secret):
        yield from _runs(low, rendering)
    for dots in _DOTS.finditer(low):
        yield from _head(low, dots.start(), ends, ENDING)
        yield from _tail(low, dots.end(), ends, ENDING)
    for line in _DIFF.finditer(low):
        yield from _head(low, line.end(1), ends, IN_A_DIFF)
        yield from _tail(low, line.start(1), ends, IN_A_DIFF)


def whole(data: bytes, span: Span) -> Span:
    """A span, with the characters of UTF-8 that it takes a part of."""
    start, end = span
    for _ in range(3):  # a character has three more bytes at most; other data may have any number
        start -= start > 0 and data[start] & 0xC0 == 0x80
        end += end < len(data) and data[end] & 0xC0 == 0x80
    return start, end


def _runs(low: bytes, rendering: _Rendering) -> Iterator[Span]:
    for offset, needle in rendering.needles:
        at = low.find(needle)
        while at >= 0:
            start, end = _grown(low, at, RUN, rendering.text, offset)
            if end - start >= rendering.run:
                yield start, end
            at = low.find(needle, max(at + 1, end - RUN))


def _grown(low: bytes, at: int, size: int, text: bytes, offset: int) -> Span:
    """How far a text agrees with a secret to both sides of so many bytes of it."""
    start, end = at, at + size
    while start and offset - (at - start) > 0 and low[start - 1] == text[offset - (at - start) - 1]:
        start -= 1
    while end < len(low) and offset + end - at < len(text) and low[end] == text[offset + end - at]:
        end += 1
    return start, end


def _head(low: bytes, end: int, ends: _Ends, least: int) -> Iterator[Span]:
    """The beginning of a secret that ends at a place, or at the quote before it."""
    for stop in {end, end - (low[max(end - 1, 0) : end] in _ONES)}:
        last = low[max(stop - ENDING, 0) : stop]
        for rendering in ends.stops.get(last, ()):
            for size in rendering.stops[last]:
                if least <= size <= stop and low.endswith(rendering.text[:size], 0, stop):
                    yield stop - size, stop
                    break
        yield from _midst(low, stop - MIDST, ends)


def _tail(low: bytes, start: int, ends: _Ends, least: int) -> Iterator[Span]:
    """The end of a secret that begins at a place, or at the quote behind it."""
    for begin in {start, start + (low[start : start + 1] in _ONES)}:
        first = low[begin : begin + ENDING]
        for rendering in ends.begins.get(first, ()):
            for size in rendering.begins[first]:
                if size >= least and low.startswith(rendering.text[-size:], begin):
                    yield begin, begin + size
                    break
        yield from _midst(low, begin, ends)


def _midst(low: bytes, at: int, ends: _Ends) -> Iterator[Span]:
    """A part of a secret that holds what stands at a place."""
    piece = low[max(at, 0) : at + MIDST]
    for rendering in ends.midsts.get(piece, ()):
        yield _grown(low, at, MIDST, rendering.text, rendering.text.find(piece))


@lru_cache(maxsize=64)
def _ends(secret: str) -> _Ends:
    ends = _Ends({}, {}, {})
    for rendering in _renderings(secret):
        text = rendering.text
        midsts = {text[at : at + MIDST] for at in range(len(text) - MIDST + 1)}
        for known, pieces in zip(ends, (rendering.stops, rendering.begins, midsts), strict=True):
            for piece in pieces:
                known.setdefault(piece, []).append(rendering)
    return ends


@lru_cache(maxsize=64)
def _renderings(secret: str) -> tuple[_Rendering, ...]:
    once = json.dumps(secret)
    texts = (
        secret, repr(secret)[1:-1], repr(repr(secret))[2:-2], once[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(once)[3:-3], quote(secret, safe=""), html.escape(secret),
    )  # fmt: skip
    raw = secret.encode("utf-8", "surrogatepass")
    printed = [*(text.encode("utf-8", "surrogatepass") for text in texts), *packed(raw)]
    return tuple(_rendering(text.lower()) for text in dict.fromkeys(printed))


def _rendering(text: bytes) -> _Rendering:
    size, run = len(text), max(RUN, (len(text) + 1) // 2)
    places = range(0, size - RUN + 1, run - RUN + 1) if size > run else ()
    stops: dict[bytes, list[int]] = {}
    begins: dict[bytes, list[int]] = {}
    for length in range(size - 1, ENDING - 1, -1):
        stops.setdefault(text[length - ENDING : length], []).append(length)
        begins.setdefault(text[-length:][:ENDING], []).append(length)
    return _Rendering(
        text,
        run,
        tuple((at, text[at : at + RUN]) for at in places),
        stops,
        begins,
    )
