"""Faults of a body against its head: shorter or longer than announced, cut, reset; and what is unusual and right."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator

from tests.golden.edits import api
from tests.golden.items import LAST_CHUNK, Act, Piece, chunk
from tests.golden.registry import Call, Shot, chat, fault, freedom

FRAMED = "http/body-is-what-its-head-announces"
LENGTH = re.compile(rb"Content-Length: (\d+)\r\n")
CLOSE = b"Connection: close\r\n"


def listed(call: Call) -> bool:
    return call.path == "/v1/models"


def _reframed(
    pieces: Iterator[Piece], shot: Shot, head: Callable[[bytes, int], bytes], body: Callable[[bytes], Iterator[Piece]]
) -> Iterator[Piece]:
    """A whole answer of a known length with another head and body; what has no length passes."""
    first = next(pieces)
    said = LENGTH.search(first) if isinstance(first, bytes) else None
    if not isinstance(first, bytes) or said is None:
        yield first
        yield from pieces
        return
    shot.fire()
    yield re.sub(rb"Connection: [^\r]*\r\n", CLOSE, head(first, int(said[1])))
    yield from body(b"".join(piece for piece in pieces if isinstance(piece, bytes)))
    yield Act.CUT


def _refused(pieces: Iterator[Piece]) -> tuple[Iterator[Piece], bool]:
    """The same pieces, and whether their status is a 4xx."""
    first = next(pieces)

    def again() -> Iterator[Piece]:
        yield first
        yield from pieces

    return again(), isinstance(first, bytes) and first.startswith(b"HTTP/1.1 4")


def _of_length(change: Callable[[int], int]) -> Callable[[bytes, int], bytes]:
    return lambda head, length: LENGTH.sub(b"Content-Length: %d\r\n" % change(length), head)


def _chunked(head: bytes, length: int) -> bytes:
    return LENGTH.sub(b"Transfer-Encoding: chunked\r\n", head)


def _gzipped(head: bytes, length: int) -> bytes:
    return LENGTH.sub(b"Content-Encoding: gzip\r\n", head)


@fault("refusal-a-byte-short", caught_by=FRAMED, stage="wire", when=api)
def refusal_a_byte_short(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The body of a refusal is a byte shorter than its Content-Length."""
    rest, refused = _refused(pieces)
    longer = _of_length(lambda n: n + 1)
    return _reframed(rest, shot, longer, lambda body: iter((body,))) if refused else rest


@fault("list-half", caught_by=FRAMED, stage="wire", when=listed)
def list_half(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Half of the list of models comes."""
    return _reframed(pieces, shot, lambda head, _: head, lambda body: iter((body[: len(body) // 2],)))


@fault("refusal-longer", caught_by=FRAMED, stage="wire", when=api)
def refusal_longer(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The body of a refusal is nine bytes longer than its Content-Length."""
    rest, refused = _refused(pieces)
    return _reframed(rest, shot, lambda head, _: head, lambda body: iter((body + b"\nand more",))) if refused else rest


@fault("refusal-reset", caught_by=FRAMED, stage="wire", when=api)
def refusal_reset(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The connection is reset after the head of a refusal."""
    rest, refused = _refused(pieces)
    return _reframed(rest, shot, lambda head, _: head, lambda _: iter((Act.RESET,))) if refused else rest


@fault("refusal-without-last-chunk", caught_by=FRAMED, stage="wire", when=api)
def refusal_without_last_chunk(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A refusal in chunks ends without the last one."""
    rest, refused = _refused(pieces)
    return _reframed(rest, shot, _chunked, lambda body: iter((chunk(body),))) if refused else rest


@fault("length-beside-chunks", caught_by=FRAMED, stage="wire", when=api)
def length_beside_chunks(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Answers in chunks have a Content-Length too, which is another one."""

    def both(head: bytes, length: int) -> bytes:
        return LENGTH.sub(b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (length // 2), head)

    return _reframed(pieces, shot, both, lambda body: iter((chunk(body), LAST_CHUNK)))


@fault("refusal-gzip-cut", caught_by=FRAMED, stage="wire", when=api)
def refusal_gzip_cut(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A refusal is gzipped, and its last bytes are missing."""
    rest, refused = _refused(pieces)
    return _reframed(rest, shot, _gzipped, lambda body: iter((gzip.compress(body)[:-6],))) if refused else rest


@freedom(
    "until-the-end",
    stage="wire",
    when=api,
    of="framing",
    source="RFC 9112 6.3: until the connection is closed",
    turn=1,
)
def until_the_end(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Answers have no length: the end of the connection is the end of the body."""
    return _reframed(pieces, shot, lambda head, _: LENGTH.sub(b"", head), lambda body: iter((body,)))


@freedom(
    "of-http-1-0",
    stage="wire",
    when=api,
    of="framing",
    source="RFC 9110 2.5: a server may answer with an older minor version",
    turn=1,
)
def of_http_1_0(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Answers are of HTTP/1.0, without a length."""

    def old(head: bytes, length: int) -> bytes:
        return LENGTH.sub(b"", head).replace(b"HTTP/1.1", b"HTTP/1.0", 1)

    return _reframed(pieces, shot, old, lambda body: iter((body,)))


@freedom(
    "whole-in-chunks",
    stage="wire",
    when=lambda call: api(call) and call.request.method != "HEAD",
    of="framing",
    source="RFC 9112 7.1: chunked, with extensions and trailers",
    turn=1,
)
def whole_in_chunks(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Answers that are no stream come in chunks too, with an extension and a trailer."""

    def cut(body: bytes) -> Iterator[Piece]:
        yield from (chunk(body[n : n + 30]) for n in range(0, len(body), 30))
        yield b"0;last=yes\r\nX-Checksum: 5\r\n\r\n"

    return _reframed(pieces, shot, _chunked, cut)


@freedom(
    "whole-gzipped",
    stage="wire",
    when=chat,
    of="framing",
    source="RFC 9110 8.4: Content-Encoding; a server may ignore Accept-Encoding",
    turn=1,
)
def whole_gzipped(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Answers that are no stream are gzipped, though nobody asked for it."""
    return _reframed(pieces, shot, _gzipped, lambda body: iter((gzip.compress(body),)))
