"""Faults of HTTP below the API."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import VALID, Json, api, failure, html, relabelled
from tests.golden.http1 import Heard
from tests.golden.items import DONE, Act, Item, Piece, Reply, chunk
from tests.golden.registry import Call, Shot, chat, fault, freedom, streaming
from tests.golden.validation import InsteadError

VALID_ANSWERED = "http/valid-request-is-answered"
JSON = "http/json-is-labelled-and-decodes"
LOST = "http/unknown-path-is-a-404-with-an-error-object"
MALFORMED = "http/malformed-json-is-a-400"
NO_OBJECT = "http/body-that-is-no-object-is-refused"
EMPTY = "http/empty-body-is-refused"
REUSE = "http/connection-is-reusable"
BASE = "http/base-url-resolves"
METHOD = "http/wrong-method-is-refused"
HEADS = "http/head-and-options-are-no-error"
PREFLIGHT = "http/preflight-is-answered-without-a-key"
ORIGINS = "http/credentials-are-not-allowed-to-any-origin"
LABEL = "http/odd-label-is-refused-or-read"
CHUNKED = "http/chunked-body-is-read"
EXPECT = "http/expectation-is-met-at-once"
COMPRESSED = "http/compressed-body-is-read-or-a-415"
ODD = "http/odd-json-is-dealt-with"
OVERSIZED = "http/oversized-body-is-refused"
BOMB = "http/nested-body-is-refused"
NESTED = "http/nested-value-is-survived"
SLOW = "http/slow-client-holds-up-nobody"
CODED = "http/coding-is-one-that-was-accepted"
HELD_BACK = "http/coded-stream-is-not-held-back"
REQUEST_ID = "http/each-answer-has-its-request-id"
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


# paths and methods


@fault("no-list-below-the-base", caught_by=BASE, stage="reply", when=edits.get("/v1/models"))
def no_list_below_the_base(reply: Reply, shot: Shot) -> Reply:
    """There is no list of models below the base URL."""
    return replace(failure(404, "Not Found"), status=404)


@fault("a-page-for-every-path", caught_by=BASE, stage="reply", when=chat)
def a_page_for_every_path(reply: Reply, shot: Shot) -> Reply:
    """A web interface answers each path below the base URL with its page."""
    return html(200, "OK") if reply.status == 200 else reply


@fault("wrong-method-answered", caught_by=METHOD, stage="reply")
def wrong_method_answered(reply: Reply, shot: Shot) -> Reply:
    """GET of the chats gives the page of a web interface."""
    return html(200, "Playground") if reply.status == 405 else reply


@fault("wrong-method-500", caught_by=METHOD, stage="reply")
def wrong_method_500(reply: Reply, shot: Shot) -> Reply:
    """A wrong method gives 500."""
    return failure() if reply.status == 405 else reply


@fault("head-500", caught_by=HEADS, stage="reply", when=edits.by("HEAD"))
def head_500(reply: Reply, shot: Shot) -> Reply:
    """HEAD gives 500: a handler that knows GET alone."""
    return failure(500, "method HEAD is not handled")


@fault("options-500", caught_by=HEADS, stage="reply", when=edits.by("OPTIONS"))
def options_500(reply: Reply, shot: Shot) -> Reply:
    """OPTIONS gives 500: the body that it lacks is read."""
    return failure(500, "unexpected end of JSON input")


@fault("preflight-needs-a-key", caught_by=PREFLIGHT, stage="reply", when=edits.by("OPTIONS"))
def preflight_needs_a_key(reply: Reply, shot: Shot) -> Reply:
    """The guard of keys stands before CORS: a preflight gets 401."""
    return replace(failure(401, "a valid API key is needed"), headers=reply.headers)


@fault("preflight-without-the-header-of-keys", caught_by=PREFLIGHT, stage="reply", when=edits.by("OPTIONS"))
def preflight_without_the_header_of_keys(reply: Reply, shot: Shot) -> Reply:
    """A preflight allows any header by a star, which does not stand for Authorization."""
    star = ("Access-Control-Allow-Headers", "*")
    return replace(reply, headers=tuple(star if name == star[0] else (name, value) for name, value in reply.headers))


@fault("no-cors", stage="reply", when=edits.by("OPTIONS"), family="honest")
def no_cors(reply: Reply, shot: Shot) -> Reply:
    """A server without CORS answers a preflight with 405."""
    return failure(405, "OPTIONS is not served")


@fault("credentials-for-any-origin", caught_by=ORIGINS, stage="reply", when=edits.foreign)
def credentials_for_any_origin(reply: Reply, shot: Shot) -> Reply:
    """Whatever origin asks is named back, with credentials (llama.cpp test_cors_options asserts it)."""
    kept = tuple(pair for pair in reply.headers if pair[0] != "Access-Control-Allow-Origin")
    origin = ("Access-Control-Allow-Origin", shot.call.request.headers["origin"])
    return replace(reply, headers=(*kept, origin, ("Access-Control-Allow-Credentials", "true")))


# bodies that come in an unusual way


@fault("odd-label-500", caught_by=LABEL, stage="reply", when=edits.mislabelled)
def odd_label_500(reply: Reply, shot: Shot) -> Reply:
    """A body that is not labelled as JSON gives 500 (vLLM before pull request 17664)."""
    return failure(500, "'NoneType' object has no attribute 'get'")


@fault("odd-label-unread", caught_by=LABEL, stage="reply", when=edits.mislabelled)
def odd_label_unread(reply: Reply, shot: Shot) -> Reply:
    """A body that is not labelled as JSON is not read, and answered with an empty object."""
    return Reply(200, {})


@fault("chunked-body-unread", caught_by=CHUNKED, stage="reply", when=edits.heads("transfer-encoding"))
def chunked_body_unread(reply: Reply, shot: Shot) -> Reply:
    """A body without a length before it is taken for an empty one."""
    return failure(400, "the body is empty")


@fault("chunked-body-needs-a-length", stage="reply", when=edits.heads("transfer-encoding"), family="honest")
def chunked_body_needs_a_length(reply: Reply, shot: Shot) -> Reply:
    """A body in chunks is declined with 411."""
    return failure(411, "Content-Length is needed")


@fault("expectation-unheard", caught_by=EXPECT, stage="head", when=edits.heads("expect"))
def expectation_unheard(heard: Heard, shot: Shot) -> Heard:
    """No word comes before the body."""
    return replace(heard, interim=b"")


@fault("compressed-body-is-broken-json", caught_by=COMPRESSED, stage="reply", when=edits.heads("content-encoding"))
def compressed_body_is_broken_json(reply: Reply, shot: Shot) -> Reply:
    """A compressed body is parsed as it came."""
    return failure(400, "Expecting value: line 1 column 1 (char 0)") if reply.status == 415 else reply


@fault("odd-json-by-chance", caught_by=ODD, stage="reply", when=edits.odd_json)
def odd_json_by_chance(reply: Reply, shot: Shot) -> Reply:
    """Of two parsers, one a worker, the second refuses what the first takes."""
    shot.memory["n"] = shot.memory.get("n", 0) + 1
    return failure(400, "duplicate key") if shot.memory["n"] % 2 and reply.status == 200 else reply


@fault("surrogate-500", caught_by=ODD, stage="reply", when=edits.odd_json)
def surrogate_500(reply: Reply, shot: Shot) -> Reply:
    """A lone surrogate gives 500: it cannot be encoded."""
    return failure() if b"\\ud800" in shot.call.request.body else reply


# sizes


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


# coding


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
