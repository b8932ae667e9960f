"""The pidfds of the processes under observation, and when each of them was last silent."""

from __future__ import annotations

import select
import time
from collections import deque

from seatrial.monitor.process.tree import Member
from seatrial.monitor.target import Target

DYING_NS = 150_000_000
"""A large process takes up to this long from the signal to its end: seen within it, it may have been dying already."""


class Following:
    """Which pidfd is whose. Each pass of the loop in which a pidfd is silent proves that its process had not ended."""

    def __init__(self, poll: select.epoll) -> None:
        self._poll = poll
        self._watched: dict[int, tuple[Target, Member]] = {}
        self._passes: deque[int] = deque(maxlen=8)

    def __bool__(self) -> bool:
        return bool(self._watched)

    def passed(self) -> None:
        """The loop is about to look at all of them."""
        self._passes.append(time.monotonic_ns())

    def add(self, target: Target, watched: Member) -> None:
        """Poll a process from now on, where it has a pidfd."""
        if watched.pidfd is not None:
            self._watched[watched.pidfd] = (target, watched)
            self._poll.register(watched.pidfd, select.EPOLLIN)

    def get(self, handle: int) -> tuple[Target, Member] | None:
        """Whose pidfd it is."""
        return self._watched.get(handle)

    def reaping_only(self, watched: Member) -> None:
        """It has ended: from here on it wakes us only when its parent has reaped it."""
        if watched.pidfd is not None:
            self._poll.modify(watched.pidfd, 0)

    def drop(self, handle: int) -> None:
        self._poll.unregister(handle)
        del self._watched[handle]

    def alive_at(self, watched: Member, now: int) -> int:
        """When its pidfd was last silent and it was not dying yet; 0 where that is not known."""
        if watched.pidfd is None:
            return 0
        return max((t for t in list(self._passes)[:-1] if t <= now - DYING_NS), default=0)
