"""How far the clock of another host is from ours, and by how much that may be wrong.

A question and its answer bear four times; whatever the way there and the way back took, the other clock lies within
half of the round trip around their middle (Cristian, Distributed Computing 1989). So the shortest round trip of the
last while is believed, and no mean. Two clocks drift apart meanwhile: what they may have is added to the error.
"""

from __future__ import annotations

from collections import deque

from seatrial.records import SECOND

WINDOW_NS = 60 * SECOND
"""A round trip that is older is not believed."""

HOLD_NS = 5 * SECOND
"""For so long what was found is kept, where nothing much better comes: each change is a line of the record."""

DRIFT = 1e-3
"""Two clocks drift apart by such a part of the time, at most: each may be slewed, by 500 ppm (adjtimex)."""

_Seen = tuple[int, int, int]


class ClockOffset:
    """What is added to our time to come to that of somebody who is asked for it."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque()
        self._since = 0
        self.found: tuple[int, int] = (0, 0)
        """The offset, and by how much it may be wrong at most; ns."""

    @property
    def known(self) -> bool:
        """Whether somebody has answered."""
        return bool(self._seen)

    def exchange(self, sent: int, heard: int, told: int, back: int) -> None:
        """An answer came: our time when it was asked and when it was there, theirs in between. All in ns."""
        first = not self._seen
        trip = max(0, (back - sent) - (told - heard))
        self._seen.append((back, trip, ((heard - sent) + (told - back)) // 2))
        while self._seen[0][0] < back - WINDOW_NS:
            self._seen.popleft()
        best = min(self._seen, key=lambda seen: _error(seen, back))
        error = _error(best, back + HOLD_NS)
        if first or back - self._since >= HOLD_NS or 2 * error < self.found[1]:
            self.found, self._since = (best[2], error), back


def _error(seen: _Seen, now: int) -> int:
    """By how much an offset that was found may be wrong at a later time."""
    at, trip, _ = seen
    return trip // 2 + 1 + round((now - at) * DRIFT)
