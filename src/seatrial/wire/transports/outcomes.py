"""What became of one request of a load, or of a canary: one word of a closed set, and never two."""

from __future__ import annotations

import msgspec

from seatrial.reading import fields
from seatrial.records import BUSY, OUR_ERROR
from seatrial.wire.transports.load import Stream

MEANINGS = {
    "ok": "a stream with an answer in it, ended by a terminator",
    "truncated": "the connection closed before the body's framing ended",
    "no_terminator": "a body that ended well, without [DONE], finish_reason or final usage: half an answer",
    "stall": "no byte for the idle time",
    "deadline": "not ended within the time a request may take",
    "reset": "the connection was reset, or closed before any answer",
    "refused": "nothing listened",
    "unreachable": "no connection: name, route, or a listener that does not accept",
    "tls": "no trusted connection",
    "not_http": "what came is no HTTP, or its framing is broken",
    "too_large": "more bytes than any answer needs",
    "busy": "429 or 503: the server asks to come later",
    "http_4xx": "a valid request refused",
    "http_5xx": "an error of the server",
    "http_other": "a redirect or another status that is no answer",
    "not_a_stream": "200, but no text/event-stream",
    "sse_error": "an error object inside a stream that began with 200",
    "malformed": "an event whose data is no chat chunk",
    "empty": "a terminated stream without a word in it",
    "cancelled": "cut by us: the load was told not to wait for it",
    OUR_ERROR: "not read to its end for an error of ours",
    "left": "our client left in the middle of the answer, as it was to",
    "declined": "an invalid request refused with a 4xx, as it must be",
    "accepted": "an invalid request answered with 200",
    "no_vectors": "200 to a request for embeddings, and no vectors in it",
}
OUTCOMES = frozenset(MEANINGS)

OF_ERRORS = {
    "refused": "refused",
    "unreachable": "unreachable",
    "tls": "tls",
    "reset": "reset",
    "deadline": "deadline",
    "idle": "stall",
    "too-large": "too_large",
    "not-http": "not_http",
    "left": "left",
}


def classify(s: Stream) -> str:
    """The outcome of a finished request.

    Any of [DONE], a finish_reason or a final usage ends a stream: servers are known that leave out one of them on
    complete answers. What goes wrong after [DONE] is a matter of framing (``sse/body-is-terminated``), not of the
    answer.
    """
    if s.status and s.status != 200:
        return _of_status(s.status)
    if s.reported:
        return "sse_error"
    if s.error and not s.done:
        return _of_error(s.error, begun=bool(s.status))
    return _of_stream(s)


def classify_vectors(s: Stream, body: bytes) -> str:
    """The outcome of a finished request for embeddings; reads the prompt's tokens from its usage.

    Args:
        body: the whole answer.
    """
    if (s.status and s.status != 200) or s.error:
        return classify(s)
    try:
        said = fields.mapping(msgspec.json.decode(body))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return "malformed"
    s.prompt_tokens = fields.counted(fields.mapping(said.get("usage")).get("prompt_tokens"))
    s.tokens = 0  # none is generated
    listed = fields.listing(said.get("data"))
    return "ok" if listed and all(fields.mapping(each).get("embedding") for each in listed) else "no_vectors"


def classify_invalid(s: Stream) -> str:
    """The outcome of a finished request that a server must refuse."""
    if s.status == 200:
        return "accepted"
    outcome = classify(s)
    return "declined" if outcome == "http_4xx" else outcome


def cut_by_us(s: Stream) -> str:
    """The outcome of a request that we ended: ``cancelled``, unless the server had spoilt its answer before that."""
    if s.status and s.status != 200:
        return _of_status(s.status)
    if s.reported:
        return "sse_error"
    if s.error in ("cut", "reset", "not-http", "too-large") and not s.done:
        return _of_error(s.error, begun=bool(s.status))
    return "malformed" if s.faults else "cancelled"


def _of_stream(s: Stream) -> str:
    if s.media_type != "text/event-stream":
        return "not_a_stream"
    if s.faults:
        return "malformed"
    if not (s.done or s.finish_reason or s.final_usage):
        return "no_terminator"
    return "ok" if s.deltas else "empty"


def _of_error(word: str, *, begun: bool) -> str:
    if word == "cut":
        return "truncated" if begun else "reset"
    return OF_ERRORS.get(word, "not_http")


def _of_status(status: int) -> str:
    if status in BUSY:
        return "busy"
    if 400 <= status < 500:
        return "http_4xx"
    return "http_5xx" if 500 <= status < 600 else "http_other"
