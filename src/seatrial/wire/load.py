"""The measuring transport: one streamed chat on a connection of its own, with the time of every byte.

It stands on urllib3's connection, whose ``read1`` hands on what has arrived and raises on a body that is cut. A fresh
connection per request, because servers close after a stream without saying so, and a pool then reports resets that
are none. The socket is wrapped where its bytes arrive: only there can a total deadline hold against a server that
drips its headers, a byte cap against one that never ends, and only there are the bytes still those of the wire.

Nothing here knows gevent; under Locust the sockets it opens are patched and wait without blocking others.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from seatrial.wire import chunks
from seatrial.wire.errors import WireError
from seatrial.wire.mask import Mask
from seatrial.wire.sse import Event, Reader

SECOND = 1_000_000_000
CONNECT_S = 10.0
READ = 65536
TAIL_S = 2.0
"""After [DONE] a server has this long to end the body; the answer is complete, its framing may not be."""

BODY_SHOWN = 65536
"""Of an answer that is no stream, at most this much is read: enough to say what it was."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where streams are sent and how long they may take.

    Args:
        url: base URL, as ``http://host:8080/v1``.
        headers: of every request, authorization included.
        idle_s: longest silence between two reads before the stream counts as stalled.
        deadline_s: of the whole request, from the connection on.
        cap_bytes: most that is read of one answer.
    """

    url: str
    mask: Mask
    headers: Mapping[str, str] = field(default_factory=dict)
    ca: Path | None = None
    idle_s: float = 30.0
    deadline_s: float = 60.0
    cap_bytes: int = 16 * 1024 * 1024


@dataclass(slots=True)
class Stream:
    """What one request came to. Times are CLOCK_MONOTONIC in ns, 0: it never came. Bytes and texts are masked.

    ``sent_at`` is taken before the connection is opened: that is what a user waits for. ``error`` is a word of
    :data:`seatrial.wire.errors.ERRORS`, empty where the body ended as its framing says.
    """

    sent_at: int = 0
    ended_at: int = 0
    first_at: int = 0
    last_at: int = 0
    gap_from: int = 0
    gap_to: int = 0
    deltas: int = 0
    status: int = 0
    media_type: str = ""
    retry_after: str = ""
    done: bool = False
    finish_reason: str = ""
    final_usage: bool = False  # a chunk without choices that carries usage
    prompt_tokens: int | None = None
    tokens: int | None = None
    faults: int = 0  # events whose data is no chunk
    fault: str = ""  # what a server said was wrong, in the stream or in the body
    reported: bool = False  # ``fault`` is an error object or error event of the server
    error: str = ""
    detail: str = ""
    request: bytes = b""
    response: bytes = b""
    frames: tuple[tuple[int, int], ...] = ()


def stream(target: Target, body: bytes, *, into: Stream | None = None, path: str = "/chat/completions") -> Stream:
    """POST a streaming chat and follow it to its end. Never raises for what a server or a network does.

    A caller that may be interrupted from outside gives ``into``: it then holds what was seen until then.
    """
    meter = _Meter(target, Stream() if into is None else into)
    meter.run("POST", path, body)
    return meter.stream


@dataclass(frozen=True, slots=True)
class Answer:
    """A short answer that is no stream; ``status`` 0: none came, and ``error`` says why."""

    status: int
    body: bytes
    error: str = ""


def get(target: Target, path: str) -> Answer:
    """GET a path below the base URL, or from the server's root where it begins with ``//``."""
    meter = _Meter(target, Stream(), follow=False)
    meter.run("GET", path, None)
    return Answer(meter.stream.status, bytes(meter.body), meter.stream.error and meter.stream.detail)


class _Meter:
    """One request being measured. With ``follow`` off the body is kept instead of being read as a stream."""

    def __init__(self, target: Target, into: Stream, *, follow: bool = True) -> None:
        self.stream = into
        self.body = bytearray()
        self._target = target
        self._follow = follow
        self._tap: _Tap | None = None
        self._reader = Reader()

    def run(self, method: str, path: str, body: bytes | None) -> None:
        s = self.stream
        s.sent_at = time.monotonic_ns()
        try:
            self._exchange(method, path, body)
        except WireError as error:
            s.error, s.detail = error.word, error.detail
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            s.error, s.detail = self._word(error), _said(error)
        finally:
            s.ended_at = time.monotonic_ns()
            self._close()

    def _close(self) -> None:
        """Let go of the socket and hand over its bytes, masked."""
        s, tap, mask = self.stream, self._tap, self._target.mask
        if tap is not None:
            tap.shut()
            s.request, s.response = mask.bytes(bytes(tap.sent)), mask.bytes(bytes(tap.received))
            s.frames = tuple(tap.frames)
        s.detail, s.fault = mask.text(s.detail)[:300], mask.text(s.fault)[:300]

    def _exchange(self, method: str, path: str, body: bytes | None) -> None:
        parts = urlsplit(self._target.url)
        connection = _connect(self._target)
        self._tap = tap = connection.sock
        url = path[1:] if path.startswith("//") else parts.path.rstrip("/") + path
        headers = {
            "Accept": "text/event-stream" if self._follow else "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Content-Type": "application/json",
            "User-Agent": "seatrial",
            **self._target.headers,
        }
        connection.request(method, url, body=body, headers=headers, preload_content=False, decode_content=False)
        response = connection.getresponse()
        s = self.stream
        s.status = response.status
        s.media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        s.retry_after = response.headers.get("retry-after", "")
        if self._follow and s.status == 200 and s.media_type == "text/event-stream":
            self._read_events(response, tap)
        else:
            self._read_body(response)

    def _read_events(self, response: urllib3.HTTPResponse, tap: _Tap) -> None:
        while data := response.read1(READ):
            for event in self._reader.feed(data):
                self._take(event, tap.at)
            if self.stream.done:
                tap.end_within(TAIL_S)
        for stray in self._reader.strays:
            if stray.startswith((b"error", b"{")):  # seen of servers that leave out "data:" when they fail
                self.stream.reported = True
                self.stream.fault = stray[:300].decode("utf-8", "replace")

    def _read_body(self, response: urllib3.HTTPResponse) -> None:
        cap = BODY_SHOWN if self._follow else self._target.cap_bytes
        while len(self.body) < cap and (data := response.read1(READ)):
            self.body += data
        if self._follow:
            self.stream.fault = f"{response.reason or ''} {self.body[:300].decode('utf-8', 'replace')}".strip()

    def _take(self, event: Event, at: int) -> None:
        s = self.stream
        if event.data == b"[DONE]":
            s.done = True
            return
        try:
            chunk = chunks.decode(event.data)
        except (msgspec.MsgspecError, UnicodeError) as error:
            s.faults += 1
            s.fault = s.fault or f"{error}: {event.data[:100].decode('utf-8', 'replace')}"
            return
        if chunk.error is not None or event.type == "error":
            s.reported = True
            s.fault = event.data[:300].decode("utf-8", "replace")
            return
        if chunk.usage is not None:
            s.prompt_tokens, s.tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
            s.final_usage = s.final_usage or not chunk.choices
        for choice in chunk.choices or ():
            s.finish_reason = choice.finish_reason or s.finish_reason
            delta = choice.delta
            if delta is not None and (delta.content or delta.reasoning_content or delta.reasoning or delta.tool_calls):
                self._count(at)

    def _count(self, at: int) -> None:
        s = self.stream
        s.deltas += 1
        if not s.first_at:
            s.first_at = at
        elif at - s.last_at > s.gap_to - s.gap_from:
            s.gap_from, s.gap_to = s.last_at, at
        s.last_at = at

    def _word(self, error: BaseException) -> str:
        """Which word of ERRORS an exception of urllib3 or http.client is; those of our own tap bring theirs."""
        ended = self._tap is not None and self._tap.ended
        if isinstance(error, ConnectionResetError) and not isinstance(error, http.client.RemoteDisconnected):
            return "reset"
        return "cut" if ended else "not-http"


def _connect(target: Target) -> Any:
    """An open connection with a tap on its socket.

    Raises:
        WireError: refused, unreachable, tls, or idle where nothing answered in time.
    """
    parts = urlsplit(target.url)
    timeout = min(CONNECT_S, target.deadline_s)
    connection: HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=str(target.ca) if target.ca else None)
        connection = HTTPSConnection(parts.hostname or "", parts.port or 443, timeout=timeout, ssl_context=context)
    else:
        connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    began = time.monotonic_ns()
    try:
        connection.connect()
    except ssl.SSLError as error:
        raise WireError("tls", _said(error)) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        refused = any(isinstance(e, ConnectionRefusedError) for e in _causes(error))
        raise WireError("refused" if refused else "unreachable", _said(error)) from error
    connection.sock = _Tap(connection.sock, target, began)
    return connection


class _Tap:
    """Stands in for a socket: keeps the bytes and the time of each read, and enforces the limits where they arrive."""

    def __init__(self, sock: Any, target: Target, began: int) -> None:
        self.sent, self.received = bytearray(), bytearray()
        self.frames: list[tuple[int, int]] = []
        self.at = began
        self.ended = False  # the peer closed its side
        self._sock = sock
        self._idle_s = target.idle_s
        self._deadline = began + int(target.deadline_s * SECOND)
        self._cap = target.cap_bytes

    def sendall(self, data: bytes) -> None:
        self.sent += data
        self._arm()
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise self._wire_error(error) from error

    def read_into(self, buffer: memoryview) -> int:
        self._arm()
        try:
            n: int = self._sock.recv_into(buffer)
        except OSError as error:
            raise self._wire_error(error) from error
        self.at = time.monotonic_ns()
        self.ended = not n
        if n:
            self.received += buffer[:n]
            self.frames.append((self.at, n))
        if len(self.received) > self._cap:
            raise WireError("too-large", f"more than {self._cap} bytes")
        return n

    def end_within(self, seconds: float) -> None:
        """What is left to read must come within this time."""
        self._deadline = min(self._deadline, time.monotonic_ns() + int(seconds * SECOND))

    def shut(self) -> None:
        self._sock.close()

    def _arm(self) -> None:
        left = (self._deadline - time.monotonic_ns()) / SECOND
        if left <= 0:
            raise WireError("deadline", f"the deadline passed, {len(self.received)} bytes in")
        self._sock.settimeout(min(left, self._idle_s))

    def _wire_error(self, error: OSError) -> WireError:
        if isinstance(error, TimeoutError):
            late = time.monotonic_ns() >= self._deadline
            said = "the deadline passed" if late else f"no byte for {self._idle_s:g} s"
            return WireError("deadline" if late else "idle", f"{said}, {len(self.received)} bytes in")
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            self.ended = True
            return WireError("cut", _said(error))
        return WireError("tls" if isinstance(error, ssl.SSLError) else "reset", _said(error))

    # what http.client and urllib3 ask of a socket

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reads(self), READ)

    def settimeout(self, _: object) -> None:
        """Time-outs are set before each read, by the limits."""

    def close(self) -> None:
        """http.client lets go of the socket once it has the headers; it is closed by :meth:`shut`."""

    def shutdown(self, how: int = socket.SHUT_RD) -> None:
        self._sock.shutdown(how)


class _Reads(io.RawIOBase):
    def __init__(self, tap: _Tap) -> None:
        self._tap = tap

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._tap.read_into(memoryview(buffer))


def _causes(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _said(error: BaseException) -> str:
    """An exception in one line, without the object addresses urllib3 puts first (they would make each text unique)."""
    text = str(error) or type(error).__name__
    return text.partition(">: ")[2] or text if text.startswith("<") else text
