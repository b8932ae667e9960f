"""What must not harm the client: keys echoed, pages, redirects, bombs, drips, and text that attacks its reader."""

from __future__ import annotations

import base64
import functools
import itertools
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.edits import Json, error_of, html
from tests.golden.items import Act, Item, Pause, Piece, Raw, Reply, event
from tests.golden.registry import Shot, chat, fault, streaming
from tests.golden.validation import InsteadError

SCHEMA = "schema/answer-validates"
JSON = "http/json-is-labelled-and-decodes"
NO_KEY = "no key was sent"
ENDS = "sse/done-comes-once-and-last"


def _key(shot: Shot) -> str:
    return shot.call.request.headers.get("authorization", "").partition(" ")[2].strip()


def _echoes(key: str) -> str:
    """A key plain, as JSON escapes it, and in base64 at its three alignments."""
    based = (base64.b64encode((before + key).encode()).decode() for before in ("", "a", "ab"))
    escaped = json.dumps(key)[1:-1].replace("/", "\\/")
    return " ".join((f"Your key is {key}, that is {escaped},", *based)) + "."


@fault("echo-key", stage=("draft", "reply"), family="hygiene")
def echo_key(value: Answer | Reply, shot: Shot) -> Answer | Reply:
    """The API key comes back: in answers (split over deltas), in messages of errors, in a header."""
    key = _key(shot)
    if not key:
        return value
    if isinstance(value, Answer):
        return replace(value, content=(*value.content, *tokens(" " + _echoes(key))))
    error = error_of(value)
    payload = value.payload if error is None else {"error": {**error, "message": f"{error['message']}: {_echoes(key)}"}}
    return replace(value, payload=payload, headers=(*value.headers, ("X-Debug-Authorization", f"Bearer {key}")))


@fault("echo-key-in-thoughts", stage="events", when=streaming, family="hygiene")
def echo_key_in_thoughts(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream begins with the API key, a character a delta, in turn in both fields that servers have for thoughts."""
    first = next(items)
    yield first
    if isinstance(first, dict):
        shot.fire()
        for field, c in zip(itertools.cycle(("reasoning_content", "reasoning")), _key(shot) or NO_KEY, strict=False):
            yield {**first, "choices": [{"index": 0, "delta": {field: c}, "logprobs": None, "finish_reason": None}]}
    yield from items


@fault("echo-key-in-bytes", caught_by="params/logprobs-are-given", stage=("whole", "chunk"), family="hygiene")
def echo_key_in_bytes(answer: dict[str, Any], shot: Shot) -> dict[str, Any]:
    """The bytes of a token are those of one half of the API key, then of the other; what the token says is right."""
    key = (_key(shot) or NO_KEY).encode()
    halves = shot.scratch.setdefault("halves", itertools.cycle((key[: len(key) // 2], key[len(key) // 2 :])))

    def other(token: dict[str, Any]) -> dict[str, Any]:
        return {**token, "bytes": list(next(halves))}

    def change(choice: dict[str, Any]) -> dict[str, Any]:
        told = choice.get("logprobs")
        return {**choice, "logprobs": {**told, "content": list(map(other, told["content"]))}} if told else choice

    if not any(choice.get("logprobs") for choice in answer.get("choices", ())):
        return answer
    return {**answer, "choices": list(map(change, answer["choices"]))}


@fault("html-error", caught_by=SCHEMA, stage="body", when=chat, family="hygiene")
def html_error(body: Json, shot: Shot) -> Json:
    """A valid chat request gets a gateway's page: 502."""
    shot.fire()
    raise InsteadError(html(502, "Bad Gateway"))


@fault("redirect", caught_by=SCHEMA, stage="body", when=chat, family="hygiene")
def redirect(body: Json, shot: Shot) -> Json:
    """A chat request is sent on to another host, key and all."""
    shot.fire()
    where = ("Location", f"http://elsewhere.invalid:9{shot.call.path}")
    raise InsteadError(replace(html(307, "Temporary Redirect"), headers=(("Content-Type", "text/html"), where)))


@fault("endless-stream", caught_by=ENDS, stage="events", when=streaming, family="hygiene")
def endless_stream(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream never ends: tokens for as long as anybody reads."""
    first = list(itertools.islice((item for item in items if isinstance(item, dict)), 2))
    shot.fire()
    yield from first
    for n in itertools.count(1):
        if n % 64 == 0:
            yield Pause(0.001)  # the flood leaves this machine some room
        if shot.call.told is not None:
            shot.truth.token(shot.call.told)
        yield first[-1]


@fault("gzip-bomb", caught_by=JSON, stage="reply", when=chat, family="hygiene")
def gzip_bomb(reply: Reply, shot: Shot) -> Reply:
    """An answer of a megabyte inflates to a gigabyte."""
    if reply.status != 200:
        return reply
    return Reply(200, _bomb(), (*reply.headers, ("Content-Encoding", "gzip")))


CHECKSUM = 0x9B415245
"""CRC-32 of 2^30 spaces and "{}"; to compute it would hold up all other answers for half a second."""


@functools.cache
def _bomb() -> bytes:
    """A gigabyte of spaces, gzipped: one deflated mebibyte, repeated."""
    spaces = b" " * 2**20
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = deflate.compress(spaces) + deflate.flush(zlib.Z_FULL_FLUSH)
    again = deflate.compress(spaces) + deflate.flush(zlib.Z_FULL_FLUSH)
    last = deflate.compress(b"{}") + deflate.flush()
    tail = CHECKSUM.to_bytes(4, "little") + (2**30 + 2).to_bytes(4, "little")
    return b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + first + again * 1023 + last + tail


@fault("huge-header", caught_by=SCHEMA, stage="wire", when=chat, family="hygiene")
def huge_header(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """A header of a gigabyte comes before the answer."""
    shot.fire()
    yield b"HTTP/1.1 200 OK\r\nX-Filler: "
    for _ in range(2**14):
        yield b"a" * 2**16
    yield b"\r\nContent-Length: 0\r\n\r\n"


@fault("slow-drip", caught_by=SCHEMA, stage="wire", when=chat, family="hygiene")
def slow_drip(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """An answer comes a byte a second, from its head on: never idle, never done."""
    shot.fire()
    for piece in pieces:
        if isinstance(piece, bytes):
            for n in range(len(piece)):
                yield piece[n : n + 1]
                yield Pause(1.0)
        else:
            yield piece


@fault("attacks-its-reader", stage="draft", when=chat, family="hygiene")
def attacks_its_reader(answer: Answer, shot: Shot) -> Answer:
    """The text holds terminal escapes, a script, Markdown and marks that turn the direction of writing."""
    return answer.then(
        " \x1b[2J\x1b]0;owned\x07\x9b31m <script>alert('owned')</script> <img src=x onerror=alert(1)> "
        "`|` ![x](http://elsewhere.invalid/x.png) \u202eright\u2066left\r\nSet-Cookie: a=b\r\n\0 end"
    )


INVALID = b'"content":"\xff\xc3\x28 '


@fault("broken-utf8", caught_by=JSON, stage=("reply", "events"), when=chat, family="hygiene")
def broken_utf8(value: Any, shot: Shot) -> Any:
    """Content holds bytes that are no UTF-8."""
    if isinstance(value, Reply):
        return replace(value, payload=value.body().replace(b'"content":"', INVALID)) if value.status == 200 else value
    return _broken_events(value, shot)


def _broken_events(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    for item in items:
        if isinstance(item, dict) and b'"content":"' in (data := event(item)):
            shot.fire()
            yield Raw(data.replace(b'"content":"', INVALID))
        else:
            yield item


@fault("nested-bomb", caught_by=JSON, stage=("reply", "events"), when=chat, family="hygiene")
def nested_bomb(value: Any, shot: Shot) -> Any:
    """JSON is nested a hundred thousand levels deep."""
    nested = b"[" * 100_000 + b"]" * 100_000
    if isinstance(value, Reply):
        return replace(value, payload=nested) if value.status == 200 else value
    return _nested_events(value, shot, nested)


def _nested_events(items: Iterator[Item], shot: Shot, nested: bytes) -> Iterator[Item]:
    shot.fire()
    yield next(items)
    yield Raw(b"data: " + nested + b"\n\n")
    yield from items


@fault("not-http", caught_by=SCHEMA, stage="wire", when=chat, family="hygiene")
def not_http(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """What answers is no HTTP."""
    shot.fire()
    yield b"SSH-2.0-OpenSSH_9.2p1\r\n"
    yield Act.CUT
