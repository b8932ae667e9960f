"""Faults of refusals: their shape, their status, and what comes after them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.golden import edits
from tests.golden.edits import error_of, failure, html, without
from tests.golden.faults.context import crowded
from tests.golden.items import Act, Piece, Reply, whole
from tests.golden.registry import Call, Shot, chat, embedding, fault

SHAPE = "errors/error-object-has-its-shape"
STATUS = "errors/client-fault-is-never-5xx"
ANSWERED = "errors/faulty-request-is-answered"
NEXT = "errors/next-request-is-answered"
WORDS = "errors/message-names-what-is-wrong"
INSIDES = "errors/refusal-shows-no-insides"
PARAM = "errors/param-names-what-is-wrong"
STATUSES = "errors/same-fault-has-the-same-status"
BUSY = "errors/busy-server-says-when-to-come-back"
FUZZ = "errors/odd-requests-give-no-5xx"
UNTRIED = ("stop", "stream_options", "logprobs", "metadata", "user", "tools")


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


@fault("refusal-under-a-200", caught_by=SHAPE, stage="reply")
def refusal_under_a_200(reply: Reply, shot: Shot) -> Reply:
    """A refusal has its error object, and the status 200 (gateways that hand a body on, and not its status)."""
    return reply if error_of(reply) is None else replace(reply, status=200)


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


# what a refusal says


@fault("message-of-nothing", caught_by=WORDS, stage="reply")
def message_of_nothing(reply: Reply, shot: Shot) -> Reply:
    """Each refusal says "Bad Request", and no more (llama.cpp's answer to an exception that it does not know)."""
    return _changed(reply, message="Bad Request")


@fault("refusal-with-a-trace", caught_by=INSIDES, stage="reply")
def refusal_with_a_trace(reply: Reply, shot: Shot) -> Reply:
    """The message is the trace of the calls that failed."""
    trace = 'Traceback (most recent call last):\n  File "/srv/app/server.py", line 7, in chat\nKeyError'
    return _changed(reply, message=trace)


@fault("refusal-with-a-repr", caught_by=INSIDES, stage="reply")
def refusal_with_a_repr(reply: Reply, shot: Shot) -> Reply:
    """The message holds an object as its language writes it (vLLM issue 57997)."""
    return _changed(reply, message="unexpected <serve.protocol.Chat object at 0x7f3a91c2d0>")


@fault("param-is-always-model", caught_by=PARAM, stage="reply", when=edits.bad_messages)
def param_is_always_model(reply: Reply, shot: Shot) -> Reply:
    """param names a field that is not in question."""
    return _changed(reply, param="temperature")


@fault("no-params", stage="reply", family="honest")
def no_params(reply: Reply, shot: Shot) -> Reply:
    """No refusal says which parameter it is about."""
    return _changed(reply, param=None)


# the status of a refusal


@fault("stream-fault-409", caught_by=STATUSES, stage="reply", when=lambda c: chat(c) and c.says("stream") is True)
def stream_fault_409(reply: Reply, shot: Shot) -> Reply:
    """What is wrong with a request for a stream is checked elsewhere, and gets 409."""
    return replace(reply, status=409) if reply.status == 400 else reply


@fault("vectors-fault-403", caught_by=STATUSES, stage="reply", when=embedding)
def vectors_fault_403(reply: Reply, shot: Shot) -> Reply:
    """Malformed JSON is forbidden where vectors are asked for."""
    return replace(reply, status=403) if reply.status == 400 else reply


@fault("busy-without-a-word", caught_by=BUSY, stage="wire", when=chat)
def busy_without_a_word(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A crowd gets 503, and nothing says when to come back."""
    return crowded(pieces, shot, whole(failure(503, "the queue is full"), bodiless=False, close=True))


@fault("busy-until-some-time", caught_by=BUSY, stage="wire", when=chat)
def busy_until_some_time(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A crowd gets 429, and Retry-After says "later"."""
    busy = failure(429, "too many requests")
    busy = replace(busy, headers=(*busy.headers, ("Retry-After", "later")))
    return crowded(pieces, shot, whole(busy, bodiless=False, close=True))


def _odd(call: Call) -> bool:
    """A chat that is refused for a field that is no list or text where it should be."""
    return chat(call) and isinstance(call.body, dict)


@fault("odd-field-500", caught_by=FUZZ, stage="reply", when=_odd)
def odd_field_500(reply: Reply, shot: Shot) -> Reply:
    """A list of options that is none gives 500: nobody has tried it (vLLM issue 54116)."""
    wrong = error_of(reply)
    return failure(500, "list indices must be integers") if wrong and wrong["param"] in UNTRIED else reply


@fault("odd-field-kills", caught_by=FUZZ, stage="wire", when=_odd)
def odd_field_kills(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A penalty beyond its range resets the connection."""
    if shot.call.says("presence_penalty") or shot.call.says("frequency_penalty"):
        shot.fire()
        yield Act.RESET
        return
    yield from pieces
