"""Requests that are under way at the same time at a server without sockets, in a time of its own.

Each has its turn when the server says that it goes on; what a pause takes there takes no time here. So order, waits and
leavings are the same each time, and a hundred runs cost seconds.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seatrial.records import LEFT, SECOND, Leaving
from seatrial.wire.decoding.framing import lay_out
from seatrial.wire.transports.bounded import SIGNS, SOON_S
from seatrial.wire.transports.http import Recording
from tests.golden.items import Act, Pause, Piece
from tests.golden.memory import Memory, read

STEP_S = 0.0001
"""What a piece of an answer takes on its way."""

TOKEN_S = 0.02
"""What a token takes, where the server itself takes no time."""

ENDS = {Act.CUT: "cut", Act.RESET: "reset", Act.DIE: "cut"}


@dataclass
class Asked:
    """A request as it is sent, and when its client comes and goes."""

    request: bytes
    leaves: Leaving = Leaving.NEVER
    after_s: float = 0.0
    deadline_s: float = 60.0


@dataclass
class _Visit:
    asked: Asked
    came: float
    out: bytearray = field(default_factory=bytearray)
    frames: list[tuple[int, int]] = field(default_factory=list)
    answer: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    pieces: Iterator[Piece] | None = None
    error: str = ""
    ended: float = 0.0

    @property
    def goes(self) -> float:
        """When its client leaves at the latest."""
        return self.came + (SOON_S if self.asked.leaves is Leaving.SOON else self.asked.deadline_s)

    def end(self, now: float, error: str = "") -> None:
        self.answer.close()
        self.ended, self.error = now, error


class Hour:
    """The time of one server, which goes on by itself while requests are under way. One thread uses it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._now = time.monotonic()

    def hold(self, asked: Mapping[str, Asked]) -> dict[str, Recording]:
        """What comes of requests that are sent at the same time."""
        service = self._memory.service
        service.slots.clock = lambda: self._now
        pace, service.token_s = service.token_s, service.token_s or TOKEN_S
        try:
            visits = {name: _Visit(each, self._now + each.after_s) for name, each in asked.items()}
            self._run(list(visits.values()))
        finally:
            service.token_s = pace
        return {name: _recording(visit) for name, visit in visits.items()}

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def _run(self, visits: list[_Visit]) -> None:
        order = itertools.count()
        turns = [(visit.came, next(order), visit) for visit in visits]
        heapq.heapify(turns)
        while turns:
            at, _, visit = heapq.heappop(turns)
            self._now = max(self._now, at)
            if (again := self._turn(visit)) is not None:
                heapq.heappush(turns, (min(again, visit.goes), next(order), visit))

    def _turn(self, visit: _Visit) -> float | None:
        """Go on with one request; when it has its next turn, or None: it is over."""
        now = self._now
        if now >= visit.goes:
            return visit.end(now, LEFT if visit.asked.leaves is Leaving.SOON else "deadline")
        if visit.pieces is None:
            return self._begin(visit)
        return self._went_on(visit, next(visit.pieces, None))

    def _went_on(self, visit: _Visit, piece: Piece | None) -> float | None:
        """What becomes of a request by a piece of its answer; None: there is no more."""
        now = self._now
        if isinstance(piece, bytes):
            visit.out += piece
            visit.frames.append((int(now * SECOND), len(piece)))
            sign = SIGNS.get(visit.asked.leaves)
            if sign is not None and visit.out.count(sign[0]) >= sign[1]:
                return visit.end(now, LEFT)
            return now + STEP_S
        if isinstance(piece, Pause):
            return now + max(piece.seconds, STEP_S)
        if piece in (Act.STALL, Act.DEAF):
            return visit.goes
        return visit.end(now, _broken(piece, visit.out) if isinstance(piece, Act) else "")

    def _begin(self, visit: _Visit) -> float | None:
        self._memory.service.truth.count("connections")
        if visit.asked.leaves is Leaving.OPEN:
            return visit.end(self._now, LEFT)
        request = read(visit.asked.request, visit.out, self._memory.service.heard)
        if request is None:
            return visit.goes
        visit.pieces = visit.answer.enter_context(self._memory.service.answering(request))
        if visit.asked.leaves is Leaving.SENT:  # the server has begun, and finds that nobody is there
            next(visit.pieces, None)
            return visit.end(self._now, LEFT)
        return self._now + STEP_S


def _broken(act: Act, out: bytes | bytearray) -> str:
    """The error of an answer whose connection ends by an act; empty where it was whole by then."""
    told = lay_out(bytes(out), "POST")
    whole = told.status is not None and not told.fault and (not told.chunked or told.last_chunk)
    return "" if act is Act.CUT and whole else ENDS[act]


def _recording(visit: _Visit) -> Recording:
    return Recording(
        request=visit.asked.request,
        response=bytes(visit.out),
        frames=tuple(visit.frames),
        sent_at=int(visit.came * SECOND),
        ended_at=int(visit.ended * SECOND),
        error=visit.error,
        detail=visit.error,
    )
