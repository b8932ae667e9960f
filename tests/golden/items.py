"""What flows through the golden server: replies, the items of an event stream, and what may be done to a connection."""

from __future__ import annotations

import enum
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

SERVER = "seatrial-golden"
EVENT_STREAM = (("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache"))


class Act(enum.Enum):
    """Something done to the connection instead of sending bytes."""

    STALL = "send nothing more until the client leaves"
    CUT = "close, whatever was announced"
    RESET = "close with RST"
    DIE = "the whole server ends, as a process does"
    DEAF = "stop listening and answering; the process lives"


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next item."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes of an event stream that are not one JSON chunk."""

    data: bytes


DONE = Raw(b"data: [DONE]\n\n")

Item = dict[str, Any] | Raw | Pause | Act
"""Of an event stream; a dict is a chunk."""

Piece = bytes | Pause | Act
"""Of a connection's output."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is known as a whole. A payload that is no bytes is sent as JSON."""

    status: int
    payload: Any
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)

    def body(self) -> bytes:
        return self.payload if isinstance(self.payload, bytes) else encode(self.payload)


def encode(value: Any) -> bytes:
    """JSON as UTF-8. A lone surrogate, which JSON can spell and UTF-8 cannot, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def event(item: dict[str, Any] | Raw) -> bytes:
    """One event as it stands in the stream."""
    return item.data if isinstance(item, Raw) else b"data: " + encode(item) + b"\n\n"


def head(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Status line and headers."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    own = (("Server", SERVER), ("Date", formatdate(usegmt=True)), ("X-Request-Id", secrets.token_hex(12)))
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in (*own, *headers))]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def whole(reply: Reply, *, bodiless: bool, close: bool) -> Iterator[Piece]:
    """Bytes of a reply, with its length."""
    body = reply.body()
    length = () if reply.status in (204, 304) else (("Content-Length", str(len(body))),)
    connection = (("Connection", "close" if close else "keep-alive"),)
    yield head(reply.status, (*reply.headers, *length, *connection))
    if body and not bodiless:
        yield body


def streamed(stream: Iterator[Item], *, chunked: bool, close: bool) -> Iterator[Piece]:
    """Bytes of an event stream: chunked, or ended by the connection's end for a client of HTTP/1.0."""
    framing = (("Transfer-Encoding", "chunked"),) if chunked else ()
    connection = (("Connection", "close" if close else "keep-alive"),)
    yield head(200, (*EVENT_STREAM, *framing, *connection))
    for item in stream:
        if isinstance(item, (dict, Raw)):
            data = event(item)
            if data:
                yield chunk(data) if chunked else data
        else:
            yield item
    if chunked:
        yield LAST_CHUNK
