"""What a request and an answer say of how long to wait: for it, and before it is sent again."""

from __future__ import annotations

from seatrial.checks.look import SOUND
from seatrial.checks.traits import FAULTY
from seatrial.records import BUSY, Request, Scenario
from seatrial.trial.sending.pace import Sort

LONGEST_WAIT_S = 20.0


def sort_of(scenario: Scenario, key: str, request: Request) -> Sort:
    """What sort of request it is, by how long it may honestly be silent."""
    if scenario.traits >= FAULTY and key not in SOUND:
        return "faulty request"
    if request.method != "POST":
        return "page"
    return "stream" if isinstance(request.body, dict) and request.body.get("stream") is True else "plain answer"


def retry_after(response: bytes) -> float | None:
    """Seconds to wait where the answer is 429 or 503; None for any other."""
    head = response[:65536].partition(b"\r\n\r\n")[0]
    status = head[9:12]
    if not status.isdigit() or int(status) not in BUSY:
        return None
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"retry-after" and value.strip().isdigit():
            return min(float(value), LONGEST_WAIT_S)
    return 1.0
