"""Canaries in words: how many were not answered, and what the server said to the latest of them."""

from __future__ import annotations

from seatrial.records import Ask
from seatrial.stops.state.sights import Sight
from seatrial.stops.state.work import Work

ENDS = {
    "truncated": "the answer was cut",
    "reset": "the connection was closed unanswered",
    "sse_error": "an error inside the stream",
    "empty": "an answer without a word in it",
    "no_terminator": "an answer without its end",
    "not_a_stream": "no stream",
    "malformed": "a stream of no chat chunks",
    "stall": "no answer",
    "deadline": "no answer",
}
"""How a canary ended, by its outcome."""


def answer_of(ask: Ask, *, quoted: bool = False) -> str:
    """What came of a canary: ``HTTP 500 generate() failed``, ``HTTP 503 "no available workers"``."""
    status = f"HTTP {ask.status}" if ask.status not in (None, 200) else ENDS.get(ask.outcome, ask.outcome)
    detail = f'"{ask.detail}"' if quoted and ask.detail else ask.detail
    return f"{status} {detail}" if detail else status


def unanswered(work: Work, shown: Sight) -> str:
    """What the canaries show: ``3 canaries: HTTP 500 generate() failed``."""
    seen = work.canaries
    if shown is Sight.REFUSING and seen.busy:
        return f"{seen.row} canaries, 0 answered: {answer_of(seen.busy[-1], quoted=True)}"
    if shown is Sight.SHARE and seen.failed is not None:
        failed = sum(once.failed for once in seen.latest)
        return f"{failed} of the last {len(seen.latest)} canaries failed: {answer_of(seen.failed)}"
    latest = work.flow.failed[-1] if work.flow.failed else seen.failed
    return "" if latest is None else f"{max(seen.row, len(work.flow.failed))} canaries: {answer_of(latest)}"
