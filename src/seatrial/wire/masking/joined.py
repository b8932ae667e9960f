"""Secrets that a body hands out in pieces: found in the channels that readers join, and traced back to its bytes.

What is looked for in is decoded JSON, all channels at once: fast, and nothing is kept of where the pieces stood. Only a
document that has a part of a secret is read again, with places.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from typing import Any, NamedTuple

import msgspec

from seatrial.reading.channels import Channel, Channels, Piece
from seatrial.wire.masking import placed
from seatrial.wire.masking.mask import Blots, Mask, Span, number

_APART = b"\r\x1e\r"
"""Between the texts of two channels: no spelling reaches across it."""

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
            for start, end in islice(hits[channel], ended[channel], None):
                if start >= passed[channel]:
                    break
                wanted[channel].append((start - before, end - before))
                ended[channel] += end <= passed[channel]
        if any(wanted.values()):
            document = documents[index]
            again = Channels(thorough=True)
            again.add(placed.read(_text(body, document)))
            places = again.joined
            for channel, spans in wanted.items():
                if not spans:
                    continue
                pieces = places.get(channel, [])
                if list(map(_bytes, pieces)) == list(map(_bytes, joined[channel])):
                    _place(pieces, spans, document, found)
                else:  # it was decoded otherwise: then none of it is shown
                    found.spans.extend(document)


def _place(pieces: Iterable[Piece], wanted: list[Span], document: Document, found: Blots) -> None:
    """Add the places of the parts of pieces that lie in the wanted spans of their channel."""
    at = 0
    for piece in pieces:
        length = len(_bytes(piece))
        for start, end in wanted:
            low, high = max(start - at, 0), min(end - at, length)
            if low >= high:
                continue
            if isinstance(piece, placed.Text):
                found.spans.extend(_in_body(piece.part(low, high), document))
            elif isinstance(piece, list):
                spans = (each.span for each in piece[low:high] if isinstance(each, placed.Number))
                found.numbers.extend(number(*part) for span in spans for part in _in_body(span, document))
        at += length


def _in_body(span: Span, document: Document) -> Iterator[Span]:
    """A span of a document's text as spans of the body."""
    at = 0
    for start, end in document:
        low, high = max(span[0] - at, 0), min(span[1] - at, end - start)
        if low < high:
            yield start + low, start + high
        at += end - start + 1


def _bytes(piece: Piece) -> bytes:
    return piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else bytes(piece)
