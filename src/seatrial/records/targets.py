"""Who is watched: what pytest or a watch tells the keeper of it, and what the keeper tells the recorder."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Harm(msgspec.Struct, frozen=True, kw_only=True):
    """What became of others at questions of ours: of connections of any age, and of such as had just begun."""

    cuts: int = 0  # questions that were each followed at once by the end of others' connections
    convicted: bool = False  # such questions do end them
    ended: Sequence[Sequence[float]] = ((0, 0), (0, 0))  # at once; within half a second
    spans: Sequence[Sequence[float]] = ((0, 0, 0), (0, 0, 0))
    """Spans of time in which nothing was asked, by what ended in them: at once, within half a second, or later."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One target of the recorder, as it goes down a pipe: its key reaches no file.

    A process without a port has neither ``host``, ``port`` nor ``base``.
    """

    name: str
    host: str = ""
    port: int = 0
    base: str = ""  # the base URL's root, before /v1
    pid: int | None = None  # where we know it
    generation: int = 0
    log: str = ""  # path of its own log, where the operator names it
    api: str = ""  # the base URL that ends in /v1: where the canary is sent
    model: str = ""
    key: str = ""
    headers: dict[str, str] = {}
    ca: str = ""  # path of a file of certificates to trust instead of the system's
    harm: Harm | None = None  # what became of others at questions of ours, where it was seen
    canary_s: float = 0  # seconds between two canaries; 0: none
    behind: str = ""  # the name of the endpoint that stands behind it, where it is a gateway
    engine: bool = True  # False: nothing is asked of its engine, by the operator's choice; its health page alone
    scrape: bool = False  # its /metrics may be read: nobody else reads the gauges that a reading resets
    ours: bool = False  # we started it
    pace: str = ""  # path of the file by which all requests to it keep to a pace; empty: there is none
    pace_per_s: float = 0


class Watch(Watched, frozen=True, kw_only=True):
    """A command of the keeper to the recorder; which fields are set says which.

    With a name, the recorder is to watch that target from now on. Else it is to note a planned stop of a target, or to
    seal the record.
    """

    name: str = ""
    planned_stop: str = ""  # name of the target that we are about to end
    seal: bool = False
