"""One request on its way: what is sent, when it was meant to be, and what became of it."""

from __future__ import annotations

import time

from load.users.asked import Sending
from seatrial.wire.transports.load import Stream


class Ticket:
    """One request on its way: what is sent, when it was meant to be, in which phase, and what became of it.

    Attributes:
        then: what is sent by the same user once this one has ended.
        patient: its user waits after a failure before it sends again, as one does who waits for his answer.
        stream: what came of it so far; None: it was not begun.
        outcome: empty until it has ended.
    """

    __slots__ = ("asked", "intended_at", "outcome", "patient", "phase", "stream", "then")

    def __init__(
        self, asked: Sending, phase: str, *, at: int = 0, then: Sending | None = None, patient: bool = False
    ) -> None:
        self.asked, self.phase, self.then, self.patient = asked, phase, then, patient
        self.intended_at = at or time.monotonic_ns()
        self.stream: Stream | None = None
        self.outcome = ""
