"""Short questions to an endpoint, with its key where it has one: bounded in time and bytes, no redirect followed."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec

from seatrial.wire.masking.headers import secret_values
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports import probe
from seatrial.wire.transports.turns import Turns

DETAIL = 200
"""Characters that are kept of what went wrong."""


def below(base: str, path: str) -> str:
    """A path below a server's root, as :class:`seatrial.records.targets.Watched` gives it; without credentials.

    Raises:
        ValueError: the base is no http or https URL.
    """
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"{base} is no http or https URL")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], f"{parts.path.rstrip('/')}{path}", "", ""))


def any_certificate() -> ssl.SSLContext:
    """A question that carries no secret asks whether somebody answers: whose certificate it is, the suites judge."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Questions:
    """One endpoint's address and secrets.

    Args:
        base: the server's root.
        api: the base URL that ends in ``/v1``; empty: it is not known.
        key: sent as a bearer token; empty: none.
        headers: the operator's, which replace ours of the same name.
        ca: a file of certificates to trust beside none of the system's; empty: the system's.
        pace: which :meth:`turn` keeps to; None: nobody waits.

    Raises:
        ValueError: the base is no http or https URL.
        OSError: the file of certificates cannot be read.
    """

    def __init__(self, base: str, api: str = "", key: str = "", headers: Mapping[str, str] | None = None,
                 ca: str = "", pace: Turns | None = None) -> None:  # fmt: skip
        given = headers or {}
        named = {name.lower() for name in given}
        bearer = {"Authorization": f"Bearer {key}"} if key and "authorization" not in named else {}
        self.base, self.api = base, api
        self.headers = {**bearer, **given}
        self.mask = Mask(key).also(secret_values(self.headers))
        self.ca = Path(ca) if ca else None
        self._pace = pace
        below(base, "")
        self._tls: ssl.SSLContext | None = None
        if base.startswith("https"):
            self._tls = ssl.create_default_context(cafile=ca or None) if self.headers else any_certificate()

    def turn(self) -> None:
        """Wait until the next question may leave; before it counts as asked."""
        if self._pace is not None:
            self._pace.wait()

    def get(self, path: str, *, deadline_s: float, cap: int = probe.CAP) -> probe.ProbeAnswer:
        """GET a path below the root; below the API where it begins with ``/v1``."""
        inside = path.startswith("/v1/")
        url = below(self.api, path.removeprefix("/v1")) if inside else below(self.base, path)
        answer = probe.get(url, deadline_s=deadline_s, cap=cap, headers=self.headers, tls=self._tls)
        headers = {self.mask.text(name): self.mask.text(value) for name, value in answer.headers.items()}
        body, detail = self.mask.bytes(answer.body), self.mask.start(answer.detail, DETAIL)
        return msgspec.structs.replace(answer, body=body, headers=headers, detail=detail)
