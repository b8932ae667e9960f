"""Faults of HTTP below the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import VALID, Json, api, failure, html, relabelled
from tests.golden.items import DONE, Act, Item, Piece, Reply
from tests.golden.registry import Shot, chat, fault, streaming
from tests.golden.validation import InsteadError

VALID_ANSWERED = "http/valid-request-is-answered"
JSON = "http/json-is-labelled-and-decodes"
LOST = "http/unknown-path-is-a-404-with-an-error-object"
MALFORMED = "http/malformed-json-is-a-400"
NO_OBJECT = "http/body-that-is-no-object-is-refused"
EMPTY = "http/empty-body-is-refused"
REUSE = "http/connection-is-reusable"
STATUS = "errors/client-fault-is-never-5xx"
SHAPE = "errors/error-object-has-its-shape"


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


def _lost(reply: Reply) -> bool:
    error = edits.error_of(reply)
    return error is not None and error["code"] == "not_found"


@fault("unknown-path-html", caught_by=LOST, stage="reply")
def unknown_path_html(reply: Reply, shot: Shot) -> Reply:
    """An unknown path gives an HTML page."""
    return html(404, "Not Found") if _lost(reply) else reply


@fault("unknown-path-200", caught_by=LOST, stage="reply")
def unknown_path_200(reply: Reply, shot: Shot) -> Reply:
    """An unknown path gives 200."""
    return Reply(200, {"status": "ok"}) if _lost(reply) else reply


@fault("unknown-path-empty", caught_by=LOST, stage="reply")
def unknown_path_empty(reply: Reply, shot: Shot) -> Reply:
    """An unknown path gives a 404 without a body."""
    return Reply(404, b"", ()) if _lost(reply) else reply


@fault("malformed-json-422", caught_by=SHAPE, stage="reply", when=edits.malformed)
def malformed_json_422(reply: Reply, shot: Shot) -> Reply:
    """Malformed JSON gives 422 with {"detail": [...]}, as an untamed web framework does."""
    return Reply(422, {"detail": [{"loc": ["body"], "msg": "JSON decode error", "type": "json_invalid"}]})


@fault("malformed-json-500", caught_by=MALFORMED, stage="reply", when=edits.malformed)
def malformed_json_500(reply: Reply, shot: Shot) -> Reply:
    """Malformed JSON gives 500."""
    return failure()


@fault("malformed-json-html", caught_by=SHAPE, stage="reply", when=edits.malformed)
def malformed_json_html(reply: Reply, shot: Shot) -> Reply:
    """Malformed JSON gives a 400 that is an HTML page."""
    return html(400, "Bad Request")


@fault("malformed-json-accepted", caught_by=MALFORMED, stage="body", when=edits.malformed)
def malformed_json_accepted(body: object, shot: Shot) -> object:
    """Malformed JSON is answered as if it were a request."""
    return VALID


@fault("non-object-accepted", caught_by=NO_OBJECT, stage="body", when=edits.no_object)
def non_object_accepted(body: object, shot: Shot) -> object:
    """A body that is a list, a string, a number or null is answered."""
    return VALID


@fault("non-object-500", caught_by=NO_OBJECT, stage="reply", when=edits.no_object)
def non_object_500(reply: Reply, shot: Shot) -> Reply:
    """A body that is no object gives 500."""
    return failure(message="'list' object has no attribute 'get'")


@fault("empty-body-accepted", caught_by=EMPTY, stage="body", when=edits.empty)
def empty_body_accepted(body: object, shot: Shot) -> object:
    """A request without a body is answered."""
    return VALID


@fault("empty-body-500", caught_by=EMPTY, stage="reply", when=edits.empty)
def empty_body_500(reply: Reply, shot: Shot) -> Reply:
    """A request without a body gives 500."""
    return failure()


@fault("empty-body-hangs", caught_by=EMPTY, stage="wire", when=edits.empty)
def empty_body_hangs(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A request without a body is never answered."""
    shot.fire()
    yield Act.STALL


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
