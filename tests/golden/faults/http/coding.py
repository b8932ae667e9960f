"""Faults of what is said in the head of an answer: its coding, its id."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import api
from tests.golden.items import Piece, Reply, chunk
from tests.golden.registry import Shot, chat, fault

CODED = "http/coding-is-one-that-was-accepted"
HELD_BACK = "http/coded-stream-is-not-held-back"
REQUEST_ID = "http/each-answer-has-its-request-id"


@fault("coded-unasked", caught_by=CODED, stage="reply", when=chat)
def coded_unasked(reply: Reply, shot: Shot) -> Reply:
    """Answers are deflated whatever the client takes."""
    if reply.status != 200:
        return reply
    headers = (*reply.headers, ("Content-Encoding", "deflate"))
    return replace(reply, payload=zlib.compress(reply.body()), headers=headers)


@fault("coded-stream-held-back", caught_by=HELD_BACK, stage="wire", when=edits.takes_gzip)
def coded_stream_held_back(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A gateway compresses a stream as a whole."""
    head, *rest = [piece for piece in pieces if isinstance(piece, bytes)]
    events = b"".join(piece.partition(b"\r\n")[2].removesuffix(b"\r\n") for piece in rest[:-1])
    shot.fire()
    yield head.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    yield chunk(gzip.compress(events, mtime=0)) + rest[-1]


@fault("request-ids-of-the-process", caught_by=REQUEST_ID, stage="wire", when=api)
def request_ids_of_the_process(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """x-request-id is the id of the worker: the same on each answer."""
    shot.fire()
    for piece in pieces:
        yield re.sub(rb"X-Request-Id: \w+", b"X-Request-Id: worker-1", piece) if isinstance(piece, bytes) else piece


@fault("no-request-ids", stage="wire", when=api, family="honest")
def no_request_ids(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Answers have no x-request-id."""
    shot.fire()
    for piece in pieces:
        yield re.sub(rb"X-Request-Id: \w+\r\n", b"", piece) if isinstance(piece, bytes) else piece
