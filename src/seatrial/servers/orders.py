"""What pytest or a watch tells the keeper: whom to watch, and what of ours to start."""

from __future__ import annotations

import msgspec

from seatrial.records.targets import Watched
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
