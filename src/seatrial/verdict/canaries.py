"""What came of a watch's canaries, live and when its record is judged: how many were sent, and how many answered. Pure.

A canary was answered that got a token, or that ended in order.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from seatrial.records import SECOND, Ask

PATIENT_NS = 10 * SECOND
"""A canary that has waited for so long when the record ends was sent and not answered."""
NOT_TESTED = "the engine"


class Tally(msgspec.Struct):
    """The canaries of one endpoint, as its lines come. Not frozen: a night holds thousands."""

    sent: int = 0
    answered: int = 0
    said: str = ""  # what came of the latest that was not answered
    waits: bool = False  # one is under way, and has been for long
    why: str = ""  # why none was sent last

    def take(self, line: Ask) -> None:
        """One more line about a canary."""
        if line.skipped:
            self.waits, self.why = False, line.skipped
        elif not line.ended_at:
            self.waits = not line.first_at and line.t - line.asked_at >= PATIENT_NS
        else:
            got = line.outcome == "ok" or bool(line.first_at)
            self.sent, self.answered, self.waits = self.sent + 1, self.answered + got, False
            self.said = self.said if got else _said(line)

    @property
    def all_sent(self) -> int:
        """Those that are over, and one that has waited for long."""
        return self.sent + self.waits

    @property
    def unanswered(self) -> str:
        """What a READY lacks where canaries were sent and none was answered; else empty."""
        sent = self.all_sent
        if self.answered or not sent:
            return ""
        latest = self.said or "it has not answered yet"
        return f"{sent} {'canary was' if sent == 1 else 'canaries were'} sent and none answered: {latest}"


def tallies(lines: Iterable[Ask]) -> dict[str, Tally]:
    """The canaries of each endpoint."""
    found: dict[str, Tally] = {}
    for line in lines:
        if line.rung == "canary":
            found.setdefault(line.name, Tally()).take(line)
    return found


def words(found: dict[str, Tally], names: Iterable[str]) -> str:
    """``canaries: 3 of 37 answered``; of several endpoints with each one's; empty where none was sent."""
    asked = {name: tally for name in names if (tally := found.get(name)) is not None and tally.all_sent}
    if not asked:
        return ""
    sent, answered = (sum(getattr(tally, field) for tally in asked.values()) for field in ("all_sent", "answered"))
    each = ", ".join(f"{name} {tally.answered} of {tally.all_sent}" for name, tally in asked.items())
    return f"canaries: {answered} of {sent} answered{f' ({each})' if len(asked) > 1 else ''}"


def _said(line: Ask) -> str:
    status = f"HTTP {line.status}" if line.status not in (None, 200) else line.outcome
    return f"{status} {line.detail}".strip()
