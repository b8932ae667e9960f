"""Faults with bodies of requests that are none, or that come in an unusual way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import VALID, Json, failure, html
from tests.golden.http1 import Heard
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Call, Shot, chat, fault, freedom

MALFORMED = "http/malformed-json-is-a-400"
NO_OBJECT = "http/body-that-is-no-object-is-refused"
EMPTY = "http/empty-body-is-refused"
LABEL = "http/odd-label-is-refused-or-read"
CHARSET = "http/json-with-a-charset-is-read"
SPELT = "http/label-is-read-in-any-spelling"
CHUNKED = "http/chunked-body-is-read"
EXPECT = "http/expectation-is-met-at-once"
COMPRESSED = "http/compressed-body-is-read-or-a-415"
ODD = "http/odd-json-is-dealt-with"
SHAPE = "errors/error-object-has-its-shape"


def _with_a_charset(call: Call) -> bool:
    """A chat whose label has a parameter."""
    return chat(call) and not edits.mislabelled(call) and ";" in edits.label(call)


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


@fault("odd-label-500", caught_by=LABEL, stage="reply", when=edits.mislabelled)
def odd_label_500(reply: Reply, shot: Shot) -> Reply:
    """A body that is not labelled as JSON gives 500 (vLLM before pull request 17664)."""
    return failure(500, "'NoneType' object has no attribute 'get'")


@fault("odd-label-unread", caught_by=LABEL, stage="reply", when=edits.mislabelled)
def odd_label_unread(reply: Reply, shot: Shot) -> Reply:
    """A body that is not labelled as JSON is not read, and answered with an empty object."""
    return Reply(200, {})


@fault("charset-refused", caught_by=CHARSET, stage="reply", when=_with_a_charset)
def charset_refused(reply: Reply, shot: Shot) -> Reply:
    """The label of a body is held against one text, and a charset makes it another (openai-openapi issue 194)."""
    return failure(415, "Unsupported Media Type: Only 'application/json' is allowed")


@fault("charset-unread", caught_by=CHARSET, stage="reply", when=_with_a_charset)
def charset_unread(reply: Reply, shot: Shot) -> Reply:
    """A body whose label has a parameter is not parsed, and is taken for a request without any field."""
    return failure(422, "model: field required")


@fault("label-of-small-letters", caught_by=SPELT, stage="reply", when=chat)
def label_of_small_letters(reply: Reply, shot: Shot) -> Reply:
    """The label of a body is looked for in small letters alone."""
    known = "application/json" in edits.label(shot.call) or edits.mislabelled(shot.call)
    return reply if known else failure(415, "Unsupported Media Type")


@freedom(
    "json-alone-is-read",
    of="other labels",
    source="RFC 9110 15.5.16: 415 for a format that is not supported",
    stage="reply",
    when=edits.mislabelled,
)
def json_alone_is_read(reply: Reply, shot: Shot) -> Reply:
    """A body that is not labelled as JSON is refused with a 415; how JSON's label is spelt is all one."""
    return failure(415, "Unsupported Media Type: application/json is read, and nothing else")


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


@fault("not-utf-8-500", caught_by=ODD, stage="reply", when=edits.not_utf8)
def not_utf8_500(reply: Reply, shot: Shot) -> Reply:
    """A body that is not UTF-8 gives 500: it is decoded where nobody catches it."""
    return failure(500, "'utf-8' codec can't decode byte 0xe9 in position 56: invalid continuation byte")


@freedom(
    "bytes-that-are-not-utf-8-replaced",
    of="bodies that are not UTF-8",
    source="RFC 8259 8.1: JSON is UTF-8; what a parser does with other bytes it leaves open",
    stage="body",
    when=edits.not_utf8,
)
def bytes_that_are_not_utf8_replaced(body: Json, shot: Shot) -> Json:
    """What is not UTF-8 in a body is read as U+FFFD, and the chat is answered."""
    told: Json = json.loads(shot.call.request.body.decode("utf-8", "replace"))
    return told
