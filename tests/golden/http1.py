"""Requests of HTTP/1.1 read from a stream: own code, so that faults can be made at the level of bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

BODY_LIMIT = 128 * 1024 * 1024
"""Bytes that are read at all."""
LIMIT = 1024 * 1024
"""Bytes of the longest body that is taken; a longer one is read, and refused."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEAD_LIMIT = 64 * 1024


class BadRequestError(Exception):
    """The bytes are no request that can be answered in the ordinary way; the connection ends after the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One request as read. Header names are in lower case; of a repeated header the last value counts."""

    method: str
    path: str
    version: str
    headers: dict[str, str]
    body: bytes
    target: str = ""  # as it stood on the first line

    @property
    def keep_alive(self) -> bool:
        wanted = self.headers.get("connection", "").lower()
        return wanted != "close" if self.version == "HTTP/1.1" else wanted == "keep-alive"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is done once the head of a request has been read, before its body is."""

    interim: bytes = CONTINUE  # said where the body waits for a word
    alone: bool = False  # no other body is read meanwhile


def usual(_head: Request) -> Heard:
    return Heard()


async def read_request(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    heard: Callable[[Request], Heard] = usual,
    turn: asyncio.Lock | None = None,
) -> Request | None:
    """The next request of a connection; None when the client has closed it.

    Args:
        heard: what is done about a head.
        turn: of all bodies that are read alone.

    Raises:
        BadRequestError: broken framing, or more bytes than the limits.
    """
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequestError(431, f"the request's head is longer than {HEAD_LIMIT} bytes") from error
    line, _, rest = raw.lstrip(b"\r\n").decode("latin-1").partition("\r\n")
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequestError(400, "the first line is no HTTP/1.1 request line")
    headers: dict[str, str] = {}
    for field in rest.split("\r\n"):
        name, colon, value = field.partition(":")
        if field and (not colon or not name or name != name.strip()):
            raise BadRequestError(400, "a header line has no name and value")
        if field:
            headers[name.lower()] = value.strip()
    request = Request(parts[0], unquote(urlsplit(parts[1]).path), parts[2], headers, b"", parts[1])
    deed = heard(request)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(deed.interim)
    async with turn if turn and deed.alone else contextlib.nullcontext():
        return replace(request, body=await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise BadRequestError(400, "Transfer-Encoding is not chunked alone")
        return await _chunked(reader)
    if length is None:
        return b""
    if not (length.isascii() and length.isdigit()):
        raise BadRequestError(400, "Content-Length is no number")
    if len(length) > 12 or int(length) > BODY_LIMIT:
        raise BadRequestError(413, f"the body is longer than {BODY_LIMIT} bytes")
    return await _exactly(reader, int(length))


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = (await _line(reader)).partition(b";")[0].strip()
        if not size or size.strip(b"0123456789abcdefABCDEF") or len(size) > 8:
            raise BadRequestError(400, "a chunk's size is no hexadecimal number")
        count = int(size, 16)
        if len(body) + count > BODY_LIMIT:
            raise BadRequestError(413, f"the body is longer than {BODY_LIMIT} bytes")
        if not count:
            while (await _line(reader)).strip():
                pass
            return bytes(body)
        body += await _exactly(reader, count)
        if await _exactly(reader, 2) != b"\r\n":
            raise BadRequestError(400, "a chunk does not end where its size says")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise BadRequestError(400, "the chunked body is incomplete") from error


async def _exactly(reader: asyncio.StreamReader, count: int) -> bytes:
    try:
        return await reader.readexactly(count)
    except asyncio.IncompleteReadError as error:
        raise BadRequestError(400, "the body is shorter than announced") from error
