"""The suites' transport: one request, one recording, whatever the server does.

It stands on httpcore, httpx's engine, rather than on httpx: no redirect is followed, no proxy or .netrc obeyed and no
header added, because nothing here knows how to. h11 inside drives the connection; what is recorded are the bytes as
they were read, before any parsing, and the mask has passed over them before anybody sees them.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpcore
import msgspec

from seatrial.records import SECOND, Leaving, Received
from seatrial.wire.decoding.errors import WireError
from seatrial.wire.decoding.framing import HEAD_CAP, lay_out
from seatrial.wire.masking.headers import secret_names, secret_values, star
from seatrial.wire.masking.mask import Mask
from seatrial.wire.masking.redact import redact
from seatrial.wire.transports.bounded import NOT_HTTP, Backend, Bounds
from seatrial.wire.transports.destination import FORMS, Destination
from seatrial.wire.transports.prepare import Prepared
from seatrial.wire.transports.turns import Turns

__all__ = ["Client", "Prepared", "Recording"]

IDLE_S = 30.0
"""Longest wait for a next byte, unless a call says otherwise."""
CAP_BYTES = 64 * 1024 * 1024
LINGER_S = 0.05
"""How long the end of file is awaited after a complete answer on a connection that was to close."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange as bytes, masked. ``frames`` are (time, length) of each read; times are monotonic nanoseconds."""

    request: bytes
    response: bytes
    frames: tuple[tuple[int, int], ...]
    sent_at: int
    ended_at: int
    error: str = ""
    detail: str = ""
    connection: int = 0  # requests on this connection before this one

    def line(self, name: str, prepared: Prepared, /, *, endpoint: str, scenario: str, **stored: Any) -> Received:
        """What came of a request as a line of a run directory; ``stored`` overrides where its bytes lie."""
        told: dict[str, Any] = {"request": (0, len(self.request)), "response": (0, len(self.response)), **stored}
        return Received(
            id=name,
            endpoint=endpoint,
            scenario=scenario,
            method=prepared.method,
            path=prepared.path,
            frames=self.frames,
            sent_at=self.sent_at,
            ended_at=self.ended_at,
            error=self.error,
            detail=self.detail,
            connection=self.connection,
            **told,
        )


class Client:
    """Sends to one endpoint. A context manager, for one thread.

    Args:
        base_url: http or https, with its path prefix.
        mask: what no recording may hold.
        headers: the operator's, sent with each request; their values are starred wherever they are recorded.
        authorization: the whole value of the Authorization header (``Bearer KEY``).
        ca: a PEM file of certificate authorities, instead of the system's.
        deadline_s: total time of an exchange. idle_s: longest wait for a next byte. cap_bytes: longest answer.
        keep_alive: use one connection for all requests, where the server keeps it; else each closes its own.
        pace: which all requests keep to; None: none waits.
        backend: what connects, in place of sockets.

    Raises:
        ValueError: the base URL or a header cannot be sent; the message says why.
        OSError, ssl.SSLError: the CA file cannot be read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        mask: Mask | None = None,
        headers: Mapping[str, str] | None = None,
        authorization: str | None = None,
        ca: Path | None = None,
        deadline_s: float = 60,
        idle_s: float = IDLE_S,
        cap_bytes: int = CAP_BYTES,
        keep_alive: bool = False,
        pace: Turns | None = None,
        backend: Backend | None = None,
    ) -> None:
        self._to = Destination(base_url, headers, authorization, keep_alive=keep_alive)
        self._deadline_s, self._idle_s, self.cap_bytes = deadline_s, idle_s, cap_bytes
        self._keep_alive = keep_alive
        self._pace, self._has_turn = pace, False
        given = self._to.given
        self._secret = secret_names(given)
        self.mask = (mask or Mask()).also(secret_values(given))
        self._backend = backend or Backend()
        context = ssl.create_default_context(cafile=str(ca) if ca else None) if self._to.is_tls else None
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=self._backend, max_connections=1, retries=0
        )
        self._open: httpcore.Response | None = None
        self.request_bytes(Prepared("GET", "/"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._pool.close()

    def turn(self) -> None:
        """Wait until the next request may leave: before it is written down as sent. :meth:`exchange` does so itself."""
        if self._pace is not None and not self._has_turn:
            self._pace.wait()
            self._has_turn = True

    def request_bytes(self, request: Prepared) -> bytes:
        """Head and body as :meth:`exchange` sends them, masked: to be recorded before they leave.

        Raises:
            ValueError: a method, path or header cannot be sent as HTTP.
        """
        raw = self._to.serialised(request)
        own = request.authorization
        end = None if own is None else next((said for place, said in FORMS.items() if place in own), None)
        ours = own is not None and end is None
        return self.mask.bytes(star(raw, self._secret - {"authorization"} if ours else self._secret, end or ""))

    def exchange(
        self,
        request: Prepared,
        *,
        deadline_s: float | None = None,
        idle_s: float | None = None,
        held: Callable[[], None] | None = None,
        leaves: Leaving = Leaving.NEVER,
    ) -> Recording:
        """Send a request and record what comes of it. What a server or network does is never raised.

        Args:
            deadline_s, idle_s: in place of the client's.
            held: called before the last byte of the body leaves: until it returns, the request is not whole.
            leaves: when the client leaves before the answer's end: the error is then :data:`~seatrial.records.LEFT`.

        Raises:
            ValueError: a method, path or header cannot be sent as HTTP.
        """
        sent = self.request_bytes(request)
        self.turn()
        self._has_turn = False

        whole = self._deadline_s if deadline_s is None else deadline_s

        def bounds(spent_s: float = 0.0) -> Bounds:
            idle = self._idle_s if idle_s is None else idle_s
            watch = Bounds(max(whole - spent_s, 0.0), idle, self.cap_bytes, leaves)
            watch.expectant = any(name.lower() == "expect" for name, _ in request.headers)
            watch.held = held
            return watch

        watch, sent_at, error, detail = self._attempt(request, bounds())
        stream = self._backend.stream
        if stream and stream.exchanges and error in {"cut", "reset"} and not watch.size:
            # The server closed it while the request was on its way: any client that keeps connections meets that race,
            # and sends such a request again on a new one (RFC 9112 9.3.1, where doing it twice changes nothing). That
            # the old one was closed shows in ``connection``. Where nobody is there any more, the end is what is told.
            self._clear_up(request, watch, error)
            self.turn()
            self._has_turn = False
            again = self._attempt(request, bounds((time.monotonic_ns() - sent_at) / SECOND))
            if again[2] not in {"refused", "unreachable"}:
                watch, _, error, detail = again
        ended_at = time.monotonic_ns()
        stream = self._backend.stream
        connection = stream.exchanges if stream else 0
        if stream:
            stream.exchanges += 1
            if not error and not self._keep_alive:
                stream.linger(LINGER_S)
        self._clear_up(request, watch, error)
        response, withheld = redact(self.mask, watch.received(), request.method)
        if detail == NOT_HTTP:
            detail = f"{detail}: {response[:64]!r}"  # cut once the mask has passed: no part of a secret is left
        return Recording(
            request=sent,
            response=response,
            frames=tuple((at, len(data)) for at, data in watch.reads),
            sent_at=sent_at,
            ended_at=ended_at,
            error=error,
            detail=self.mask.text("; ".join(part for part in (detail, withheld) if part)),
            connection=connection,
        )

    def _attempt(self, request: Prepared, watch: Bounds) -> tuple[Bounds, int, str, str]:
        """Send once: what came, when it left, and as :meth:`_answer` tells how it ended."""
        sent_at = time.monotonic_ns()
        return watch, sent_at, *self._answer(request, watch)

    def _answer(self, request: Prepared, watch: Bounds) -> tuple[str, str]:
        """Send and read to the answer's end; (error, detail), both empty where it ended as its framing says.

        The connection stays open behind it, so that the caller can look for bytes after the end.
        """
        try:
            response = self.send(request, watch)
            for _ in response.iter_stream():
                pass
        except WireError as error:
            return error.word, error.detail
        except httpcore.ProtocolError as error:
            return broken(error, watch)
        self._open = response
        return "", ""

    def send(self, request: Prepared, watch: Bounds) -> httpcore.Response:
        """Send a request within the bounds of a watch, and give its answer as soon as its head is read.

        Raises:
            WireError: what a server or network does.
            httpcore.ProtocolError: what came is not HTTP.
        """
        self._backend.watch = watch
        if self._backend.stream:
            self._backend.stream.watch = watch
        return self._pool.handle_request(self._to.request(request))

    def _clear_up(self, request: Prepared, watch: Bounds, error: str) -> None:
        """Give the connection back to the pool; close it where what it holds could be taken for the next answer."""
        if self._open:
            self._open.close()
            self._open = None
        if error or not self._keep_alive or lay_out(watch.received(), request.method).fault:
            self._pool.close()


def broken(error: httpcore.ProtocolError, watch: Bounds) -> tuple[str, str]:
    """What h11 found wrong, in our words."""
    if watch.ended:
        return "cut", f"the connection closed before the answer ended; {watch.size} bytes came"
    if getattr(error.args[0], "error_status_hint", 0) == 431:
        return "too-large", f"status line and headers are longer than {HEAD_CAP} bytes"
    return "not-http", str(error)
