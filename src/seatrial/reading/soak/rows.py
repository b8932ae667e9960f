"""The times of one soak request, from its row, and whether they are good enough. None where they cannot be told."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seatrial.reading import fields
from seatrial.records import SECOND, LoadRow

_LIMIT = re.compile(r"(?P<what>ttft|tpot)=(?P<number>\d{1,9}(?:\.\d{1,9})?)(?P<unit>ms|s)")


@dataclass(frozen=True, slots=True)
class Slo:
    """What a good answer keeps: seconds to its first token from when it was meant to be sent, and seconds a token."""

    ttft_s: float | None = None
    tpot_s: float | None = None

    def holds(self, row: LoadRow) -> bool:
        """Whether a request was answered, and within the limits that are set."""
        if row.outcome != "ok":
            return False
        waited, pace = waited_s(row), tpot_s(row)
        slow = self.ttft_s is not None and (waited is None or waited > self.ttft_s)
        return not slow and (self.tpot_s is None or pace is None or pace <= self.tpot_s)


def slo(text: str) -> Slo:
    """Read ``ttft=2s,tpot=80ms``; each of them may be left out, not both.

    Raises:
        ValueError: it is no such text.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        match = _LIMIT.fullmatch(part.strip())
        if match is None or match["what"] in found or not float(match["number"]):
            raise ValueError(f"{part.strip() or text} is no limit; say ttft=2s,tpot=80ms, or one of them")
        found[match["what"]] = float(match["number"]) / (1000 if match["unit"] == "ms" else 1)
    return Slo(found.get("ttft"), found.get("tpot"))


def waited_s(row: LoadRow) -> float | None:
    """Seconds from when a request was meant to be sent to its first token: what its user waits, our delay included."""
    return (row.first_at - row.intended_at) / SECOND if row.first_at else None


def ttft_s(row: LoadRow) -> float | None:
    """Seconds from sending to the first token (TTFT)."""
    return (row.first_at - row.sent_at) / SECOND if row.first_at else None


def ttfb_s(row: LoadRow) -> float | None:
    """Seconds from sending to the first byte of the answer (TTFB)."""
    return (row.byte_at - row.sent_at) / SECOND if row.byte_at else None


def ttfo_s(row: LoadRow) -> float | None:
    """Seconds from when it was meant to be sent to its first token that is no thought (TTFO)."""
    return (row.content_at - row.intended_at) / SECOND if row.content_at else None


def e2e_s(row: LoadRow) -> float | None:
    """Seconds from when it was meant to be sent to its last token (E2E)."""
    return (row.last_at - row.intended_at) / SECOND if row.last_at else None


def tpot_s(row: LoadRow) -> float | None:
    """Seconds per token after the first (TPOT): (E2E - TTFT) / (n - 1), by the server's count of tokens."""
    tokens = fields.counted(row.tokens)
    if tokens is None or tokens <= 1 or row.last_at <= row.first_at:
        return None
    return (row.last_at - row.first_at) / SECOND / (tokens - 1)


def chunk_s(row: LoadRow) -> float | None:
    """Seconds per chunk after the first: what stands for TPOT, as an estimate, where a server tells no tokens."""
    if fields.counted(row.tokens) is not None or row.deltas <= 1 or row.last_at <= row.first_at:
        return None
    return (row.last_at - row.first_at) / SECOND / (row.deltas - 1)
