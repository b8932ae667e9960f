"""What the fold remembers of an endpoint's streams: those that went wrong, and how many were in order."""

from __future__ import annotations

from typing import Literal

import msgspec

from seatrial.records import Family

Fault = Literal["", "network or gateway", "engine"]
"""Whose fault a stalled stream is; empty: not known."""


class Broken(msgspec.Struct, frozen=True, gc=False):
    """One stream that went wrong. ``alive_at``: its last token; ``dead_at``: first proof that it was broken."""

    family: Family
    id: str
    kind: str
    alive_at: int
    dead_at: int
    over_at: int  # when the stream ended
    seen_at: int
    until: int | None = None  # tokens came again
    fault: Fault = ""
    why: str = ""  # what shows whose fault it was
    text: str = ""  # what was seen
    proof: str = ""
    meanwhile: str = ""  # what /health did in that second


class Trouble(msgspec.Struct, frozen=True, gc=False):
    """All streams of one family on one endpoint: the first, how many, the first few ids, and when the last broke."""

    first: Broken
    streams: int
    ids: tuple[str, ...]
    until: int | None
    last_at: int = 0
    kinds: dict[str, int] = {}
    faults: dict[str, int] = {}


class SaidOf(msgspec.Struct, frozen=True, gc=False):
    """What was said of a trouble when it was handed out last: of how many streams, when, with what cause."""

    streams: int
    at: int
    cause: str


class Streams(msgspec.Struct, frozen=True, gc=False):
    """What is known of an endpoint's streams. Written by ``streams.broken``; ``said_of`` by ``streams.told``."""

    pending: tuple[Broken, ...] = ()  # it is not yet known whether a stop broke them
    troubles: dict[Family, Trouble] = {}
    reasons: int = 0  # streams that ended with a finish_reason
    unfinished: tuple[Broken, ...] = ()  # ended without, while it is not known whether this server sends any
    counted: str = ""  # the last canary that was counted
    works: bool = False  # a canary has been right
    whole_from: int = 0  # the latest stream that was in order was asked for then
    said_of: dict[Family, SaidOf] = {}
