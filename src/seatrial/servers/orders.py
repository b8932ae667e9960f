"""What pytest or a watch tells the keeper: whom to watch, and what of ours to start."""

from __future__ import annotations

import msgspec

from seatrial.servers.embedded import ALIAS


class EmbeddedSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper must know to start the embedded server, again and again at the same port."""

    model: str  # path of a GGUF file
    name: str = "embedded"
    slots: int = 4
    context: int = 8192
    template: str = "qa"
    alias: str = ALIAS
    key: str | None = None
    port: int = 0


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What the recorder is to watch, as it goes down a pipe: its key reaches no file.

    ``base`` is the base URL's root, before ``/v1``; ``pid`` where we know it. A process without a port has neither
    host, port nor base.
    """

    name: str
    host: str = ""
    port: int = 0
    base: str = ""
    pid: int | None = None
    generation: int = 0
    log: str = ""  # path of its own log, where the operator names it
    api: str = ""  # the base URL that ends in /v1: where the canary is sent
    model: str = ""
    key: str = ""
    headers: dict[str, str] = {}
    ca: str = ""  # path of a file of certificates to trust instead of the system's
    canary_s: float = 0  # seconds between two canaries; 0: none
    scrape: bool = False  # its /metrics may be read: nobody else reads the gauges that a reading resets
    ours: bool = False  # we started it


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command to start and to watch under ``name``: as the process of that endpoint, or as one without a port.

    ``out`` and ``err`` are descriptors that the keeper has inherited.
    """

    argv: tuple[str, ...]
    name: str = "command"
    serves: bool = False  # it is an endpoint's process: its own end is a stop whatever its status
    out: int
    err: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The first line on stdin. Whatever follows it there says that an end of stdin is an orderly one."""

    watch: tuple[Watched, ...] = ()
    embedded: EmbeddedSpec | None = None
    command: Command | None = None
    temporary: bool = False  # the run directory goes, should whoever started us die
