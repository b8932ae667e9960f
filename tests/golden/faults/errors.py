"""Faults of refusals: their shape, their status, and what comes after them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.golden import edits
from tests.golden.edits import error_of, failure, html, without
from tests.golden.items import Act, Piece, Reply, whole
from tests.golden.registry import Shot, chat, fault

SHAPE = "errors/error-object-has-its-shape"
STATUS = "errors/client-fault-is-never-5xx"
ANSWERED = "errors/faulty-request-is-answered"
NEXT = "errors/next-request-is-answered"


def _changed(reply: Reply, *dropped: str, **changes: Any) -> Reply:
    error = error_of(reply)
    return reply if error is None else replace(reply, payload={"error": without({**error, **changes}, *dropped)})


@fault("error-as-detail", caught_by=SHAPE, stage="reply")
def error_as_detail(reply: Reply, shot: Shot) -> Reply:
    """A refusal is {"detail": "..."}."""
    error = error_of(reply)
    return reply if error is None else replace(reply, payload={"detail": error["message"]})


@fault("error-a-string", caught_by=SHAPE, stage="reply")
def error_a_string(reply: Reply, shot: Shot) -> Reply:
    """A refusal is {"error": "..."}."""
    error = error_of(reply)
    return reply if error is None else replace(reply, payload={"error": error["message"]})


@fault("error-not-nested", caught_by=SHAPE, stage="reply")
def error_not_nested(reply: Reply, shot: Shot) -> Reply:
    """The fields of the error object stand at the top."""
    error = error_of(reply)
    return reply if error is None else replace(reply, payload={"object": "error", **error})


@fault("error-without-message", caught_by=SHAPE, stage="reply")
def error_without_message(reply: Reply, shot: Shot) -> Reply:
    """The error object has no message."""
    return _changed(reply, "message")


@fault("error-without-type", caught_by=SHAPE, stage="reply")
def error_without_type(reply: Reply, shot: Shot) -> Reply:
    """The error object has no type."""
    return _changed(reply, "type")


@fault("error-as-html", caught_by=SHAPE, stage="reply")
def error_as_html(reply: Reply, shot: Shot) -> Reply:
    """A refusal is an HTML page."""
    return html(reply.status, "Bad Request") if error_of(reply) is not None else reply


@fault("error-without-body", caught_by=SHAPE, stage="reply")
def error_without_body(reply: Reply, shot: Shot) -> Reply:
    """A refusal has no body."""
    return Reply(reply.status, b"", ()) if error_of(reply) is not None else reply


@fault("error-without-param", caught_by=SHAPE, stage="reply", strict=True)
def error_without_param(reply: Reply, shot: Shot) -> Reply:
    """The error object has no param."""
    return _changed(reply, "param")


@fault("error-code-a-number", caught_by=SHAPE, stage="reply", strict=True)
def error_code_a_number(reply: Reply, shot: Shot) -> Reply:
    """The error object's code is the HTTP status."""
    return _changed(reply, code=reply.status)


@fault("client-fault-500", caught_by=STATUS, stage="reply")
def client_fault_500(reply: Reply, shot: Shot) -> Reply:
    """What the client did wrong is answered with 500."""
    return replace(reply, status=500) if error_of(reply) is not None and reply.status < 500 else reply


@fault("client-fault-502", caught_by=STATUS, stage="reply", when=chat)
def client_fault_502(reply: Reply, shot: Shot) -> Reply:
    """A refused chat request is answered by a gateway's page: 502."""
    return html(502, "Bad Gateway") if error_of(reply) is not None and reply.status < 500 else reply


def _after_refusal(first: Piece, shot: Shot) -> bool:
    """Whether this good chat request follows a refused one."""
    before = shot.memory.get("refused", False)
    shot.memory["refused"] = isinstance(first, bytes) and first.startswith(b"HTTP/1.1 4")
    return before and not shot.memory["refused"]


@fault("faulty-reset", caught_by=ANSWERED, stage="wire", when=edits.bad_messages)
def faulty_reset(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The connection of a request with bad messages is reset in place of an answer."""
    shot.fire()
    yield Act.RESET


@fault("fails-after-a-refusal", caught_by=NEXT, stage="wire", when=chat)
def fails_after_a_refusal(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The chat request after a refused one gets 500."""
    first = next(pieces)
    if _after_refusal(first, shot):
        shot.fire()
        yield from whole(failure(message="the worker is being restarted"), bodiless=False, close=True)
        yield Act.CUT
        return
    yield first
    yield from pieces


@fault("unanswered-after-a-refusal", caught_by=NEXT, stage="wire", when=chat)
def unanswered_after_a_refusal(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The chat request after a refused one is never answered."""
    first = next(pieces)
    if _after_refusal(first, shot):
        shot.fire()
        yield Act.STALL
        return
    yield first
    yield from pieces
