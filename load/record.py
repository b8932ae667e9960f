"""What a load leaves behind: a line before each request, a row after it, and the bytes of those worth keeping."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import msgspec

from load.users.asked import CHATS
from load.users.ticket import Ticket
from seatrial.records import (
    BUSY,
    OUR_ERROR,
    Counters,
    Crew,
    Dropped,
    Line,
    LoadPulse,
    LoadRow,
    Phase,
    PhaseSort,
    Sent,
    Stage,
)
from seatrial.run.writer import RunDirError, Writer
from seatrial.wire.masking.mask import Mask
from seatrial.wire.masking.redact import redact
from seatrial.wire.transports.load import Stream
from seatrial.wire.transports.outcomes import OUTCOMES

_Line = TypeVar("_Line", bound=Line)

SCENARIO = "soak/closed"
SAMPLE = 50
KEPT_PER_OUTCOME = 200
"""Of each kind of failure the first so many keep their bytes: a server down all night fails a million times alike."""

PLAIN = frozenset({"ok", "busy", "refused", "unreachable", "cancelled", "left", "declined"})
"""Outcomes whose bytes tell nothing their row does not."""


CUT = frozenset({"truncated", "reset", "stall", "deadline", "tls", "cancelled", "left", OUR_ERROR})
"""Outcomes of answers that are not whole."""


class RowWriter:
    """Writes the lines of one endpoint's load.

    Args:
        seed: of the sample of sound streams whose bytes are kept. The n-th has a chance of ``SAMPLE / n``: all of the
            first fifty, then ever fewer, spread over the whole night. Nothing written is taken back for it.
        generation: tells which life of the server is there now.
        mask: what no stored byte may show.

    Attributes:
        in_flight: requests that have left and have no row yet.
        unkept: answers that were to keep their bytes and found no room.
        unwritable: told what cannot be written; whether it is worth another try.
    """

    def __init__(
        self,
        writer: Writer,
        endpoint: str,
        seed: int,
        generation: Callable[[], int] = lambda: 0,
        mask: Mask | None = None,
    ) -> None:
        self._mask = mask or Mask(None)
        self._writer, self._endpoint, self._generation = writer, endpoint, generation
        self._sent_to: dict[str, int] = {}
        self._random = random.Random(f"{seed}/sample")  # noqa: S311
        self.outcomes: Counter[str] = Counter()
        self.listeners: list[Callable[[LoadRow], None]] = []
        self.in_flight = 0
        self.unkept = 0
        self.unwritable: Callable[[RunDirError], bool] = lambda _: False

    def begin(self, path: str = CHATS) -> str:
        """Write that a request is about to leave; its id."""
        generation = self._generation()
        line = Sent(
            endpoint=self._endpoint,
            scenario=SCENARIO,
            method="POST",
            path=path,
            generation=generation,
            load=True,
        )
        sent = self._write("exchanges.jsonl", line)
        self._sent_to[sent.id] = generation
        self.in_flight += 1
        return sent.id

    def end(self, row: LoadRow, s: Stream, path: str = CHATS) -> None:
        """Write the row of a request, and its bytes where they are worth it."""
        assert row.outcome in OUTCOMES
        self.in_flight -= 1
        self.outcomes[row.outcome] += 1
        if generation := self._answered_by(row):
            row = msgspec.structs.replace(row, generation=generation)
        try:
            if s.came and self._worth_keeping(row):
                self._keep(row, s, path)
        finally:
            self._write("rows.jsonl", row)
        for listener in self.listeners:
            listener(row)

    def dropped(self, ticket: Ticket) -> None:
        """Write that a request came while all places were taken."""
        asked = ticket.asked
        line = Dropped(
            endpoint=self._endpoint, intended_at=ticket.intended_at, phase=ticket.phase, workload=asked.workload
        )
        self.outcomes["dropped"] += 1
        self._write("rows.jsonl", line)

    def stage(self, what: Stage, at: int, facts: dict[str, str]) -> None:
        self._write("rows.jsonl", Phase(endpoint=self._endpoint, what=what, at=at, facts=facts))

    def phase(self, name: str, sort: PhaseSort, at: int, facts: dict[str, str]) -> None:
        """Write that a phase begins."""
        line = Phase(endpoint=self._endpoint, what=Stage.PHASE, at=at, facts=facts, name=name, sort=sort)
        self._write("rows.jsonl", line)

    def measured(self, name: str, sort: PhaseSort, at: int, facts: dict[str, str]) -> None:
        """Write what a phase has shown."""
        line = Phase(endpoint=self._endpoint, what=Stage.MEASURED, at=at, facts=facts, name=name, sort=sort)
        self._write("rows.jsonl", line)

    def note(self, line: Counters | LoadPulse | Crew) -> None:
        """Write a line that is about the load, and no request's."""
        self._write("rows.jsonl", line)

    def _store(self, content: bytes) -> tuple[int, int] | None:
        """Store bytes; where the disk is full, they are what is left out."""
        try:
            return self._writer.store(content)
        except RunDirError as error:
            self.unwritable(error)
            return None

    def _write(self, file: str, line: _Line) -> _Line:
        try:
            return self._writer.write(file, line)
        except RunDirError as error:
            if not self.unwritable(error):
                raise
            return self._writer.write(file, line)

    def _answered_by(self, row: LoadRow) -> int:
        """The generation a row belongs to: nobody has a whole answer of a server that has ended meanwhile."""
        sent_to = self._sent_to.pop(row.id, 0)
        return sent_to if row.outcome in CUT or not row.status else self._generation()

    def _worth_keeping(self, row: LoadRow) -> bool:
        seen = self.outcomes[row.outcome]
        if row.outcome in PLAIN and not row.findings:
            return row.outcome == "ok" and self._random.random() < SAMPLE / seen
        return seen <= KEPT_PER_OUTCOME

    def _keep(self, row: LoadRow, s: Stream, path: str) -> None:
        masked, _ = redact(self._mask, s.response, "POST")  # a key may be split over deltas, or packed
        request, response = self._store(s.request), self._store(masked)
        self.unkept += response is None
        line = s.line(
            row.id,
            endpoint=self._endpoint,
            scenario=SCENARIO,
            path=path,
            request=request or (0, 0),
            response=response or (0, 0),
            generation=row.generation,
            dropped=response is None,
        )
        self._write("exchanges.jsonl", line)


def row_of(
    request: str,
    endpoint: str,
    outcome: str,
    s: Stream,
    *,
    intended_at: int,
    ticket: Ticket | None = None,
    findings: tuple[str, ...] = (),
    draining: bool = False,
) -> LoadRow:
    """The row of a request from what was measured of it."""
    return LoadRow(
        id=request,
        endpoint=endpoint,
        outcome=outcome,
        intended_at=intended_at,
        sent_at=s.sent_at or intended_at,
        ended_at=s.ended_at,
        first_at=s.first_at,
        last_at=s.last_at,
        gap_from=s.gap_from,
        gap_to=s.gap_to,
        prompt_tokens=s.prompt_tokens,
        tokens=s.tokens,
        deltas=s.deltas,
        finish_reason=s.finish_reason,
        named=s.named,
        status=s.status,
        detail="" if outcome == "ok" else _detail(s),
        findings=findings,
        draining=draining,
        phase=ticket.phase if ticket else "",
        workload=ticket.asked.workload if ticket else "",
        canary=ticket is not None and ticket.asked.canary,
        cap=ticket.asked.cap if ticket else 0,
        cached=s.cached,
        drafted=s.drafted,
        accepted=s.accepted,
        byte_at=s.frames[0][0] if s.frames else 0,
        content_at=s.content_at,
    )


def _detail(s: Stream) -> str:
    """What a server or a connection said was wrong, and when the server wants the request again."""
    said = s.fault or s.detail
    return f"{said}; Retry-After {s.retry_after}" if s.retry_after and s.status in BUSY else said
