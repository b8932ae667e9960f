"""What pytest tells the keeper: whom to watch, and which server of ours to start."""

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
    """What the recorder is to watch. ``base`` is the base URL's root, before ``/v1``; ``pid`` where we know it."""

    name: str
    host: str
    port: int
    base: str
    pid: int | None = None
    generation: int = 0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The first line on stdin."""

    watch: tuple[Watched, ...] = ()
    embedded: EmbeddedSpec | None = None
