"""What came in place of the head of an HTTP answer, in words for whoever must find out what listens there."""

from __future__ import annotations

import re

__all__ = ["cut", "none"]

SHOWN = 40
_TLS = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
_HTTP2 = re.compile(rb"\x00\x00.\x04[\x00\x01]\x00\x00\x00\x00", re.DOTALL)
_LINE = re.compile(r"bytearray\(b(['\"])(.*)\1\)$")
_BODIES = {b"{": "a JSON text", b"[": "a JSON text", b"<": "a page", b"data:": "an event stream"}
"""What a server sends that forgets the head, by its beginning."""
_SAID = {
    "illegal status line": "the first line is no status line (HTTP/1.1 200 OK): {line}",
    "no response line received": "an empty line stands before the status line",
    "illegal header line": "a header line is not NAME: VALUE: {line}",
    "continuation line at start of headers": "a blank stands before the first header",
    "bad Content-Length": "Content-Length is no number of bytes: {length}",
    "conflicting Content-Length": "two Content-Length headers say different lengths: {length}",
    "Only Transfer-Encoding: chunked": "a Transfer-Encoding other than chunked, which no request offered: {coding}",
    "Receive buffer too long": "the head is longer than {cap} bytes",
    "Received server _SWITCH_UPGRADE": "101 Switching Protocols, which no request asked for",
}
"""h11's words for what it does not take, and ours."""


def none(raw: bytes, error: str, cap: int) -> str:
    """Why these bytes are no head of an answer: ``error`` is what h11 says, ``cap`` the bytes it reads at most."""
    if (other := _other(raw)) is not None:
        return f"not HTTP: {other}"
    words = next((said for theirs, said in _SAID.items() if error.startswith(theirs)), error)
    found = _LINE.search(error)
    line = f"'{found[2][:SHOWN]}'" if found else repr(_text(raw.split(b"\n", 1)[0]))
    length, coding = _values(raw, b"content-length"), _values(raw, b"transfer-encoding")
    return f"not HTTP: {words.format(line=line, length=length, coding=coding, cap=cap)}"


def cut(raw: bytes) -> str:
    """Why the head is not whole, of bytes in which nothing is wrong as far as they go."""
    if (other := _other(raw)) is not None:
        return f"not HTTP: {other}"
    if b"HTTP/".startswith(raw[:5]):
        return f"the head of the answer is cut: {len(raw)} bytes of it came"
    return f"not HTTP: the answer begins with {_text(raw)!r}, no status line in {len(raw)} bytes"


def _other(raw: bytes) -> str | None:
    """What it is where another protocol can be told by its first bytes, or a body without a head."""
    if _TLS.match(raw):
        return f"a TLS record (bytes {raw[:3].hex(' ')}): the port speaks HTTPS, name it https://"
    if _HTTP2.match(raw):
        return "an HTTP/2 frame: the port speaks HTTP/2 without being asked, and no HTTP/1.1"
    body = next((what for start, what in _BODIES.items() if raw.startswith(start)), None)
    return body and f"{body} without status line and headers: {_text(raw)!r}"


def _values(raw: bytes, name: bytes) -> str:
    """What the headers of this name say."""
    head = raw.split(b"\r\n\r\n", 1)[0]
    found = re.findall(rb"(?im)^" + re.escape(name) + rb":[ \t]*([^\r\n]*)", head)
    return ", ".join(repr(_text(value)) for value in found[:3])


def _text(raw: bytes) -> str:
    return raw[:SHOWN].decode("latin-1").rstrip("\r\n")
