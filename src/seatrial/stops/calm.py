"""Requests of a load that went as they should, many of them at once: of a night's lines three in four are such.

Where no stop is open, requests that leave and answers that are whole change counts and the latest proofs alone. Between
two other lines only what is left after the last of them can be seen, and that is reckoned here in one go: the state is
the same, to the last field, as after one line at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from msgspec.structs import replace

from seatrial.records import Line, LoadRow, Sent
from seatrial.stops.process import requests
from seatrial.stops.state.cases import told
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Server
from seatrial.stops.streams import broken
from seatrial.stops.work import flow

Calm = Sent | LoadRow
"""Lines that may be calm."""
KINDS = frozenset({Sent, LoadRow})


def is_calm(line: Line, limits: Limits) -> TypeGuard[Calm]:
    """Whether a line tells of a request that leaves, or that ended whole and without a stall."""
    if type(line) is LoadRow:
        return line.outcome == "ok" and line.finish_reason != "" and line.gap_to - line.gap_from < limits.stall
    return type(line) is Sent


def is_quiet(server: Server) -> bool:
    """Whether nothing is open of a server on which a request that went well would bear."""
    return not (server.cases or server.children.child_ends or server.streams.unfinished)


def caught_up(server: Server, lines: Sequence[Calm]) -> Server:
    """A quiet server after calm lines of it, in their order."""
    names = [f"{line.w}-{line.n}" if type(line) is Sent else line.id for line in lines]  # as Sent.id, at hand
    rows = [line for line in lines if type(line) is LoadRow]
    times = [told(row) for row in rows]
    server = requests.several(server, lines, names, times)
    work, streams = flow.several(server.work, lines, names, times), server.streams
    return replace(server, work=work, streams=broken.in_order(streams, rows) if rows else streams)
