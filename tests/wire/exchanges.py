"""Answers put together from their parts, and what assembly makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from seatrial.records import Exchange, Received
from seatrial.wire.decoding.assemble import assemble

REQUEST = b'POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nX-A: b: c\r\nContent-Length: 7\r\n\r\n{"a":1}'
JSON_TYPE = b"Content-Type: application/json\r\n"
GZIP = b"Content-Encoding: gzip\r\n"
STREAM_TYPE = b"Content-Type: text/event-stream\r\n"


def answer(body: bytes, headers: bytes = JSON_TYPE, status: bytes = b"200 OK") -> bytes:
    """An answer with a content-length."""
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, headers, len(body), body)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunked(*pieces: bytes, headers: bytes = STREAM_TYPE, last: bytes = b"0\r\n\r\n") -> bytes:
    """An answer in chunks, a piece each."""
    head = b"HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n" % headers
    return head + b"".join(chunk(piece) for piece in pieces) + last


def event(value: Any) -> bytes:
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"


def delta(text: str, index: int = 0, field: str = "content") -> bytes:
    return event({"choices": [{"index": index, "delta": {field: text}, "finish_reason": None}]})


def assembled(
    raw: bytes,
    frames: Sequence[tuple[int, int]] = (),
    *,
    method: str = "POST",
    request: bytes = REQUEST,
    error: str = "",
) -> Exchange:
    line = Received(
        id="main-1", endpoint="e", scenario="s", method=method, path="/chat/completions", request=(0, len(request)),
        response=(0, len(raw)), frames=tuple(frames) or ((1, len(raw)),), sent_at=0, ended_at=9, error=error,
    )  # fmt: skip
    return assemble(line, request, raw)
