"""What is unusual and right: no rule may find anything on these; and honest refusals, which mean UNSUPPORTED."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tests.golden.edits import Json, api, each_choice, get, malformed, says, several
from tests.golden.items import DONE, Act, Item, Pause, Piece, Raw, Reply, event
from tests.golden.registry import Call, Shot, chat, fault, freedom, streaming
from tests.golden.validation import RefusedError

KEEPS = b"Connection: keep-alive\r\n"

TURN_S = 0.005
"""A request that stands in a queue looks so often whether it is its turn."""


def _rewritten(items: Iterator[Item], shot: Shot, before: bytes, old: bytes, new: bytes) -> Iterator[Item]:
    for item in items:
        if isinstance(item, (dict, Raw)):
            shot.fire()
            yield Raw(before + event(item).replace(old, new))
        else:
            yield item


@freedom(
    "crlf-events",
    stage="events",
    when=streaming,
    of="line ends",
    source="WHATWG HTML 9.2.5: CR LF, LF or CR",
    turn=50,
)
def crlf_events(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Lines of a stream end with CR LF."""
    return _rewritten(items, shot, b"", b"\n", b"\r\n")


@freedom(
    "cr-events",
    stage="events",
    when=streaming,
    of="line ends",
    source="WHATWG HTML 9.2.5: CR LF, LF or CR",
    turn=50,
)
def cr_events(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Lines of a stream end with CR."""
    return _rewritten(items, shot, b"", b"\n", b"\r")


@freedom(
    "no-space-after-data",
    stage="events",
    when=streaming,
    of="space after the colon",
    source="WHATWG HTML 9.2.6: one space is removed, if there is one",
    turn=35,
)
def no_space_after_data(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """No space follows "data:"."""
    return _rewritten(items, shot, b"", b"data: ", b"data:")


@freedom(
    "comment-pings",
    stage="events",
    when=streaming,
    of="lines between events",
    source="WHATWG HTML 9.2.6: a line that starts with a colon is ignored",
    turn=40,
)
def comment_pings(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A comment comes before each event."""
    return _rewritten(items, shot, b": ping\n\n", b"", b"")


@freedom(
    "event-ids",
    stage="events",
    when=streaming,
    of="lines between events",
    source="WHATWG HTML 9.2.6: the fields id and retry",
    turn=40,
)
def event_ids(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Events carry id and retry."""
    return _rewritten(items, shot, b"id: 7\nretry: 3000\n", b"", b"")


@freedom(
    "stream-in-one-delta",
    stage="events",
    when=streaming,
    of="deltas",
    source="OpenAPI document, stream: partial message deltas; nothing is said of where they are cut",
)
def stream_in_one_delta(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """All words of a stream come in one delta."""
    if several(shot.call) or shot.call.says("logprobs"):
        yield from items
        return
    words, first = "", None
    for item in items:
        if isinstance(item, dict) and item["choices"] and (word := item["choices"][0]["delta"].get("content")):
            words, first = words + word, first or item
            continue
        if first is not None and (item is DONE or isinstance(item, dict)):
            shot.fire()
            yield each_choice(first, lambda c, words=words: {**c, "delta": {"content": words}})
            first = None
        yield item


@freedom(
    "content-in-the-last-chunk",
    stage="chunk",
    of="last chunk",
    source="OpenAPI document, ChatCompletionStreamResponseDelta: content, in any chunk",
)
def content_in_the_last_chunk(body: Json, shot: Shot) -> Json:
    """The chunk that finishes carries an empty content."""
    return each_choice(body, lambda c: {**c, "delta": {"content": ""}} if c["finish_reason"] else c)


@freedom(
    "unknown-fields",
    stage=("whole", "chunk"),
    of="fields of bodies",
    source="OpenAPI document: no schema of an answer says additionalProperties: false",
)
def unknown_fields(body: Json, shot: Shot) -> Json:
    """Answers carry fields that the specification does not have."""
    return {**body, "timings": {**body.get("timings", {}), "predicted_ms": 1.5}, "x_groq": None}


@freedom(
    "constant-alias",
    stage=("whole", "chunk"),
    of="model name",
    source="OpenAPI document, model: the model used; a string",
)
def constant_alias(body: Json, shot: Shot) -> Json:
    """Answers call the model by the path of its file, all of them."""
    return {**body, "model": f"/models/{body['model']}.gguf"}


@freedom(
    "split-anywhere",
    stage="wire",
    when=chat,
    of="packets",
    source="RFC 9112 2.2: a message is a sequence of octets, however it is cut up",
    turn=90,
)
def split_anywhere(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Answers are sent in pieces of seven bytes."""
    shot.fire()
    for piece in pieces:
        if isinstance(piece, bytes):
            yield from (piece[n : n + 7] for n in range(0, len(piece), 7))
        else:
            yield piece


@freedom(
    "early-hints",
    stage="wire",
    when=chat,
    of="informational answers",
    source="RFC 9110 15.2: any number of 1xx before the answer; RFC 8297",
    turn=70,
)
def early_hints(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """An informational answer comes before the real one."""
    shot.fire()
    yield b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    yield from pieces


def _chats_or_tells(call: Call) -> bool:
    return chat(call) or get("/props")(call)


@freedom(
    "one-at-a-time",
    stage=("wire", "reply"),
    when=_chats_or_tells,
    of="slots",
    source="llama.cpp --parallel 1: the server answers in turn",
    turn=95,
)
def one_at_a_time(value: Reply | Iterator[Piece], shot: Shot) -> Reply | Iterator[Piece]:
    """One chat is answered at a time, in the order in which they come, and how many slots there are is not told."""
    if not isinstance(value, Reply):
        return _in_turn(value, shot) if chat(shot.call) else value
    if chat(shot.call) or not isinstance(value.payload, dict):
        return value
    return replace(value, payload={key: told for key, told in value.payload.items() if key != "total_slots"})


def _in_turn(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    queue: list[object] = shot.memory.setdefault("queue", [])
    ticket = object()
    queue.append(ticket)
    try:
        while queue[0] is not ticket:
            shot.fire()
            yield Pause(TURN_S)
        yield from pieces
    finally:
        queue.remove(ticket)


@freedom(
    "refuses-greedy-n",
    stage="body",
    when=several,
    of="greedy choices",
    source="vLLM: n must be 1 when using greedy sampling",
)
def refuses_greedy_n(body: Json, shot: Shot) -> Json:
    """n above 1 is refused with a 400 where the choices would all be the same: temperature 0."""
    if body.get("temperature") == 0:
        shot.fire()
        raise RefusedError("n must be 1 when using greedy sampling", param="n")
    return body


@freedom(
    "closes-each-connection",
    stage="wire",
    when=api,
    of="connection",
    source="RFC 9112 9.6: Connection: close",
    turn=5,
)
def closes_each_connection(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Each answer says Connection: close, and means it."""
    shot.fire()
    for piece in pieces:
        yield piece.replace(KEEPS, b"Connection: close\r\n") if isinstance(piece, bytes) else piece
    yield Act.CUT


@fault("without-a-date", stage="wire", when=api, family="honest")
def without_a_date(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """No answer has a Date header, as of a server without a clock."""
    shot.fire()
    for piece in pieces:
        yield re.sub(rb"Date: [^\r]+\r\n", b"", piece, count=1) if isinstance(piece, bytes) else piece


@freedom(
    "malformed-json-422-refused",
    stage="reply",
    when=malformed,
    of="status of malformed JSON",
    source="RFC 9110 15.5.21: 422; FastAPI answers so",
)
def malformed_json_422_refused(reply: Reply, shot: Shot) -> Reply:
    """Malformed JSON gives 422 with an error object; where it is read after all, there is nothing to refuse."""
    return replace(reply, status=422) if reply.status >= 400 else reply


@fault("lists-models-only", stage="reply", family="honest")
def lists_models_only(reply: Reply, shot: Shot) -> Reply:
    """There is no route for a single model: each id gives the 404 of an unknown path, as a web framework has it."""
    return Reply(404, {"detail": "Not Found"}) if shot.call.path.startswith("/v1/models/") else reply


@fault("refuses-n", stage="body", when=several, family="honest")
def refuses_n(body: Json, shot: Shot) -> Json:
    """n above 1 is refused with a 400."""
    shot.fire()
    raise RefusedError("n must be 1: this server gives one choice", param="n")


@fault("refuses-logprobs", stage="body", when=says("logprobs"), family="honest")
def refuses_logprobs(body: Json, shot: Shot) -> Json:
    """logprobs is refused with a 400."""
    shot.fire()
    raise RefusedError("logprobs is not supported", param="logprobs")
