"""A network backend for httpcore that keeps what it reads and enforces every bound where the bytes arrive.

Time-outs of an HTTP client count between reads: a server that drips its headers never trips them. Here each read and
write waits at most for what is left of the total deadline, and bytes are counted before anybody parses them. Errors
leave as :class:`~seatrial.wire.decoding.errors.WireError`, which httpcore hands through.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from seatrial.records import LEFT, SECOND, Leaving
from seatrial.wire.decoding.errors import WireError

READ_SIZE = 64 * 1024
EXPECTANT_S = 1.0
"""How long a body that was announced with Expect waits for a word: as long as curl does."""
SOON_S = 0.3
"""After so long a client leaves that is to leave soon: a small prompt is read by then, and no long answer made."""
FIRST_WORDS = 3
"""After so many events of a stream a client leaves: the first may hold a role alone."""
PAST_WORDS = 40
"""After so many chunks it leaves that has seen enough: caps that servers had by themselves were of 16 and 20 tokens."""
SIGNS = {Leaving.WORDS: (b"data:", FIRST_WORDS), Leaving.PAST: (b'"choices"', PAST_WORDS)}
"""What is counted of a stream until a client leaves: an event may lie on many lines, and holds one chunk at most."""
_HTTP = b"HTTP/"
NOT_HTTP = "what answers does not speak HTTP"


class Bounds:
    """The bounds of one exchange, and what it received: (time, bytes) of each read.

    Times are CLOCK_MONOTONIC nanoseconds.
    """

    def __init__(self, deadline_s: float, idle_s: float, cap: int, leaves: Leaving = Leaving.NEVER) -> None:
        if leaves is Leaving.SOON:
            deadline_s = min(deadline_s, SOON_S)
        self.deadline_s, self.idle_s, self.cap, self.leaves = deadline_s, idle_s, cap, leaves
        self.reads: list[tuple[int, bytes]] = []
        self.size = 0
        self.ended = False  # end of file came
        self.headed = False  # the head of the request has left
        self.expectant = False  # the body waits for a word from the server, if not for long
        self.held: Callable[[], None] | None = None  # called before the last byte of the body leaves
        self._until = time.monotonic_ns() + int(deadline_s * SECOND)
        self._signs, self._rest = 0, b""  # of what our client leaves by, and where one may begin

    def received(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    def patience(self, doing: str) -> float:
        """Seconds the next wait may last.

        Raises:
            WireError: the total deadline has passed.
        """
        left = (self._until - time.monotonic_ns()) / SECOND
        if left <= 0:
            raise self.expired(doing)
        return min(left, self.idle_s)

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for all that is still to come."""
        self.idle_s = min(self.idle_s, seconds)
        self._until = min(self._until, time.monotonic_ns() + int(seconds * SECOND))

    def expired(self, doing: str) -> WireError:
        """Which of the two deadlines it was that a wait has run into, or that our client leaves."""
        if self.leaves is Leaving.SOON:
            return self.left()
        if time.monotonic_ns() >= self._until:
            return WireError("deadline", f"the total deadline of {self.deadline_s:g} s passed {doing}")
        return WireError("idle", f"nothing moved for {self.idle_s:g} s {doing}")

    def left(self) -> WireError:
        """That our client leaves now."""
        return WireError(LEFT, f"our client left {self.leaves}, as it was to; {self.size} bytes came")

    def keep(self, data: bytes) -> None:
        """Note what a read brought.

        Raises:
            WireError: our client leaves now, or it is more than the cap, or not the beginning of an HTTP answer.
        """
        kept = data[: self.cap - self.size]
        self.size += len(kept)
        if kept:
            self.reads.append((time.monotonic_ns(), kept))
        if len(kept) < len(data):
            raise WireError("too-large", f"the answer is longer than {self.cap} bytes")
        if self.size - len(kept) < len(_HTTP):
            start = self.received()[: len(_HTTP)]
            if not start.startswith(_HTTP[: len(start)]):
                raise WireError("not-http", NOT_HTTP)
        if (sign := SIGNS.get(self.leaves)) is not None:
            mark, most = sign
            seen = self._rest + kept
            self._signs += seen.count(mark)
            self._rest = seen[1 - len(mark) :]
            if self._signs >= most:
                raise self.left()


class BoundedStream(httpcore.NetworkStream):
    """One connection. ``watch`` is set anew for each exchange; ``exchanges`` counts those before it."""

    def __init__(self, sock: socket.socket, watch: Bounds) -> None:
        self._socket = sock
        self.watch = watch
        self.exchanges = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        watch = self.watch
        if watch.leaves is Leaving.SENT:
            raise watch.left()
        self._socket.settimeout(watch.patience("while reading"))
        try:
            data = self._socket.recv(max_bytes)
        except TimeoutError:
            raise watch.expired("while reading") from None
        except ssl.SSLEOFError:
            data = b""  # the peer left without TLS's goodbye: for HTTP's framing, an end of file
        except ssl.SSLError as error:
            raise WireError("tls", _reason(error)) from error
        except OSError as error:
            raise WireError("reset", f"the connection broke while reading: {error.strerror or error}") from error
        if data:
            watch.keep(data)
        else:
            watch.ended = True
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send the head of a request, or its body, which httpcore hands over as one piece each."""
        watch = self.watch
        if watch.headed and buffer:
            if watch.expectant:
                watch.expectant = False
                self.await_word()
            if watch.held is not None:
                wait, watch.held = watch.held, None
                self._send(buffer[:-1])
                wait()
                buffer = buffer[-1:]
        watch.headed = True
        self._send(buffer)

    def await_word(self) -> None:
        """Wait until the server says something to the head of a request."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.poll(min(EXPECTANT_S, self.watch.patience("while sending the request")) * 1000)

    def _send(self, buffer: bytes) -> None:
        view = memoryview(buffer)
        while view:
            self._socket.settimeout(self.watch.patience("while sending the request"))
            try:
                view = view[self._socket.send(view) :]
            except TimeoutError:
                raise self.watch.expired("while sending the request") from None
            except OSError as error:
                # httpcore then reads: a server may refuse a request before it has taken all of it
                raise httpcore.WriteError(str(error)) from error

    def linger(self, patience_s: float) -> None:
        """Read on after the answer's end until the peer closes: bytes there break its framing."""
        until = time.monotonic() + patience_s
        try:
            while not self.watch.ended and (left := until - time.monotonic()) > 0:
                self._socket.settimeout(left)
                data = self._socket.recv(READ_SIZE)
                self.watch.ended = not data
                self.watch.keep(data)
        except (OSError, WireError):
            return  # the answer was complete: how its connection ends is no part of it

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(self.watch.patience("in the TLS handshake"))
            self._socket = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError:
            self.close()
            raise self.watch.expired("in the TLS handshake") from None
        except OSError as error:  # ssl.SSLError is one
            self.close()
            raise WireError("tls", _reason(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        if info == "is_readable":
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        return None


class Backend(httpcore.NetworkBackend):
    """Connects, within the bounds of the watch that is set."""

    def __init__(self) -> None:
        self.watch = Bounds(0, 0, 0)
        self.stream: BoundedStream | None = None  # the latest

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self.stream = None
        self.stream = BoundedStream(_connect(host, port, self.watch), self.watch)
        if self.watch.leaves is Leaving.OPEN:
            self.stream.close()
            raise self.watch.left()
        return self.stream


def _connect(host: str, port: int, watch: Bounds) -> socket.socket:
    """Connect to the first address that answers.

    Raises:
        WireError: refused, unreachable, reset, or a deadline. Names are looked up by the system, in its own time.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WireError("unreachable", f"{host} is not known: {_reason(error)}") from error
    failure = WireError("unreachable", f"{host} has no address")
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(watch.patience("while connecting"))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except WireError:
            sock.close()
            raise
        except OSError as error:
            sock.close()
            failure = _connect_failure(error, host, port, watch)
        else:
            return sock
    raise failure


def _connect_failure(error: OSError, host: str, port: int, watch: Bounds) -> WireError:
    if isinstance(error, TimeoutError) and error.errno is None:
        return watch.expired("while connecting")
    if isinstance(error, ConnectionRefusedError):
        return WireError("refused", f"nothing listens at {host}:{port} (connection refused)")
    if isinstance(error, ConnectionResetError):
        return WireError("reset", f"{host}:{port} broke the connection at once")
    return WireError("unreachable", f"{host}:{port}: {_reason(error)}")


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(reason or error)
