"""Whether an answer is that of an intermediary whose backend fails: by its status alone, without a list of programs."""

from __future__ import annotations

from seatrial.stops.state.work import Work

GATEWAYS = frozenset({502, 504})
"""Statuses that only an intermediary gives: the server behind it gave a wrong answer, or none in time (RFC 9110)."""


def gateway_status(work: Work) -> int | None:
    """The status by which the server says that what stands behind it failed; None: it does not say so."""
    failed = [ask.status for ask in work.flow.failed[-1:]]
    return next((status for status in (*failed, work.wellness.health) if status in GATEWAYS), None)
