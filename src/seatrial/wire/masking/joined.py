"""Secrets that a body hands out in pieces: found in the channels that readers join, and traced back to its bytes.

What is looked for in is decoded JSON, all channels at once: fast, and nothing is kept of where the pieces stood. Only a
document that has a part of a secret is read again, with places.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec

from seatrial.reading.channels import Channel, Channels, Piece
from seatrial.wire.masking import placed
from seatrial.wire.masking.mask import Blots, Mask, Span, number

_APART = b"\r\x1e\r"
"""Between the texts of two channels: no spelling reaches across it."""

HITS = 1000
"""Pieces of secrets in one channel of one document. One that has more is made for that, and none of it is shown."""

Document = tuple[Span, ...]
"""Where the JSON of a body or an event stands: the spans of its lines."""


class _View(NamedTuple):
    """What a reader takes in of the documents: (number of the document, its JSON)."""

    documents: list[tuple[int, Any]]


def find(mask: Mask, body: bytes, documents: list[Document]) -> Blots:
    """Where pieces of secrets stand in the documents of a body."""
    found = Blots.none()
    for view in _views(body, documents):
        hits = _hits(mask, view)
        if hits:
            _trace(hits, view, body, documents, found)
    return found


def holds(mask: Mask, body: bytes, documents: list[Document]) -> bool:
    """Whether the documents of a body hold a secret in pieces."""
    return any(_hits(mask, view) for view in _views(body, documents))


def _views(body: bytes, documents: list[Document]) -> Iterator[_View]:
    """What a strict decoder takes of the documents, what a lenient one does, and all that can be read of them."""
    strict: list[tuple[int, Any]] = []
    others: list[int] = []
    for index, document in enumerate(documents):
        try:
            strict.append((index, msgspec.json.decode(_text(body, document))))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            if body[document[0][0] : document[0][1]] != b"[DONE]":
                others.append(index)
    yield _View(strict)
    if not others:
        return
    lenient, broken = [], []
    for index in others:
        text = _text(body, documents[index])
        try:
            lenient.append((index, json.loads(text)))
        except (ValueError, RecursionError):
            broken.append((index, placed.read(text)))
    if lenient:
        yield _View(sorted([*strict, *lenient], key=lambda pair: pair[0]))
    if broken:
        yield _View(sorted([*strict, *lenient, *broken], key=lambda pair: pair[0]))


def _text(body: bytes, document: Document) -> bytes:
    return b"\n".join([body[start:end] for start, end in document])


def _hits(mask: Mask, view: _View) -> dict[Channel, list[Span]]:
    """Where secrets stand in the text of each channel that has some; spans of one channel do not overlap."""
    joined = _joined(view)
    texts = [b"".join(map(_bytes, pieces)) for pieces in joined.values()]
    text = _APART.join(texts)
    spans = sorted([*mask.find(text).spans, *mask.lists(text)])
    if not spans:
        return {}
    ends = list(accumulate(len(text) + len(_APART) for text in texts))
    names = list(joined)
    hits: dict[Channel, list[Span]] = {}
    for start, end in spans:
        index = bisect_right(ends, start)
        at = ends[index] - len(texts[index]) - len(_APART)
        known = hits.setdefault(names[index], [])
        span = start - at, min(end - at, len(texts[index]))
        if known and span[0] < known[-1][1]:
            span = known[-1][0], max(span[1], known.pop()[1])
        known.append(span)
    return hits


def _joined(view: _View) -> dict[Channel, list[Piece]]:
    """The channels of a view: as few as its readers need, for most streams need few."""
    channels = Channels(thorough=len(view.documents) == 1)
    for _, value in view.documents:
        channels.add(value)
    if channels.crossed:
        channels = Channels(thorough=True)
        for _, value in view.documents:
            channels.add(value)
    return channels.joined


def _trace(hits: dict[Channel, list[Span]], view: _View, body: bytes, documents: list[Document], found: Blots) -> None:
    """Add to what was found the places of the pieces that hold secrets."""
    passed = dict.fromkeys(hits, 0)  # bytes of each channel in the documents before
    ended = dict.fromkeys(hits, 0)  # hits of each channel that lie in them
    for index, value in view.documents:
        here = Channels(thorough=True)
        here.add(value)
        wanted: dict[Channel, list[Span]] = {}
        joined = here.joined
        for channel in hits.keys() & joined.keys():
            before = passed[channel]
            passed[channel] += sum(len(_bytes(piece)) for piece in joined[channel])
            wanted[channel] = []
            for at in range(ended[channel], len(hits[channel])):
                start, end = hits[channel][at]
                if start >= passed[channel]:
                    break
                wanted[channel].append((start - before, end - before))
                ended[channel] += end <= passed[channel]
        if any(wanted.values()):
            _find_in(body, documents[index], wanted, joined, found)


def _find_in(
    body: bytes,
    document: Document,
    wanted: dict[Channel, list[Span]],
    joined: dict[Channel, list[Piece]],
    found: Blots,
) -> None:
    """Add the places of the wanted spans of a document's channels; ``joined``: these channels as they were decoded."""
    if max(map(len, wanted.values())) > HITS:
        found.spans.extend(document)
        return
    again = Channels(thorough=True)
    again.add(placed.read(_text(body, document)))
    places, lines = again.joined, _Lines(document)
    for channel, spans in wanted.items():
        if not spans:
            continue
        pieces = places.get(channel, [])
        if list(map(_bytes, pieces)) == list(map(_bytes, joined[channel])):
            _place(pieces, spans, lines, found)
        else:  # it was decoded otherwise: then none of it is shown
            found.spans.extend(document)


def _place(pieces: Iterable[Piece], wanted: list[Span], lines: _Lines, found: Blots) -> None:
    """Add the places of the parts of pieces that lie in the wanted spans of their channel; these are in order."""
    at = first = 0
    for piece in pieces:
        length = len(_bytes(piece))
        parts: list[Span] = []
        while first < len(wanted) and wanted[first][0] < at + length:
            start, end = wanted[first]
            parts += [(max(start - at, 0), min(end - at, length))] if end > at and length else []
            if end > at + length:
                break
            first += 1
        if parts and isinstance(piece, placed.Text):
            found.spans.extend(each for span in piece.parts(parts) for each in lines.of(span))
        elif isinstance(piece, list):
            numbers = (each for low, high in parts for each in piece[low:high] if isinstance(each, placed.Number))
            found.numbers.extend(number(*each) for n in numbers for each in lines.of(n.span))
        at += length


class _Lines:
    """The lines of a document, by which a span of its text is found in the body."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._starts = list(accumulate((end - start + 1 for start, end in document[:-1]), initial=0))

    def of(self, span: Span) -> Iterator[Span]:
        """A span of the document's text as spans of the body."""
        for index in range(bisect_right(self._starts, span[0]) - 1, len(self._document)):
            at = self._starts[index]
            if at >= span[1]:
                return
            start, end = self._document[index]
            low, high = max(span[0] - at, 0), min(span[1] - at, end - start)
            if low < high:
                yield start + low, start + high


def _bytes(piece: Piece) -> bytes:
    return piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else bytes(piece)
