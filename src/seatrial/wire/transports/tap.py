"""A connection whose socket is tapped: the bytes of the wire with their times, and limits where they arrive.

Only there can a total deadline hold against a server that drips its headers, and a byte cap against one that never
ends; a time-out of each read alone does neither. Who follows hundreds of streams has one :class:`Watchman` look at all
of them now and then: a timer for each read costs as much as the read.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from seatrial.records import SECOND
from seatrial.wire.decoding.errors import WireError
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.turns import Turns

CONNECT_S = 10.0
READ = 65536
_PORTS = {"http": 80, "https": 443}


class Watchman:
    """Ends the waits of many connections that have lasted too long; whoever has one calls :meth:`look` ever again."""

    def __init__(self) -> None:
        self._taps: set[Tap] = set()

    def guard(self, tap: Tap) -> None:
        """Look after a connection, until it is released."""
        self._taps.add(tap)

    def release(self, tap: Tap) -> None:
        """Look after it no more."""
        self._taps.discard(tap)

    @property
    def guarded(self) -> int:
        """How many are looked after."""
        return len(self._taps)

    def look(self) -> None:
        """Wake those that have waited beyond their limit, by the end of their connection."""
        now = time.monotonic_ns()
        for tap in tuple(self._taps):
            if now >= tap.due():
                tap.wake()


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
        watchman: who ends waits that last too long; None: a timer of each read.
    """

    url: str
    mask: Mask
    headers: Mapping[str, str] = field(default_factory=dict)
    ca: Path | None = None
    idle_s: float = 30.0
    deadline_s: float = 60.0
    cap_bytes: int = 16 * 1024 * 1024
    pace: Turns | None = None
    watchman: Watchman | None = None

    def turn(self) -> None:
        """Wait until the next request may leave."""
        if self.pace is not None:
            self.pace.wait()

    @property
    def host(self) -> str:
        """As the header Host names it: without the port where that is the scheme's own."""
        return _place(self.url)[3]


def connect(target: LoadTarget) -> Tap:
    """An open connection with a tap on its socket.

    Raises:
        WireError: refused, unreachable, or tls.
    """
    secure, host, port, _ = _place(target.url)
    timeout = min(CONNECT_S, target.deadline_s)
    began = time.monotonic_ns()
    try:
        sock = _open(host, port, timeout)
    except (OSError, UnicodeError) as error:
        word = "refused" if isinstance(error, ConnectionRefusedError) else "unreachable"
        raise WireError(word, f"no connection to {host}:{port}: {said(error)}") from error
    if secure:
        try:
            sock = _context(target.ca).wrap_socket(sock, server_hostname=host)
        except OSError as error:
            sock.close()
            raise WireError("tls", said(error)) from error
    return Tap(sock, target, began, watched=not secure)


def _open(host: str, port: int, timeout: float) -> socket.socket:
    """A connected socket. A number needs no look-up, which under gevent is a walk to another thread and back."""
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        sock = socket.create_connection((host, port), timeout)
    else:
        with contextlib.ExitStack() as opened:
            sock = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
            sock.settimeout(timeout)
            sock.connect((host, port))
            opened.pop_all()  # it stays open where the connection came about
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


@functools.lru_cache(maxsize=64)
def _place(url: str) -> tuple[bool, str, int, str]:
    """Whether it is TLS, host, port, and what the header Host says."""
    parts = urlsplit(url)
    usual = _PORTS.get(parts.scheme, 80)
    host, port = parts.hostname or "", parts.port or usual
    with contextlib.suppress(UnicodeError):
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    shown = f"[{host}]" if ":" in host else host
    return parts.scheme == "https", host, port, shown if port == usual else f"{shown}:{port}"


@functools.lru_cache(maxsize=8)
def _context(ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca) if ca else None)


class Tap:
    """A socket that keeps the bytes and the time of each read, and enforces the limits where they arrive.

    Attributes:
        at: when the last read came, or when it began.
        ended: the peer closed its side.
        begun: a token has come: from then on silence counts.
    """

    def __init__(self, sock: Any, target: LoadTarget, began: int, *, watched: bool = True) -> None:
        self.sent = b""
        self.frames: list[tuple[int, int]] = []
        self.at = began
        self.ended = self.begun = False
        self._reads: list[bytes] = []
        self._size = 0
        self._sock = sock
        self._idle_s, self._idle_ns = target.idle_s, int(target.idle_s * SECOND)
        self._deadline = began + int(target.deadline_s * SECOND)
        self._cap = target.cap_bytes
        self._watchman = target.watchman if watched else None
        self._woken = False

    @property
    def received(self) -> bytes:
        return b"".join(self._reads)

    def sendall(self, data: bytes) -> None:
        """Send a request, and from then on be looked after."""
        self.sent += data
        self._arm()
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise self._wire_error(error) from error
        if self._watchman is not None:
            self._sock.settimeout(None)
            self._watchman.guard(self)

    def read(self) -> bytes:
        """What has arrived; waits for it. Empty: the peer closed its side.

        Raises:
            WireError: nothing came in time, more came than the cap, or the connection broke.
        """
        if self._watchman is None:
            self._arm()
        try:
            data: bytes = self._sock.recv(READ)
        except OSError as error:
            raise self._wire_error(error) from error
        now = time.monotonic_ns()
        if self._woken or now >= self._deadline:
            raise self._late(now)
        self.at = now
        if data:
            self._reads.append(data)
            self.frames.append((now, len(data)))
            self._size += len(data)
            if self._size > self._cap:
                raise WireError("too-large", f"more than {self._cap} bytes")
        else:
            self.ended = True
        return data

    def end_within(self, seconds: float) -> None:
        """What is left to read must come within this time."""
        self._deadline = min(self._deadline, time.monotonic_ns() + int(seconds * SECOND))

    def due(self) -> int:
        """When it has waited too long, if nothing comes."""
        return min(self._deadline, self.at + self._idle_ns) if self.begun else self._deadline

    def wake(self) -> None:
        """Have its reader see that it has waited too long."""
        self._woken = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def shut(self) -> None:
        if self._watchman is not None:
            self._watchman.release(self)
        self._sock.close()

    def _arm(self) -> None:
        left = (self._deadline - time.monotonic_ns()) / SECOND
        if left <= 0:
            raise self._late(self._deadline)
        self._sock.settimeout(min(left, self._idle_s) if self.begun else left)

    def _late(self, now: int) -> WireError:
        late = now >= self._deadline
        what = "the deadline passed" if late else f"no byte for {self._idle_s:g} s"
        return WireError("deadline" if late else "idle", f"{what}, {self._size} bytes in")

    def _wire_error(self, error: OSError) -> WireError:
        if self._woken or isinstance(error, TimeoutError):
            return self._late(time.monotonic_ns())
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            self.ended = True
            return WireError("cut", said(error))
        return WireError("tls" if isinstance(error, ssl.SSLError) else "reset", said(error))


def said(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
