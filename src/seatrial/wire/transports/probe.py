"""The monitor's transport: one GET on a fresh connection, within a total deadline and a byte cap.

http.client alone has a time-out per read, which a server that drips a byte at a time never meets. Here every read is
given what is left of the deadline. Whatever a server or network does ends in a :class:`ProbeAnswer`, never in an
exception.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

CAP = 64 * 1024
LONGEST = 8192
"""Characters of what went wrong: more than anybody is shown, for a mask must pass over it before it is cut."""

HEAD_CAP = 64 * 1024
"""Bytes of status line, headers and framing together: http.client alone would take a hundred headers of that size."""


class ProbeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a probe ended. ``error`` is empty or a word of :data:`seatrial.wire.decoding.errors.ERRORS`."""

    status: int | None = None  # None: no complete status line and headers came
    body: bytes = b""
    headers: dict[str, str] = {}  # names in lower case; of a repeated one the last
    error: str = ""
    detail: str = ""
    at: int = 0  # CLOCK_MONOTONIC, ns, when it was over
    took_ns: int = 0


def get(
    url: str,
    *,
    deadline_s: float,
    cap: int = CAP,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> ProbeAnswer:
    """GET ``url`` and read its answer whole.

    Args:
        url: http or https; a fragment is left out.
        deadline_s: seconds for connecting, sending and reading together. Name resolution is the system's and is not
            bounded by it.
        cap: bytes of the body after which reading stops with the error ``too-large``.
        headers: sent beside Host and Connection; a Host among them is sent instead of the URL's.
        tls: for https; by default the system's trust store.

    Raises:
        ValueError: the URL is not http or https, or names no host.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url} is no http or https URL")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    context = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
    start = time.monotonic_ns()
    limit = _Limit(start + int(deadline_s * 1e9))
    found: dict[str, Any] = {}
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with contextlib.closing(_connect(parts.hostname, port, limit, context)) as sock:
            _ask(
                _Wire(sock, limit, 8 * cap + HEAD_CAP),
                parts.netloc.rpartition("@")[2],
                target,
                headers or {},
                cap,
                found,
            )
    except Exception as error:  # noqa: BLE001 - a monitor outlives whatever a server makes of HTTP
        found["error"], found["detail"] = _word(error), f"{type(error).__name__}: {error}"[:LONGEST]
    now = time.monotonic_ns()
    return ProbeAnswer(at=now, took_ns=now - start, **found)


def connect(url: str, *, deadline_s: float) -> ProbeAnswer:
    """Whether the port of a URL takes a connection, which is closed unused.

    Raises:
        ValueError: the URL names no host.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"{url} names no host")
    start = time.monotonic_ns()
    found: dict[str, Any] = {}
    try:
        limit = _Limit(start + int(deadline_s * 1e9))
        _connect(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), limit, None).close()
    except Exception as error:  # noqa: BLE001 - a monitor outlives whatever a network does
        found["error"], found["detail"] = _word(error), f"{type(error).__name__}: {error}"[:LONGEST]
    now = time.monotonic_ns()
    return ProbeAnswer(at=now, took_ns=now - start, **found)


class _Late(TimeoutError):
    """The total deadline has passed."""


class _TooLarge(Exception):
    """The body went past the cap."""


class _Limit:
    """What is left of a total deadline, handed to a socket before each call that may wait."""

    def __init__(self, end: int) -> None:
        self._end = end

    def left(self) -> float:
        left = (self._end - time.monotonic_ns()) / 1e9
        if left <= 0:
            raise _Late("the deadline has passed")
        return left


class _Wire:
    """A socket as http.client wants it, bounded in time and bytes in every call. http.client's close is not ours."""

    def __init__(self, sock: socket.socket, limit: _Limit, cap: int) -> None:
        self.sock, self._limit, self._left = sock, limit, cap

    def sendall(self, data: Any) -> None:
        self.sock.settimeout(self._limit.left())
        self.sock.sendall(data)

    def makefile(self, _mode: str = "rb", *_rest: object, **_more: object) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self))

    def receive(self, buffer: Any) -> int:
        if self._left <= 0:
            raise _TooLarge("more bytes than any answer needs")
        self.sock.settimeout(self._limit.left())
        count = self.sock.recv_into(buffer)
        self._left -= count
        return count

    def close(self) -> None:
        """http.client closes as soon as it has read ``Connection: close``, before the body: not yet."""


class _Reading(io.RawIOBase):
    """The reading side of a wire."""

    def __init__(self, wire: _Wire) -> None:
        super().__init__()
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._wire.receive(buffer)


def _connect(host: str, port: int, limit: _Limit, context: ssl.SSLContext | None) -> socket.socket:
    with contextlib.ExitStack() as opened:
        sock = opened.enter_context(socket.create_connection((host, port), timeout=limit.left()))
        if context is not None:
            sock.settimeout(limit.left())
            sock = context.wrap_socket(sock, server_hostname=host)
        opened.pop_all()  # it is the caller's now
    return sock


def _ask(wire: _Wire, host: str, target: str, headers: Mapping[str, str], cap: int, found: dict[str, Any]) -> None:
    """Send the request; put status and body into ``found`` as they come, so that an error later keeps them."""
    connection = http.client.HTTPConnection(host)
    connection.sock = wire
    named = any(name.lower() == "host" for name in headers)  # the operator's takes the place of ours
    connection.putrequest("GET", target, skip_host=named, skip_accept_encoding=True)
    for name, value in {"Connection": "close", **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    found["status"] = response.status
    found["headers"] = {name.lower(): value for name, value in response.getheaders()}
    body = bytearray()
    while piece := response.read1(16 * 1024):
        body += piece
        if len(body) > cap:
            raise _TooLarge(f"more than {cap} bytes")
        found["body"] = bytes(body)
    if response.length:  # read1 passes over a body that ends before its length
        raise http.client.IncompleteRead(bytes(body), response.length)


def _word(error: Exception) -> str:
    """The word of wire.decoding.errors for what went wrong; what is not known better is ``not-http``."""
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (TimeoutError, "deadline"),
        (_TooLarge, "too-large"),
        (ConnectionRefusedError, "refused"),
        (ssl.SSLError, "tls"),
        ((http.client.RemoteDisconnected, http.client.IncompleteRead), "cut"),
        ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), "reset"),
        (OSError, "unreachable"),
    )
    return next((word for kind, word in kinds if isinstance(error, kind)), "not-http")
