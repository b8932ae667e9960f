"""How an endpoint is asked: with the operator's key, headers and certificates. The suites and the watch ask alike."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.given.address import host_port, root
from seatrial.given.errors import ConfigError
from seatrial.records.targets import Watched
from seatrial.text import shorten

if TYPE_CHECKING:
    from seatrial.wire.masking.mask import Mask
    from seatrial.wire.transports.http import Client
    from seatrial.wire.transports.live import LiveClient
    from seatrial.wire.transports.turns import Turns

LOOKS = 1.0
"""Requests a second of the recorder: it asks /health, and what else it asks only of a kind that it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the operator gives beside a URL, checked. It never holds the key itself."""

    key_env: str | None = None  # name of the environment variable that holds the API key
    headers: Mapping[str, str] = field(default_factory=dict)  # of every request
    ca: Path | None = None  # certificates to trust, PEM; None: the system's
    max_rps: float | None = None  # requests a second to an endpoint, over all processes; None: as many as come
    turns: Path | None = None  # folder of the files by which processes keep to max_rps

    @property
    def key(self) -> str | None:
        """The API key: read from the environment each time, so that no object that is printed or pickled holds it."""
        return os.environ.get(self.key_env) if self.key_env else None

    @property
    def mask(self) -> Mask:
        """What no text may show: the key, and what the operator's headers hold."""
        from seatrial.wire.masking.headers import secret_values  # not for --help
        from seatrial.wire.masking.mask import Mask

        return Mask(self.key).also(secret_values(self.headers))

    def pace(self, url: str) -> Turns | None:
        """The pace that is kept at an endpoint; None where none is asked for."""
        from seatrial.wire.transports.turns import Turns

        if self.max_rps is None or self.turns is None:
            return None
        host, port = host_port(url)
        name = re.sub(r"[^A-Za-z0-9.-]", "_", host)[:200]
        return Turns(self.turns / f"{name}-{port}.pace", self.share)

    @property
    def share(self) -> float:
        """Requests a second that are left beside the recorder's looks, where there are more than those."""
        most = self.max_rps or 0.0
        return most - LOOKS if most >= 2 * LOOKS else most

    def client(self, url: str, *, deadline_s: float = 60.0, keep_alive: bool = False) -> Client:
        """Open a transport to an endpoint, for one thread.

        Args:
            url: its base URL.
            deadline_s: seconds that one exchange may take, unless a call of the client says otherwise.
            keep_alive: use one connection for all requests.

        Raises:
            ValueError: the URL or a header cannot be sent.
            OSError: the file of certificates cannot be read.
        """
        from seatrial.wire.transports.http import Client  # not for --help

        return Client(url, **self._given(url, ()), deadline_s=deadline_s, keep_alive=keep_alive)

    def live(self, url: str, *, hidden: Iterable[str] = ()) -> LiveClient:
        """Open a transport for one exchange that its caller reads while it goes on.

        Args:
            hidden: what else no recording of it may hold.

        Raises:
            ValueError: as :meth:`client`.
            OSError: as :meth:`client`.
        """
        from seatrial.wire.transports.live import LiveClient

        return LiveClient(url, **self._given(url, hidden))

    def _given(self, url: str, hidden: Iterable[str]) -> dict[str, Any]:
        """What the operator gives, as a transport takes it."""
        from seatrial.wire.masking.mask import Mask

        key = self.key
        return {
            "mask": Mask(key).also(hidden),
            "headers": self.headers,
            "authorization": f"Bearer {key}" if key else None,
            "ca": self.ca,
            "pace": self.pace(url),
        }

    def watched(self, name: str, url: str, **more: Any) -> Watched:
        """An endpoint as the recorder is told of it; the key is for the questions to its engine.

        Args:
            url: its base URL.
            more: further fields of :class:`~seatrial.records.targets.Watched`.
        """
        host, port = host_port(url)
        pace = self.pace(url)
        kept: dict[str, Any] = {} if pace is None else {"pace": str(pace.file), "pace_per_s": pace.per_s}
        return Watched(
            name=name,
            host=host,
            port=port,
            base=root(url),
            api=url,
            key=self.key or "",
            headers=dict(self.headers),
            ca=str(self.ca or ""),
            **kept,
            **more,
        )


def logs(texts: Iterable[str], names: Collection[str]) -> dict[str, Path]:
    """Name of an endpoint to the absolute path of its server's log, of ``NAME=FILE`` each; the file may come later.

    Args:
        names: of the endpoints of the run.

    Raises:
        ConfigError: one is of no endpoint of the run, names no file, or is a second one of an endpoint.
    """
    found: dict[str, Path] = {}
    for text in texts:
        name, _, file = text.partition("=")
        if name not in names or not file or name in found:
            known = ", ".join(names) or "none is given"
            raise ConfigError(
                f"--log={shorten(text, 100)}: say NAME=FILE, an endpoint of this run ({known}), each once"
            )
        found[name] = Path(file).absolute()
    return found
