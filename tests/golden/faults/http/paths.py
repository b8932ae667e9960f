"""Faults of paths and methods, and of what browsers ask first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import failure, html
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Shot, chat, fault

LOST = "http/unknown-path-is-a-404-with-an-error-object"
BASE = "http/base-url-resolves"
METHOD = "http/wrong-method-is-refused"
HEADS = "http/head-and-options-are-no-error"
PREFLIGHT = "http/preflight-is-answered-without-a-key"
ORIGINS = "http/credentials-are-not-allowed-to-any-origin"


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


@fault("options-hang", caught_by=HEADS, stage="wire", when=edits.by("OPTIONS"))
def options_hang(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """OPTIONS is never answered: its handler waits for a body."""
    shot.fire()
    yield Act.STALL


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
