"""Faults with bodies of requests that are none, or that come in an unusual way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import VALID, failure, html
from tests.golden.http1 import Heard
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Shot, fault

MALFORMED = "http/malformed-json-is-a-400"
NO_OBJECT = "http/body-that-is-no-object-is-refused"
EMPTY = "http/empty-body-is-refused"
LABEL = "http/odd-label-is-refused-or-read"
CHUNKED = "http/chunked-body-is-read"
EXPECT = "http/expectation-is-met-at-once"
COMPRESSED = "http/compressed-body-is-read-or-a-415"
ODD = "http/odd-json-is-dealt-with"
SHAPE = "errors/error-object-has-its-shape"


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
