"""Faults around an event stream: its label, and the end of its body."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tests.golden.edits import Json, without
from tests.golden.items import EVENT_STREAM, LAST_CHUNK, Act, Piece, head
from tests.golden.registry import Shot, fault, streaming

LABEL = "sse/stream-is-labelled"
TERMINATED = "sse/body-is-terminated"
FRAMED = "http/body-is-what-its-head-announces"


def _headers(pieces: Iterator[Piece], shot: Shot, old: bytes, new: bytes) -> Iterator[Piece]:
    """The stream with its head changed; a refusal is left alone."""
    first = next(pieces)
    if isinstance(first, bytes) and old in first:
        shot.fire()
        yield first.replace(old, new)
    else:
        yield first
    yield from pieces


LABELLED = b"Content-Type: text/event-stream; charset=utf-8\r\n"


@fault("stream-as-json", caught_by=LABEL, stage="wire", when=streaming)
def stream_as_json(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A stream is labelled application/json."""
    yield from _headers(pieces, shot, LABELLED, b"Content-Type: application/json\r\n")


@fault("stream-as-text", caught_by=LABEL, stage="wire", when=streaming)
def stream_as_text(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A stream is labelled text/plain."""
    yield from _headers(pieces, shot, LABELLED, b"Content-Type: text/plain\r\n")


@fault("stream-ignored", caught_by=LABEL, stage="body", when=streaming)
def stream_ignored(body: Json, shot: Shot) -> Json:
    """stream is ignored: the answer comes as one JSON object."""
    return without(body, "stream", "stream_options")


@fault("last-chunk-missing", caught_by=TERMINATED, stage="wire", when=streaming)
def last_chunk_missing(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The connection ends after [DONE] without the terminating chunk of the body."""
    for piece in pieces:
        if piece == LAST_CHUNK:
            shot.fire()
            yield Act.CUT
            return
        yield piece


@fault("last-chunk-torn", caught_by=TERMINATED, stage="wire", when=streaming)
def last_chunk_torn(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The connection ends inside the terminating chunk."""
    for piece in pieces:
        if piece == LAST_CHUNK:
            shot.fire()
            yield piece[:1]
            yield Act.CUT
            return
        yield piece


@fault("stream-with-length", caught_by=TERMINATED, stage="wire", when=streaming)
def stream_with_length(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A stream announces a Content-Length larger than what it sends, and ends."""
    first = next(pieces)
    if not isinstance(first, bytes) or b"Transfer-Encoding: chunked\r\n" not in first:
        yield from itertools.chain((first,), pieces)
        return
    shot.fire()
    yield head(200, (*EVENT_STREAM, ("Content-Length", "100000000")))
    for piece in pieces:
        if isinstance(piece, bytes):
            if piece != LAST_CHUNK:
                yield piece[piece.index(b"\r\n") + 2 : -2]
        else:
            yield piece
    yield Act.CUT


@fault("stream-in-chunks-of-a-length", caught_by=FRAMED, stage="wire", when=streaming)
def stream_in_chunks_of_a_length(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A stream in chunks has a Content-Length too: that of what a gateway's backend had answered."""
    both = b"Content-Length: 40\r\n"
    yield from _headers(pieces, shot, LABELLED, LABELLED + both)
