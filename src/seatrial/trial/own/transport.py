"""The transport below the clients of the operator's own tests: httpx's interface over Seatrial's recording one.

The official SDK takes an httpx client too, so that one transport serves both. Each request has a connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from seatrial.given.address import host_port
from seatrial.trial.own.record import Begun, OwnTest
from seatrial.wire.decoding.errors import WireError
from seatrial.wire.transports.http import Prepared

NO_KEY = "no-key-is-given-to-the-sdk"
"""Stands where the SDK wants a key: what is sent in its place is the operator's, or none."""

RAISED: dict[str, type[httpx.TransportError]] = {
    "refused": httpx.ConnectError,
    "unreachable": httpx.ConnectError,
    "tls": httpx.ConnectError,
    "deadline": httpx.ReadTimeout,
    "idle": httpx.ReadTimeout,
    "cut": httpx.RemoteProtocolError,
    "not-http": httpx.RemoteProtocolError,
}
"""What httpx calls an end, by the word of the record; any other is a ReadError."""


class RecordingTransport(httpx.BaseTransport):
    """Sends the requests of one test to its endpoint, and to nobody else."""

    def __init__(self, own: OwnTest) -> None:
        self._own = own

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its answer is read as it comes.

        Raises:
            httpx.UnsupportedProtocol: it is for another server.
            httpx.TransportError: what a server or network does, as httpx names it.
        """
        prepared = self._prepared(request)
        if self._own.gone:
            raise httpx.ConnectError(f"nothing more is sent: {self._own.gone}", request=request)
        waits = request.extensions.get("timeout") or {}
        idle_s = waits.get("read")
        try:
            begun = self._own.begin(prepared, self._own.deadline_s if idle_s is None else idle_s)
        except ValueError as error:
            raise httpx.LocalProtocolError(str(error), request=request) from None
        live = begun.live
        if live.failure is not None:
            self._own.end(begun)
            raise raised(live.failure, request)
        return httpx.Response(
            live.status, headers=live.headers, stream=_Body(self._own, begun, request), extensions=live.extensions
        )

    def close(self) -> None:
        """End what the test left open."""
        self._own.end_all()

    def _prepared(self, request: httpx.Request) -> Prepared:
        base, url = self._own.endpoint.url, str(request.url)
        if urlsplit(url).scheme != urlsplit(base).scheme or host_port(url) != host_port(base):
            raise httpx.UnsupportedProtocol(
                f"this client sends to {base} alone, and not to {request.url.host}", request=request
            )
        target = request.url.raw_path.decode("ascii")
        prefix = urlsplit(base).path.rstrip("/")
        below = target.startswith(f"{prefix}/")
        content = request.read()
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        return Prepared(
            method=request.method,
            path=target[len(prefix) :] if below else f"/{target}",
            body=content,
            headers=tuple(p for p in pairs if p[0].lower() != "host" and NO_KEY not in p[1]),
        )


def raised(error: WireError, request: httpx.Request) -> httpx.TransportError:
    """What httpx raises where an exchange ended so."""
    kind = RAISED.get(error.word, httpx.ReadError)
    more = " (--request-timeout)" if error.word == "deadline" else ""
    return kind(f"{error.detail}{more}", request=request)


class _Body(httpx.SyncByteStream):
    def __init__(self, own: OwnTest, begun: Begun, request: httpx.Request) -> None:
        self._own, self._begun, self._request = own, begun, request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._begun.live.pieces()
        except WireError as error:
            raise raised(error, self._request) from error

    def close(self) -> None:
        self._own.end(self._begun)
