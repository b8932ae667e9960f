"""An HTTP/1.1 answer read as it comes, sans-IO: the head as soon as it is whole, then the body without its framing.

:mod:`seatrial.wire.decoding.framing` reads a whole recording; this reads what a load follows, read by read, and holds
no more than the part that is not whole yet. A read that is one chunk, as servers stream, takes one match. Nothing
raises, whatever the bytes: what is broken stands in ``fault``, and what came before it is handed out all the same.

The head is read as leniently as clients do (RFC 9112 2.2: a line may end by LF alone), the framing of chunks strictly
(7.1), as :mod:`seatrial.wire.decoding.framing` has it.
"""

from __future__ import annotations

import re

from seatrial.wire.decoding import heads
from seatrial.wire.decoding.framing import HEAD_CAP

_STATUS = re.compile(rb"HTTP/1\.[0-9][ \t]+([1-9][0-9]{2})(?:[ \t]+([^\r\n]*))?\r?\n")
_HEAD_END = re.compile(rb"\n\r?\n")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_SIZE_BEGUN = re.compile(rb"[0-9A-Fa-f]{1,15}[ \t]*(?:;[^\r\n]*)?\r?")
_SIZE_CAP = 4096
LINE_CAP = 65536
TRAILERS_CAP = 8192
_START = b"HTTP/"
_BODILESS = frozenset({204, 304})
_ALL = 2**62


class Incoming:
    """Feed it reads; it returns the bytes of the body that each read brings.

    Attributes:
        status: 0 until the head is whole.
        reason: of the status line.
        headers: the first value of each, by its name in lower case; those of Transfer-Encoding are joined.
        complete: the body is whole: what follows is not read. Of a body that only the connection's end ends, never.
        fault: what breaks HTTP or its framing, in a sentence; empty: nothing so far.
        word: of :data:`seatrial.wire.decoding.errors.ERRORS`, what kind of fault that is.
    """

    __slots__ = ("_chunked", "_held", "_left", "_part", "complete", "fault", "headers", "reason", "status", "word")

    def __init__(self) -> None:
        self.status = 0
        self.reason = ""
        self.headers: dict[str, str] = {}
        self.complete = False
        self.fault = ""
        self.word = "not-http"
        self._held = b""  # of the head, of a size line or of the trailers: what is not whole yet
        self._chunked = False
        self._left = 0  # bytes of the body, or of the chunk, that are to come
        self._part = "head"

    def feed(self, data: bytes) -> bytes:
        """Take the bytes of one read, in order."""
        if self._part == "size" and not self._held:
            match = _SIZE.match(data)
            if match is not None:
                start = match.end()
                size = int(match[1], 16)
                if size and start + size + 2 == len(data) and data[-2:] == b"\r\n":
                    return data[start:-2]
        if self.complete or self.fault:
            return b""
        if self._part == "head":
            return self._head(data)
        return self._chunks(data) if self._chunked else self._plain(data)

    def ended(self) -> bool:
        """Whether the answer is whole now that the connection has ended."""
        return self.complete or (bool(self.status) and not self._chunked and self._left > _ALL // 2)

    def _head(self, data: bytes) -> bytes:
        """Take a read that belongs to the head, or to one of those with 1xx that may come before it."""
        held, searched = self._held + data, max(len(self._held) - 2, 0)
        while held and not self.status and not self.fault:
            self._held = held
            end = _HEAD_END.search(held, searched)
            line = held[held.rfind(b"\n") + 1 :] if end is None else max(held[: end.start()].split(b"\n"), key=len)
            if not held.startswith(_START[: len(held)]):
                self.fault = heads.cut(held)
            elif len(line) > LINE_CAP:
                self.fault = f"a line of the head is longer than {LINE_CAP} bytes"
            elif end is None and len(held) <= HEAD_CAP:
                return b""
            elif end is None:
                self.fault, self.word = f"the head of the answer is longer than {HEAD_CAP} bytes", "too-large"
            elif (status := _STATUS.match(held)) is None:
                self.fault = heads.none(held, "illegal status line", HEAD_CAP)
            else:
                self._held, held, searched = b"", held[end.end() :], 0
                if int(status[1]) >= 200 or int(status[1]) == 101:  # any other 1xx: the answer itself comes after it
                    self.status, self.reason = int(status[1]), (status[2] or b"").decode("latin-1").strip()
                    self._take_headers(status.string[status.end() : end.start()])
        return self.feed(held) if held and not self.fault else b""

    def _take_headers(self, lines: bytes) -> None:
        """Keep the headers, and find out by them how the body ends (RFC 9112 6.3)."""
        headers = self.headers
        for line in lines.split(b"\n"):
            name, colon, text = line.partition(b":")
            key, value = name.strip().lower().decode("latin-1"), text.strip().decode("latin-1")
            if not colon or name[:1] in (b" ", b"\t"):
                continue
            if key not in headers:
                headers[key] = value
            elif key == "transfer-encoding":
                headers[key] += f", {value}"
        length = headers.get("content-length", "")
        codings = [coding.strip().lower() for coding in headers.get("transfer-encoding", "").split(",")]
        if self.status in _BODILESS or self.status == 101:
            self._part, self.complete = "end", True
        elif "chunked" in codings:
            self._part, self._chunked = "size", True
        elif length.isascii() and length.isdigit():
            self._part, self._left = "body", int(length[:18])
            self.complete = not self._left
        else:
            self._part, self._left = "body", _ALL

    def _plain(self, data: bytes) -> bytes:
        taken = data[: self._left]
        self._left -= len(taken)
        self.complete = not self._left
        return taken

    def _chunks(self, data: bytes) -> bytes:
        """Take a read of a chunked body that is not just one chunk."""
        data, self._held = self._held + data, b""
        out, at = [], 0
        while at < len(data) and not self.complete and not self.fault:
            if self._part == "data":
                taken = data[at : at + self._left]
                out.append(taken)
                at += len(taken)
                self._left -= len(taken)
                self._part = "data" if self._left else "end of chunk"
            elif self._part == "end of chunk":
                at = self._end_of_chunk(data, at)
            elif self._part == "size":
                at = self._size(data, at)
            else:
                at = self._trailers(data, at)
        if self.complete or self.fault:
            self._part = "end"
        return b"".join(out)

    def _end_of_chunk(self, data: bytes, at: int) -> int:
        ending = data[at : at + 2]
        if not b"\r\n".startswith(ending):
            self.fault = f"no line end after a chunk: {ending!r}"
        elif len(ending) < 2:
            self._held = ending
            return len(data)
        self._part = "size"
        return at + 2

    def _size(self, data: bytes, at: int) -> int:
        match = _SIZE.match(data, at, at + _SIZE_CAP)
        if match is not None:
            self._left = int(match[1], 16)
            self._part = "data" if self._left else "trailers"
            return match.end()
        rest = data[at : at + _SIZE_CAP]
        if len(rest) < _SIZE_CAP and _SIZE_BEGUN.fullmatch(rest):
            self._held = rest
        else:
            self.fault = f"no chunk size: {rest[:40]!r}"
        return len(data)

    def _trailers(self, data: bytes, at: int) -> int:
        rest = data[at:]
        if rest.startswith(b"\r\n") or b"\r\n\r\n" in rest:
            self.complete = True
        elif len(rest) > TRAILERS_CAP:
            self.fault, self.word = f"the trailers are longer than {TRAILERS_CAP} bytes", "too-large"
        else:
            self._held = rest
        return len(data)
