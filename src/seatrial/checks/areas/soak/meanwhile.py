"""What the recorder saw of the server in the seconds in which requests of a soak went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.areas.soak.aside.queued import GIVEN_UP
from seatrial.reading.seen import Seen, Span
from seatrial.records import LoadRow, SoakRun


def of(run: SoakRun, rows: Sequence[LoadRow]) -> str:
    """What /health said and its process did while these requests went wrong; where nobody looked, that."""
    return seen(run).told(_span(row) for row in rows)


def seen(run: SoakRun) -> Seen:
    """What was seen of the server in all the time of a soak."""
    return Seen(run.probes, run.samples)


def _span(row: LoadRow) -> Span:
    """A request that was given up went wrong from its last token on; any other one in the moment it ended."""
    since = max(row.last_at, row.first_at, row.sent_at) if row.outcome in GIVEN_UP else row.ended_at
    return min(since, row.ended_at), row.ended_at
