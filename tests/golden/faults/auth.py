"""Faults of who is let in. A server that asks for no key has none of them, but for the last."""

from __future__ import annotations

from dataclasses import replace

from tests.golden import edits
from tests.golden.edits import api, failure, html
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, embedding, fault, freedom

MISSING = "auth/missing-key-is-a-401"
WRONG = "auth/wrong-key-is-a-401"
ODD = "auth/odd-authorization-is-refused"
CASE = "auth/scheme-is-read-in-any-case"
REPEATED = "auth/key-is-not-repeated"
GUARDED = "auth/every-route-that-infers-is-guarded"
ANY = "auth/any-key-is-taken"


def _given(call: Call) -> str:
    return call.request.headers.get("authorization", "")


def _none(call: Call) -> bool:
    return chat(call) and not _given(call)


def _some(call: Call) -> bool:
    return chat(call) and _given(call).startswith("Bearer ")


def _key(call: Call) -> str:
    return _given(call).partition(" ")[2].strip()


def _refused(reply: Reply) -> bool:
    return reply.status == 401


@fault("nobody-needs-a-key", caught_by=MISSING, stage="door", when=_none)
def nobody_needs_a_key(allowed: bool, shot: Shot) -> bool:
    """A key that is sent is looked at, and who sends none is let in."""
    return True


@fault("missing-key-403", caught_by=MISSING, stage="reply", when=_none)
def missing_key_403(reply: Reply, shot: Shot) -> Reply:
    """A chat without a key gets 403 with an error object, as FastAPI's HTTPBearer had it until its version 0.122."""
    return replace(reply, status=403) if _refused(reply) else reply


@fault("missing-key-unshaped", caught_by=MISSING, stage="reply", when=_none)
def missing_key_unshaped(reply: Reply, shot: Shot) -> Reply:
    """A chat without a key gets 401 with {"detail": "Not authenticated"}, as FastAPI has it."""
    return Reply(401, {"detail": "Not authenticated"}) if _refused(reply) else reply


@fault("keys-refused-in-a-word", caught_by=MISSING, stage="reply", when=api)
def keys_refused_in_a_word(reply: Reply, shot: Shot) -> Reply:
    """Whoever has no good key gets 401 and the text "Unauthorized", as nginx and many gateways have it."""
    return Reply(401, b"Unauthorized", (("Content-Type", "text/plain"),)) if _refused(reply) else reply


def _to_a_login(reply: Reply) -> Reply:
    return Reply(302, b"", (("Location", "/login?next=/v1/chat/completions"),)) if _refused(reply) else reply


@fault("missing-key-to-a-login", caught_by=MISSING, stage="reply", when=_none)
def missing_key_to_a_login(reply: Reply, shot: Shot) -> Reply:
    """A chat without a key is sent to a login page, as a gateway with a sign-in for people has it."""
    return _to_a_login(reply)


@fault("any-key-passes", caught_by=WRONG, stage="door", when=_some)
def any_key_passes(allowed: bool, shot: Shot) -> bool:
    """Who sends any key is let in: that there is one is all that is looked at."""
    return True


@fault("key-in-part-passes", caught_by=WRONG, stage="door", when=_some)
def key_in_part_passes(allowed: bool, shot: Shot) -> bool:
    """A key is compared as far as the one that is sent goes: a beginning of it is let in."""
    return bool(_key(shot.call)) and shot.call.key.startswith(_key(shot.call))


@fault("key-with-more-passes", caught_by=WRONG, stage="door", when=_some)
def key_with_more_passes(allowed: bool, shot: Shot) -> bool:
    """A key is compared up to a length, as bcrypt does with what is longer than 72 bytes: what follows it is let in."""
    return _key(shot.call).startswith(shot.call.key)


@freedom(
    "a-key-shown-in-part",
    of="what the refusal of a key says",
    source="OpenAI's API: Incorrect API key provided: sk-ab****wxyz",
    stage="reply",
    when=_some,
)
def a_key_shown_in_part(reply: Reply, shot: Shot) -> Reply:
    """The refusal of a key shows its two ends, as OpenAI's does."""
    error = edits.error_of(reply)
    if error is None or not _refused(reply):
        return reply
    shown = f"{_key(shot.call)[:3]}{'*' * 8}{_key(shot.call)[-4:]}"
    return replace(reply, payload={"error": {**error, "message": f"Incorrect API key provided: {shown}"}})


@fault("wrong-key-a-page", caught_by=WRONG, stage="reply", when=_some)
def wrong_key_a_page(reply: Reply, shot: Shot) -> Reply:
    """A chat with a wrong key gets a gateway's page: 401 in HTML."""
    return html(401, "Authorization Required") if _refused(reply) else reply


@fault("wrong-key-to-a-login", caught_by=WRONG, stage="reply", when=_some)
def wrong_key_to_a_login(reply: Reply, shot: Shot) -> Reply:
    """A chat with a wrong key is sent to a login page."""
    return _to_a_login(reply)


@fault("odd-scheme-500", caught_by=ODD, stage="reply", when=lambda call: chat(call) and _given(call) == "Bearer")
def odd_scheme_500(reply: Reply, shot: Shot) -> Reply:
    """A scheme without a key gives 500: it is split in two, and there is no second part."""
    return failure(message="list index out of range") if _refused(reply) else reply


@fault("scheme-by-its-case", caught_by=CASE, stage="door", when=chat)
def scheme_by_its_case(allowed: bool, shot: Shot) -> bool:
    """The scheme has to be "Bearer" letter by letter, as llama.cpp has it."""
    return False if allowed and not _given(shot.call).startswith("Bearer ") else allowed


@fault("wrong-key-repeated", caught_by=REPEATED, stage="reply", when=_some)
def wrong_key_repeated(reply: Reply, shot: Shot) -> Reply:
    """The refusal of a wrong key says the key."""
    error = edits.error_of(reply)
    if error is None or not _refused(reply):
        return reply
    given = _given(shot.call).partition(" ")[2]
    return replace(reply, payload={"error": {**error, "message": f"Incorrect API key provided: {given}"}})


@fault("one-route-unguarded", caught_by=GUARDED, stage="door", when=lambda call: call.path == "/invocations")
def one_route_unguarded(allowed: bool, shot: Shot) -> bool:
    """A route beside /v1 answers without the key, as vLLM's /invocations does (58144)."""
    return True


@fault("vectors-unguarded", caught_by=GUARDED, stage="door", when=embedding)
def vectors_unguarded(allowed: bool, shot: Shot) -> bool:
    """Vectors are given without the key: their router was added later, without the guard."""
    return True


def _beside_the_api(call: Call) -> bool:
    return call.request.method == "POST" and not call.path.startswith("/v1/")


@freedom(
    "a-redirect-beside-the-api",
    of="routes beside the API without a key",
    source="RFC 9110 15.4.8: it names another address, and lets nobody in; Starlette's redirect_slashes",
    stage="reply",
    when=_beside_the_api,
)
def a_redirect_beside_the_api(reply: Reply, shot: Shot) -> Reply:
    """Beside the API every path wants a slash at its end, before anybody looks for a key."""
    where = (("Location", f"{shot.call.path}/"),)
    return Reply(307, b"", where) if reply.status in {401, 404} else reply


@fault("refuses-any-key", caught_by=ANY, stage="reply", when=_some)
def refuses_any_key(reply: Reply, shot: Shot) -> Reply:
    """A server that asks for no key turns away who sends one."""
    return failure(401, "no keys are configured") if reply.status == 200 else reply


@fault("any-key-400", caught_by=ANY, stage="reply", when=lambda call: chat(call) and bool(_given(call)))
def any_key_400(reply: Reply, shot: Shot) -> Reply:
    """A server that asks for no key refuses an Authorization header with 400."""
    return failure(400, "this header is not allowed: Authorization") if reply.status == 200 else reply
