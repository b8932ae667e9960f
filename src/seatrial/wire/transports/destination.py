"""Where the suites' requests go, and the head that each of them bears."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from urllib.parse import urlsplit

import h11
import httpcore

from seatrial.wire.masking.headers import LESS, MORE, ORDINARY, unsendable
from seatrial.wire.masking.mask import cut
from seatrial.wire.transports.prepare import Prepared

KEY = "{key}"
"""Where the operator's key goes in a request's own authorization."""

KEY_CUT = "{key-}"
"""The same without its last character; nothing of a key that is too short to be looked for then."""

KEY_MORE = "{key+}"
"""The same with a character more."""

FORMS = {KEY: "", KEY_CUT: LESS, KEY_MORE: MORE}
"""Each place of a key, and what the record tells of it behind the stars."""

AGENT = f"seatrial/{version('seatrial')}"

_PORTS = {"http": 80, "https": 443}


class Destination:
    """One endpoint, and what the operator has every request to it bear.

    Args:
        base_url: http or https, with its path prefix.
        headers: the operator's.
        authorization: the whole value of the Authorization header.
        keep_alive: whether requests ask for their connection to be kept.

    Attributes:
        given: the operator's headers, the authorization among them.

    Raises:
        ValueError: the base URL or a header cannot be sent; the message says why.
    """

    def __init__(
        self, base_url: str, headers: Mapping[str, str] | None, authorization: str | None, *, keep_alive: bool
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{base_url!r} is no http or https URL with a host")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("a base URL has neither credentials nor query nor fragment")
        self._scheme = parts.scheme
        self._port = parts.port or _PORTS[parts.scheme]
        self._host = parts.hostname.encode("idna")
        host = self._host.decode() if ":" not in parts.hostname else f"[{parts.hostname}]"
        self._host_header = f"{host}:{parts.port}" if parts.port else host
        self._prefix = parts.path.rstrip("/")
        self._keep_alive = keep_alive
        self.given = dict(headers or {})
        if authorization is not None:
            self.given["Authorization"] = authorization
        for name, value in self.given.items():
            if why := unsendable(name, value):
                raise ValueError(f"the header {name!r} cannot be sent: {why}")

    @property
    def is_tls(self) -> bool:
        return self._scheme == "https"

    def request(self, prepared: Prepared) -> httpcore.Request:
        """A request as httpcore takes it."""
        url = httpcore.URL(
            scheme=self._scheme.encode(), host=self._host, port=self._port, target=self._target(prepared)
        )
        return httpcore.Request(prepared.method, url, headers=self._headers(prepared), content=prepared.body)

    def serialised(self, prepared: Prepared) -> bytes:
        """Head and body as they leave, made by h11 as httpcore makes them.

        Raises:
            ValueError: a method, path or header cannot be sent as HTTP.
        """
        connection = h11.Connection(h11.CLIENT)
        target, headers = self._target(prepared), self._headers(prepared)
        try:
            head = connection.send(h11.Request(method=prepared.method, target=target, headers=headers))
            body = connection.send(h11.Data(data=prepared.body)) if prepared.body else b""
            connection.send(h11.EndOfMessage())
        except h11.LocalProtocolError as error:
            raise ValueError(f"{prepared.method} {prepared.path} cannot be sent: {error}") from error
        return (head or b"") + (body or b"")

    def _target(self, prepared: Prepared) -> bytes:
        path = prepared.path[1:] if prepared.path.startswith("//") else self._prefix + prepared.path
        return path.encode("ascii")

    def _headers(self, prepared: Prepared) -> list[tuple[bytes, bytes]]:
        """Ours, then the operator's, then the request's; a later one of the same name takes the earlier's place."""
        headers = {
            "host": ("Host", self._host_header),
            "user-agent": ("User-Agent", AGENT),
            "accept": ("Accept", "application/json, text/event-stream"),
            "accept-encoding": ("Accept-Encoding", "identity"),
            "connection": ("Connection", "keep-alive" if self._keep_alive else "close"),
        }
        for name, value in (*self._given(prepared).items(), *prepared.headers):
            if value is None:
                headers.pop(name.lower(), None)
            else:
                headers[name.lower()] = (name, value)
        if "transfer-encoding" not in headers and (prepared.body or prepared.method in {"POST", "PUT", "PATCH"}):
            headers.setdefault("content-length", ("Content-Length", str(len(prepared.body))))
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.values()]

    def _given(self, prepared: Prepared) -> dict[str, str]:
        """The operator's headers, as far as a request bears them.

        One with an authorization of its own has none of those that may be a credential.
        """
        if prepared.authorization is None:
            return self.given
        key = self.given.get("Authorization", "").partition(" ")[2]
        kept = {name: value for name, value in self.given.items() if name.lower() in ORDINARY}
        own = prepared.authorization.replace(KEY, key).replace(KEY_CUT, cut(key)).replace(KEY_MORE, f"{key}x").rstrip()
        return {**kept, "Authorization": own} if own else kept
