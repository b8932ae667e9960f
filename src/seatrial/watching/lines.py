"""A stop as one JSON object: what ``seatrial watch --json`` prints, one a line.

Times that end in ``_at`` are ns of CLOCK_MONOTONIC, comparable with a caller's own; those in ``_utc`` are labels. What
is not known is null, never zero. Every string is harmless for a terminal, whatever the server called itself.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from seatrial.records import SECOND, Stop
from seatrial.report.words.plain import Wall
from seatrial.text import signal_name, visible_parts

Kind = Literal["stop", "over", "notice", "unobserved"]

MS = 1_000_000


def line_of(kind: Kind, stop: Stop, wall: Wall, *, back_at: int | None = None) -> bytes:
    """One object and its newline.

    Args:
        kind: ``stop``, ``over`` (one said before as lasting is over), ``notice`` (a clock), ``unobserved``.
        stop: as the fold gives it.
        wall: labels for its times.
        back_at: when its successor was found, monotonic ns.
    """
    return msgspec.json.encode(visible_parts(_object(kind, stop, wall, back_at))) + b"\n"


def _object(kind: Kind, stop: Stop, wall: Wall, back_at: int | None) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": stop.id,
        "name": stop.name,
        "verdict": stop.family,
        "stop_kind": stop.kind or None,
        "signal": None if stop.signal is None else signal_name(stop.signal),
        "code": stop.code,
        "source": stop.source or None,
        "pid": stop.pid or None,
        "incarnation": stop.incarnation or None,
        "successor": stop.successor or None,
        "cause": stop.cause,
        "interval": {
            "alive_at": stop.alive_at,
            "dead_at": stop.dead_at,
            "alive_utc": wall.label(stop.alive_at),
            "dead_utc": wall.label(stop.dead_at),
            "ms": (stop.dead_at - stop.alive_at) / MS,
        },
        "proof": stop.proof or None,
        "rung": stop.rung or None,
        "pidfd_at": stop.pidfd_at,
        "seen_at": stop.seen_at or None,
        "until": stop.until,
        "length_s": None if stop.until is None else (stop.until - stop.dead_at) / SECOND,
        "gap_ms": None if back_at is None or not stop.successor else max(0, back_at - stop.dead_at) / MS,
        "uptime_s": stop.uptime_s,
        "restarts": stop.restarts or None,
        "lives": stop.lives or None,
        "step_ms": stop.step_ns / MS if stop.step_ns else None,
        "streams": stop.streams or None,
        "evidence": stop.evidence,
        "excluded": stop.excluded,
        "hypotheses": stop.hypotheses,
        "alike": stop.alike,
        "suspects": stop.suspects,
        "log": stop.log,
    }
