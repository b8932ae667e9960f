"""The slots of the server: so many chats are worked on at a time, and others wait. Who leaves gives his slot back."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests.golden.chat import SLOTS
from tests.golden.items import Act, Pause, Piece
from tests.golden.registry import Call

TURN_S = 0.01

State = Literal["queued", "reading", "working"]


@dataclass(frozen=True, slots=True)
class Left:
    """A client left before the end of its answer: what it was doing, and for how many seconds its slot is kept."""

    state: State
    kept_s: float = 0.0


class Slots:
    """Who is worked on. One thread uses it. ``clock`` gives seconds."""

    def __init__(self, count: int = SLOTS) -> None:
        self.count = count
        self.clock: Callable[[], float] = time.monotonic
        self._busy = 0
        self._kept: list[float] = []  # until when slots are kept that nobody uses

    def served(self, call: Call, pieces: Iterator[Piece], reading_s: float) -> Iterator[Piece]:
        """An answer, once there is a slot for it and its prompt has been read."""
        state: State | Literal["ended"] = "queued"
        try:
            while self._busy + self._left() >= self.count:
                yield Pause(TURN_S) if self._some_end() else Act.STALL
            self._busy += 1
            state = "reading"
            if reading_s:
                yield Pause(reading_s)
            state = "working"
            yield from pieces
            state = "ended"
        finally:
            self._busy -= state != "queued"
            if state != "ended" and (kept_s := call.change("left", Left(state)).kept_s):
                self._kept.append(self.clock() + kept_s)

    def _left(self) -> int:
        now = self.clock()
        self._kept = [until for until in self._kept if until > now]
        return len(self._kept)

    def _some_end(self) -> bool:
        return self._busy > 0 or any(until < math.inf for until in self._kept)
