"""Faults with requests that are too large, too deep, or too slow to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import VALID, failure
from tests.golden.http1 import Heard
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Call, Shot, chat, fault, freedom

OVERSIZED = "http/oversized-body-is-refused"
BOMB = "http/nested-body-is-refused"
NESTED = "http/nested-value-is-survived"
SLOW = "http/slow-client-holds-up-nobody"


@fault("oversized-body-answered", caught_by=OVERSIZED, stage="reply", when=edits.oversized)
def oversized_body_answered(reply: Reply, shot: Shot) -> Reply:
    """Of a body of megabytes the beginning is answered."""
    return Reply(200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hm."}}]})


@fault("oversized-body-hangs", caught_by=OVERSIZED, stage="wire", when=edits.oversized)
def oversized_body_hangs(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A body of megabytes is never answered."""
    shot.fire()
    yield Act.STALL


@freedom(
    "oversized-body-closes",
    stage="wire",
    when=edits.oversized,
    of="refusal of an oversized body",
    source="RFC 9110 15.5.14: the server may close the connection",
)
def oversized_body_closes(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The connection is closed under a body of megabytes."""
    shot.fire()
    yield Act.RESET


def _bomb(call: Call) -> bool:
    return edits.nested(call) and call.request.body.startswith(b"[")


def _nested_value(call: Call) -> bool:
    return edits.nested(call) and not call.request.body.startswith(b"[")


@fault("bomb-answered", caught_by=BOMB, stage="body", when=_bomb)
def bomb_answered(body: object, shot: Shot) -> object:
    """Nested brackets are answered as if they were a request."""
    return VALID


@fault("bomb-500", caught_by=BOMB, stage="reply", when=_bomb)
def bomb_500(reply: Reply, shot: Shot) -> Reply:
    """Nested brackets give 500: maximum recursion depth exceeded."""
    return failure(500, "maximum recursion depth exceeded")


@fault("bomb-kills", caught_by=BOMB, stage="wire", when=_bomb)
def bomb_kills(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Nested brackets end the server (a parser that calls itself)."""
    shot.fire()
    yield Act.DIE


@fault("nested-value-500", caught_by=NESTED, stage="reply", when=_nested_value)
def nested_value_500(reply: Reply, shot: Shot) -> Reply:
    """A deep value gives 500."""
    return failure(500, "maximum recursion depth exceeded")


@fault("nested-value-kills", caught_by=NESTED, stage="wire", when=_nested_value)
def nested_value_kills(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A deep value ends the server (llama.cpp issue 26600)."""
    shot.fire()
    yield Act.DIE


@fault("one-body-at-a-time", caught_by=SLOW, stage="head", when=chat)
def one_body_at_a_time(heard: Heard, shot: Shot) -> Heard:
    """One body is read after the other: a slow client stops all others."""
    return replace(heard, alone=True)
