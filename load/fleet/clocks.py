"""How far the clock of another host is from ours, and by how much that may be wrong.

A question and its answer bear four times; whatever the way there and the way back took, the other clock lies within
half of the round trip around their middle (Cristian, Distributed Computing 1989). So the shortest round trip of the
last while is believed, and no mean. Two clocks drift apart by some parts of a million: the while is short.
"""

from __future__ import annotations

from collections import deque

from seatrial.records import SECOND

WINDOW_NS = 60 * SECOND
"""So long a round trip is believed: clocks that drift apart by 50 ppm are 3 ms apart by then."""


class ClockOffset:
    """What is added to our time to come to that of somebody who is asked for it."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, int]] = deque()

    @property
    def known(self) -> bool:
        """Whether somebody has answered."""
        return bool(self._seen)

    def exchange(self, sent: int, heard: int, told: int, back: int) -> None:
        """An answer came: our time when it was asked and when it was there, theirs in between. All in ns."""
        trip = max(0, (back - sent) - (told - heard))
        offset = ((heard - sent) + (told - back)) // 2
        self._seen.append((back, trip, offset))
        while self._seen[0][0] < back - WINDOW_NS:
            self._seen.popleft()

    @property
    def found(self) -> tuple[int, int]:
        """The offset, and by how much it may be wrong at most."""
        if not self._seen:
            return 0, 0
        _, trip, offset = min(self._seen, key=lambda seen: seen[1])
        return offset, trip // 2 + 1
