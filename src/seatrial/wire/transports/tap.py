"""A connection whose socket is tapped: the bytes of the wire with their times, and limits where they arrive.

Only there can a total deadline hold against a server that drips its headers, and a byte cap against one that never
ends; a time-out of each read alone does neither.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from seatrial.records import SECOND
from seatrial.wire.decoding.errors import WireError
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.turns import Turns

CONNECT_S = 10.0
READ = 65536


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """Where streams are sent and how long they may take.

    Args:
        url: base URL, as ``http://host:8080/v1``.
        headers: of every request, authorization included.
        idle_s: longest silence between two reads before a stream that has begun counts as stalled; until its first
            token the deadline alone counts: a long prompt is read in silence.
        deadline_s: of the whole request, from the connection on.
        cap_bytes: most that is read of one answer.
        pace: which short questions keep to; who streams takes a turn before. None: none waits.
    """

    url: str
    mask: Mask
    headers: Mapping[str, str] = field(default_factory=dict)
    ca: Path | None = None
    idle_s: float = 30.0
    deadline_s: float = 60.0
    cap_bytes: int = 16 * 1024 * 1024
    pace: Turns | None = None

    def turn(self) -> None:
        """Wait until the next request may leave."""
        if self.pace is not None:
            self.pace.wait()


def connect(target: LoadTarget) -> Any:
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
    except (ssl.SSLError, TimeoutError) as error:  # urllib3 has errors of its own for a connection not made in time
        raise WireError("tls", said(error)) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        refused = any(isinstance(e, ConnectionRefusedError) for e in _causes(error))
        raise WireError("refused" if refused else "unreachable", said(error)) from error
    connection.sock = Tap(connection.sock, target, began)
    return connection


class Tap:
    """Stands in for a socket: keeps the bytes and the time of each read, and enforces the limits where they arrive."""

    def __init__(self, sock: Any, target: LoadTarget, began: int) -> None:
        self.sent, self.received = bytearray(), bytearray()
        self.frames: list[tuple[int, int]] = []
        self.at = began
        self.ended = False  # the peer closed its side
        self.begun = False  # a token has come: from then on silence counts
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
        self._sock.settimeout(min(left, self._idle_s) if self.begun else left)

    def _wire_error(self, error: OSError) -> WireError:
        if isinstance(error, TimeoutError):
            late = time.monotonic_ns() >= self._deadline
            what = "the deadline passed" if late else f"no byte for {self._idle_s:g} s"
            return WireError("deadline" if late else "idle", f"{what}, {len(self.received)} bytes in")
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            self.ended = True
            return WireError("cut", said(error))
        return WireError("tls" if isinstance(error, ssl.SSLError) else "reset", said(error))

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
    def __init__(self, tap: Tap) -> None:
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


def said(error: BaseException) -> str:
    """An exception in one line, without the object addresses urllib3 puts first (they would make each text unique)."""
    text = str(error) or type(error).__name__
    return text.partition(">: ")[2] or text if text.startswith("<") else text
