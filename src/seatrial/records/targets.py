"""Who is watched: what the keeper tells the recorder, and what pytest or a watch tells the keeper."""

from __future__ import annotations

import msgspec


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the keeper; which fields are set says which.

    With ``watch`` set it is :class:`seatrial.servers.orders.Watched`, field by field. A process without a port has an
    empty ``base``.
    """

    watch: str = ""
    host: str = ""
    port: int = 0
    base: str = ""
    pid: int | None = None
    generation: int = 0
    log: str = ""
    api: str = ""
    model: str = ""
    key: str = ""
    headers: dict[str, str] = {}
    ca: str = ""
    canary_s: float = 0
    scrape: bool = False
    ours: bool = False
    planned_stop: str = ""
    seal: bool = False
