"""Faults of answers as HTTP has them: that there is one, its label, and its connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Never

from tests.golden import edits
from tests.golden.edits import Json, api, failure, relabelled
from tests.golden.faults.sse import has_token
from tests.golden.items import DONE, Act, Item, Piece, Reply
from tests.golden.registry import Call, Shot, chat, fault, streaming
from tests.golden.validation import InsteadError

VALID_ANSWERED = "http/valid-request-is-answered"
JSON = "http/json-is-labelled-and-decodes"
REUSE = "http/connection-is-reusable"
HOTTEST = 2


@fault("one-token-refused", caught_by=VALID_ANSWERED, stage="body", when=edits.says("max_tokens"))
def one_token_refused(body: Json, shot: Shot) -> Json:
    """A chat of at most one token is refused with 400."""
    if body.get("max_tokens") != 1:
        return body
    shot.fire()
    raise InsteadError(failure(400, "max_tokens must be at least 2"))


@fault("chat-reset", caught_by=VALID_ANSWERED, stage="wire", when=chat)
def chat_reset(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The connection of each chat is reset in place of an answer."""
    shot.fire()
    yield Act.RESET


@fault(
    "temperature-zero-refused",
    caught_by=VALID_ANSWERED,
    stage="body",
    when=lambda call: chat(call) and call.says("temperature") == 0,
)
def temperature_zero_refused(body: Any, shot: Shot) -> Never:
    """A temperature of 0 is refused: it must be strictly positive (TGI)."""
    shot.fire()
    error = {"message": "temperature must be strictly positive", "type": "validation", "param": "temperature"}
    raise InsteadError(Reply(422, {"error": error}))


def _hot(call: Call) -> bool:
    """A chat of a temperature that is high, and within its range."""
    heat = call.says("temperature")
    return chat(call) and isinstance(heat, (int, float)) and 1 < heat <= HOTTEST


@fault("temperature-above-one-refused", caught_by=VALID_ANSWERED, stage="body", when=_hot)
def temperature_above_one_refused(body: Any, shot: Shot) -> Never:
    """A temperature above 1 is refused, as by another vendor's API behind a bridge, whose range is 0 to 1."""
    shot.fire()
    raise InsteadError(failure(400, "temperature: range: 0..1"))


@fault("error-in-a-200", caught_by=VALID_ANSWERED, stage="reply", when=chat)
def error_in_a_200(reply: Reply, shot: Shot) -> Reply:
    """An error stands where the answer belongs, with status 200, as gateways pass on what their backend said."""
    return replace(failure(message="upstream is gone"), status=200) if reply.status == 200 else reply


@fault("error-for-a-stream", caught_by=VALID_ANSWERED, stage="events", when=streaming)
def error_for_a_stream(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream is one event with an error, and ends in order."""
    shot.fire()
    yield {"error": {"message": "upstream is gone", "type": "server_error", "param": None, "code": None}}
    yield DONE


@fault("failure-in-mid-stream", caught_by=VALID_ANSWERED, stage="events", when=streaming)
def failure_in_mid_stream(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream fails after a few words, and says so as it should (vLLM's EngineDeadError, out of memory)."""
    for item in items:
        yield item
        shot.scratch["told"] = shot.scratch.get("told", 0) + has_token(item)
        if shot.scratch["told"] == 2:
            yield from error_for_a_stream(items, shot)
            return


@fault("error-behind-the-end", caught_by=VALID_ANSWERED, stage="events", when=streaming)
def error_behind_the_end(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A whole stream has an error before its [DONE]: what is to be done after an answer fails."""
    for item in items:
        if item is DONE:
            yield from error_for_a_stream(items, shot)
            return
        yield item


@fault("json-as-text", caught_by=JSON, stage="reply", when=api)
def json_as_text(reply: Reply, shot: Shot) -> Reply:
    """JSON answers are labelled text/plain."""
    return relabelled(reply, "text/plain") if reply.status == 200 else reply


@fault("json-unlabelled", caught_by=JSON, stage="reply", when=api)
def json_unlabelled(reply: Reply, shot: Shot) -> Reply:
    """JSON answers carry no Content-Type."""
    return relabelled(reply, None) if reply.status == 200 else reply


@fault("json-truncated", caught_by=JSON, stage="reply", when=api)
def json_truncated(reply: Reply, shot: Shot) -> Reply:
    """The JSON of an answer lacks its last brace, with a length that fits."""
    return replace(reply, payload=reply.body()[:-1]) if reply.status == 200 else reply


@fault("json-with-nan", caught_by=JSON, stage="reply", when=chat)
def json_with_nan(reply: Reply, shot: Shot) -> Reply:
    """A number of the answer is NaN, which JSON does not have."""
    return replace(reply, payload=reply.body()[:-1] + b',"score":NaN}') if reply.status == 200 else reply


@fault("closes-after-refusal", caught_by=REUSE, stage="wire", when=api)
def closes_after_refusal(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The connection ends after a 4xx that promised to keep it."""
    first = next(pieces)
    yield first
    yield from pieces
    if isinstance(first, bytes) and first.startswith(b"HTTP/1.1 4") and shot.call.request.keep_alive:
        shot.fire()
        yield Act.CUT


@fault("closes-after-stream", caught_by=REUSE, stage="wire", when=streaming)
def closes_after_stream(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The connection ends after a stream that promised to keep it."""
    yield from pieces
    if shot.call.request.keep_alive:
        shot.fire()
        yield Act.CUT


@fault("stray-bytes-between-answers", caught_by=REUSE, stage="wire", when=api)
def stray_bytes(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Bytes that belong to no answer follow each answer on a kept connection."""
    yield from pieces
    if shot.call.request.keep_alive:
        shot.fire()
        yield b"0\r\n\r\nstray"
