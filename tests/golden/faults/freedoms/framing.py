"""What HTTP leaves open: how headers are written, and how a body is cut up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.golden.edits import api
from tests.golden.items import LAST_CHUNK, Piece, chunk
from tests.golden.registry import Shot, freedom

NAMES, VALUES, WORDS, MORE, MEDIA, CHUNKS = 50, 40, 30, 20, 10, 60
"""Turns: lines are added, then written otherwise, then the body is cut up."""

FIELD = re.compile(rb"(?<=\r\n)([\w-]+): *([^\r]*)")


def _headed(pieces: Iterator[Piece], shot: Shot, change: Callable[[bytes], bytes]) -> Iterator[Piece]:
    """With status line and headers changed."""
    for piece in pieces:
        if isinstance(piece, bytes) and piece.startswith(b"HTTP/1."):
            shot.fire()
            yield change(piece)
        else:
            yield piece


@freedom(
    "header-names-in-capitals",
    of="header names",
    source="RFC 9110 5.1: names are case-insensitive",
    stage="wire",
    when=api,
    turn=NAMES,
)
def header_names_in_capitals(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Names of headers are in capitals."""
    return _headed(pieces, shot, lambda head: FIELD.sub(lambda m: m[1].upper() + b": " + m[2], head))


@freedom(
    "header-names-in-small-letters",
    of="header names",
    source="RFC 9110 5.1: names are case-insensitive",
    stage="wire",
    when=api,
    turn=NAMES,
)
def header_names_in_small_letters(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Names of headers are in small letters."""
    return _headed(pieces, shot, lambda head: FIELD.sub(lambda m: m[1].lower() + b": " + m[2], head))


@freedom(
    "space-around-values",
    of="header values",
    source="RFC 9112 5: OWS field-value OWS",
    stage="wire",
    when=api,
    turn=VALUES,
)
def space_around_values(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """White space stands before and after the value of a header."""
    return _headed(pieces, shot, lambda head: FIELD.sub(rb"\1:\t \2 \t", head))


@freedom(
    "no-space-before-values",
    of="header values",
    source="RFC 9112 5: OWS field-value OWS",
    stage="wire",
    when=api,
    turn=VALUES,
)
def no_space_before_values(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """No space follows the colon of a header."""
    return _headed(pieces, shot, lambda head: FIELD.sub(rb"\1:\2", head))


@freedom(
    "no-reason-phrase",
    of="reason phrase",
    source="RFC 9112 4: the reason-phrase may be absent",
    stage="wire",
    when=api,
    turn=WORDS,
)
def no_reason_phrase(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Nothing follows the status but a space."""
    return _headed(pieces, shot, lambda head: re.sub(rb"^(\S+ \d+) [^\r]*", rb"\1 ", head))


@freedom(
    "any-reason-phrase",
    of="reason phrase",
    source="RFC 9112 4: a client should ignore the reason-phrase",
    stage="wire",
    when=api,
    turn=WORDS,
)
def any_reason_phrase(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The words after the status are the server's own."""
    return _headed(pieces, shot, lambda head: re.sub(rb"^(\S+ \d+) [^\r]*", rb"\1 so be it", head))


@freedom(
    "more-headers",
    of="more headers",
    source="RFC 9110 5.1: fields that are not known are ignored; 5.3: lines of one name",
    stage="wire",
    when=api,
    turn=MORE,
)
def more_headers(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """There are headers that nobody knows, some of one name, and one without a value."""
    more = b"\r\nVia: 1.1 a\r\nVia: 1.1 b\r\nX-Request-Id: 7f\r\nX-Nothing: \r\nAlt-Svc: clear\r\n\r\n"
    return _headed(pieces, shot, lambda head: head.removesuffix(b"\r\n\r\n") + more if b" 103 " not in head else head)


@freedom(
    "charset-is-quoted",
    of="media type",
    source="RFC 9110 8.3.1: a parameter may be quoted, its name in any case",
    stage="wire",
    when=api,
    turn=MEDIA,
)
def charset_is_quoted(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The media type names the character set, in quotes."""
    spelled = rb'\1;Charset="UTF-8"'
    return _headed(
        pieces, shot, lambda head: re.sub(rb"(application/json|text/event-stream)(?:;[^\r]*)?", spelled, head)
    )


@freedom(
    "streams-without-a-charset",
    of="media type",
    source="WHATWG HTML 9.2.5: always UTF-8",
    stage="wire",
    when=api,
    turn=MEDIA,
)
def streams_without_a_charset(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The media type of a stream has no parameter."""
    return _headed(pieces, shot, lambda head: re.sub(rb"(text/event-stream);[^\r]*", rb"\1", head))


def _rechunked(
    pieces: Iterator[Piece], shot: Shot, again: Callable[[Iterator[bytes]], Iterator[bytes]]
) -> Iterator[Piece]:
    """With the data of chunks in other chunks; what is not chunked is left alone, and so is what acts between them."""
    chunked = False
    held: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes) and piece.startswith(b"HTTP/1."):
            chunked = b"chunked" in piece.lower()
            yield piece
        elif not chunked:
            yield piece
        elif isinstance(piece, bytes):
            size, _, rest = piece.partition(b"\r\n")
            length = int(size.partition(b";")[0], 16)
            shot.fire()
            if length:
                held.append(rest[:length])
            else:
                yield from again(iter(held))
                held = []
                yield piece
        else:
            yield from again(iter(held))
            held = []
            yield piece


@freedom(
    "chunks-with-extensions",
    of="chunks",
    source="RFC 9112 7.1.1 and 7.1.2: extensions, trailers; sizes of any digits",
    stage="wire",
    when=api,
    turn=CHUNKS,
)
def chunks_with_extensions(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Sizes of chunks have noughts before them and capitals, an extension follows, and a trailer ends the body."""

    def extended(held: Iterator[bytes]) -> Iterator[bytes]:
        yield from (b'%06X;of="this; that"\r\n%b\r\n' % (len(data), data) for data in held)

    for piece in _rechunked(pieces, shot, extended):
        yield b"0\r\nX-Sum: 5\r\n\r\n" if piece == LAST_CHUNK else piece


@freedom(
    "stream-in-one-chunk",
    of="chunks",
    source="RFC 9112 7.1: a chunk is of any size",
    stage="wire",
    when=api,
    turn=CHUNKS,
)
def stream_in_one_chunk(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """All events come in one chunk."""
    return _rechunked(pieces, shot, lambda held: iter([chunk(data)] if (data := b"".join(held)) else ()))


@freedom(
    "chunks-cut-anywhere",
    of="chunks",
    source="RFC 9112 7.1: a chunk is of any size, and means nothing",
    stage="wire",
    when=api,
    turn=CHUNKS,
)
def chunks_cut_anywhere(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Chunks end within events, and within letters."""

    def cut(held: Iterator[bytes]) -> Iterator[bytes]:
        data = b"".join(held)
        yield from (chunk(data[n : n + 11]) for n in range(0, len(data), 11))

    return _rechunked(pieces, shot, cut)
