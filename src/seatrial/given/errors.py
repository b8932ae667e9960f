"""What can be wrong with what a user named: each message is one line, with cause and remedy, for exit 4."""

from __future__ import annotations

from collections.abc import Sequence


class ConfigError(Exception):
    """A file or an argument cannot be used."""


class EndpointError(ConfigError):
    """The endpoint cannot be put on trial: it is not there, it is no such API, or it needs something more."""


class NotYet(EndpointError):
    """Nobody answers at the endpoint now, or it says that it is not ready: that may change by itself."""


class EmbeddedMissing(ConfigError):
    """The extra ``embedded`` is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "no --endpoint given, and the embedded server is not installed: "
            "pip install -e '.[embedded]', or --endpoint=URL"
        )


class ServerError(ConfigError):
    """A server of ours cannot be had; ``log`` holds the last lines of its log."""

    def __init__(self, message: str, log: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.log = tuple(log)
