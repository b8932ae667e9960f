"""The times of one soak request, from its row. None where they cannot be told."""

from __future__ import annotations

from seatrial.records import SECOND, LoadRow


def ttft_s(row: LoadRow) -> float | None:
    """Seconds from sending to the first token (TTFT)."""
    return (row.first_at - row.sent_at) / SECOND if row.first_at else None


def tpot_s(row: LoadRow) -> float | None:
    """Seconds per token after the first (TPOT): (E2E - TTFT) / (n - 1), by the server's count of tokens."""
    if row.tokens is None or row.tokens <= 1 or row.last_at <= row.first_at:
        return None
    return (row.last_at - row.first_at) / SECOND / (row.tokens - 1)
