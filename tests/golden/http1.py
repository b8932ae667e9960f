"""Requests of HTTP/1.1 read from a stream: own code, so that faults can be made at the level of bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

BODY_LIMIT = 16 * 1024 * 1024
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

    @property
    def keep_alive(self) -> bool:
        wanted = self.headers.get("connection", "").lower()
        return wanted != "close" if self.version == "HTTP/1.1" else wanted == "keep-alive"


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request of a connection; None when the client has closed it.

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
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _body(reader, headers)
    return Request(parts[0], unquote(urlsplit(parts[1]).path), parts[2], headers, body)


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
