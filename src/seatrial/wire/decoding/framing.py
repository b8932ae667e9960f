"""Where the parts of an HTTP/1.1 answer lie in its recorded bytes (RFC 9112), sans-IO.

h11 reads the head. The body's framing is read here, because its faults are evidence and its offsets are needed: they
date each event by the read that brought it, and let the mask reach across the borders of chunks. Nothing raises,
whatever the bytes; what is broken is said in ``fault``.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

import h11

from seatrial.wire.decoding import heads

HEAD_CAP = 100 * 1024
"""Bytes of status line and headers, as in httpcore; longer ones are refused."""

CHUNKS_CAP = 1_000_000
"""Chunks of one body that are read: eight times the tokens of a long context, sent one by one."""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_SIZE_CAP = 4096


class Pieces:
    """Pieces of a base, joined: translates offsets in the joined bytes to offsets in the base."""

    def __init__(self) -> None:
        self._starts = array("q")  # in the base
        self._joined = array("q")  # offset of each piece in the joined bytes
        self._base: list[bytes] = []
        self.length = 0

    def add(self, base: bytes, start: int, end: int) -> None:
        if end > start:
            self._starts.append(start)
            self._joined.append(self.length)
            self._base.append(base[start:end])
            self.length += end - start

    def join(self) -> bytes:
        return b"".join(self._base)

    def base_offset(self, offset: int) -> int:
        """Offset in the base of the end of the first ``offset`` joined bytes."""
        index = bisect_left(self._joined, offset) - 1
        return self._starts[index] + offset - self._joined[index] if index >= 0 else 0

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """The spans of the base that hold the joined bytes from ``start`` to ``end``."""
        found = []
        index = max(bisect_right(self._joined, start) - 1, 0)
        while index < len(self._joined) and self._joined[index] < end:
            joined = self._joined[index]
            low, high = max(start - joined, 0), min(end - joined, len(self._base[index]))
            if high > low:
                found.append((self._starts[index] + low, self._starts[index] + high))
            index += 1
        return found

    def items(self) -> list[tuple[int, bytes]]:
        """(start in the base, bytes) of each piece."""
        return list(zip(self._starts, self._base, strict=True))


@dataclass(slots=True)
class Layout:
    """What :func:`lay_out` found. ``status`` is None where no complete head came."""

    status: int | None = None
    reason: str = ""
    http_version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    pieces: Pieces = field(default_factory=Pieces)
    chunked: bool = False
    last_chunk: bool = False
    surplus: int = 0  # bytes after the end of the body
    fault: str = ""
    unread: bool = False  # the fault is that there is more of it than is read

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


def lay_out(raw: bytes, method: str) -> Layout:
    """Find head and body of an answer to a request of this method."""
    layout = Layout()
    start = _read_head(layout, raw, method)
    if layout.status is None:
        return layout
    length = layout.header("content-length")
    if method == "HEAD" or layout.status in {204, 304}:
        end = start
    elif layout.header("transfer-encoding").lower().endswith("chunked"):
        layout.chunked = True
        end = _read_chunks(layout, raw, start)
    elif length.isascii() and length.isdigit():
        end = min(start + int(length[:18]), len(raw))
        layout.pieces.add(raw, start, end)
        if layout.pieces.length < int(length[:18]):
            layout.fault = f"content-length says {length[:18]} bytes, {layout.pieces.length} came"
    else:
        end = len(raw)
        layout.pieces.add(raw, start, end)
    if end < len(raw) and not layout.fault:
        layout.surplus = len(raw) - end
        layout.fault = f"{_announced(layout, method)}, {layout.surplus} bytes after the end of the answer: "
        layout.fault += f"{raw[end : end + 40]!r}"
    return layout


def _announced(layout: Layout, method: str) -> str:
    """What an answer says of the length of its body."""
    if method == "HEAD" or layout.status in {204, 304}:
        return f"an answer to {method} of status {layout.status} has no body"
    if layout.chunked:
        return f"chunks of {layout.pieces.length} bytes and the last chunk came"
    return f"content-length says {layout.header('content-length')[:18]} bytes and as many came"


def _read_head(layout: Layout, raw: bytes, method: str) -> int:
    """Fill in status line and headers; returns the offset of the body."""
    if not raw:
        return 0
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_CAP)
    window = raw[: 2 * HEAD_CAP]
    try:
        known = method if method.isascii() and method.isalpha() and method != "CONNECT" else "GET"
        connection.send(h11.Request(method=known, target="/", headers=[("host", "h")]))
        connection.receive_data(window)
        event = connection.next_event()
        while isinstance(event, h11.InformationalResponse) and event.status_code != 101:
            event = connection.next_event()
    except h11.ProtocolError as error:
        layout.fault = heads.none(raw, str(error), HEAD_CAP)
        return len(raw)
    if not isinstance(event, h11.Response):
        layout.fault = heads.cut(raw)
        return len(raw)
    layout.status = event.status_code
    layout.reason = event.reason.decode("latin-1")
    layout.http_version = "HTTP/" + event.http_version.decode("latin-1")
    layout.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers)
    return len(window) - len(connection.trailing_data[0])


def _read_chunks(layout: Layout, raw: bytes, position: int) -> int:
    """Read a chunked body; returns the offset of its end. RFC 9112 7.1."""
    for _ in range(CHUNKS_CAP):
        match = _SIZE.match(raw, position, position + _SIZE_CAP)
        if match is None:
            line = raw[position : position + 40]
            begun = len(raw) - position < _SIZE_CAP and b"\n" not in raw[position : position + _SIZE_CAP]
            if not line or (begun and re.fullmatch(rb"[0-9A-Fa-f]{1,15}[ \t]*(;[^\r\n]*)?\r?", raw[position:])):
                layout.fault = f"the last chunk is missing after chunks of {layout.pieces.length} bytes"
            else:
                layout.fault = f"no chunk size at byte {position}: {line!r}"
            return len(raw)
        size = int(match[1], 16)
        position = match.end()
        if size == 0:
            return _read_trailers(layout, raw, position)
        layout.pieces.add(raw, position, min(position + size, len(raw)))
        position += size
        ending = raw[position : position + 2]
        if position > len(raw) or not b"\r\n".startswith(ending):
            cut = position > len(raw)
            layout.fault = (
                f"the last chunk is missing: a chunk of {size} bytes is cut {position - len(raw)} bytes short"
                if cut
                else f"no line end after the chunk that ends at byte {position}: {ending!r}"
            )
            return len(raw)
        position += 2
        if len(ending) < 2:
            layout.fault = f"the last chunk is missing after chunks of {layout.pieces.length} bytes"
            return len(raw)
    layout.fault = f"more than {CHUNKS_CAP} chunks: the rest is not read"
    layout.unread = True
    return len(raw)


def _read_trailers(layout: Layout, raw: bytes, position: int) -> int:
    if raw.startswith(b"\r\n", position):
        layout.last_chunk = True
        return position + 2
    end = raw.find(b"\r\n\r\n", position, position + HEAD_CAP)
    if end < 0:
        layout.fault = "the last chunk has no end"
        return len(raw)
    layout.last_chunk = True
    return end + 4
