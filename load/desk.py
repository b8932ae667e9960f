"""Where users of a load get what to send: by themselves, as closed users, or as it arrives.

A user is a place: it holds one request at a time. So the pool of an open load is bounded, and what arrives while all
places are taken is dropped, and counted; it is never sent late in silence.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from random import Random

from gevent.event import AsyncResult, Event

from load.users.asked import Sending
from load.users.ticket import Ticket

JITTER_S = 1.0
"""Closed users begin within this time, each at its own moment: streams that start together stay together."""


class Desk:
    """Hands out tickets. For the greenlets of one process."""

    def __init__(self, stopped: Event, seed: int = 0) -> None:
        self._stopped, self._seed = stopped, seed
        self._users, self._phase = 0, ""
        self._make: Callable[[], Sending] | None = None
        self._urgent: deque[Ticket] = deque()
        self._idle: deque[AsyncResult] = deque()
        self._begun: dict[int, str] = {}
        self._in: set[int] = set()
        self._quiet = Event()
        self._quiet.set()
        self.busy = 0

    @property
    def users(self) -> int:
        """How many users there are."""
        return len(self._in)

    def enter(self) -> int:
        """The number of a user that comes: the lowest that is free."""
        number = next(n for n in itertools.count() if n not in self._in)
        self._in.add(number)
        return number

    def leave(self, number: int) -> None:
        """A user goes; its number is free again."""
        self._in.discard(number)
        self._begun.pop(number, None)

    def admit(self, users: int, make: Callable[[], Sending] | None, phase: str) -> None:
        """The users with a number below ``users`` send what ``make`` gives, one request after the other."""
        self._users, self._make, self._phase = users, make, phase
        self._wake()

    def dismiss(self) -> list[Ticket]:
        """Nobody sends by himself any more. What still waits for a place of theirs is handed back."""
        self._users, self._make = 0, None
        left = list(self._urgent)
        self._urgent.clear()
        return left

    def offer(self, ticket: Ticket) -> bool:
        """Give a ticket to a user that has nothing to do; whether there was one."""
        if not self._idle:
            return False
        self._took()
        self._idle.popleft().set(ticket)
        return True

    def hurry(self, ticket: Ticket) -> bool:
        """Have a ticket sent next, in the place of a closed user's own, so that no more are under way than before."""
        if not self._users:
            return self.offer(ticket)
        if self._urgent:  # the one before it still waits: all users do
            return False
        self._urgent.append(ticket)
        return True

    def take(self, number: int) -> Ticket | None:
        """What a user sends next; waits for it. None: nothing more."""
        while not self._stopped.is_set():
            if number < self._users and self._make is not None:
                if self._begun.get(number) == self._phase:
                    self._took()
                    return self._urgent.popleft() if self._urgent else self._own()
                self._begun[number] = self._phase
                draw = Random(f"{self._seed}/{self._phase}/{number}/start")  # noqa: S311
                self._stopped.wait(draw.uniform(0, JITTER_S))
                continue
            waiting: AsyncResult = AsyncResult()
            self._idle.append(waiting)
            if (ticket := waiting.get()) is not None:
                given: Ticket = ticket
                return given
        return None

    def done(self) -> None:
        """A user has ended what it took."""
        self.busy -= 1
        if not self.busy:
            self._quiet.set()

    def quiet(self, seconds: float) -> bool:
        """Wait until nothing is under way; whether that came within so many seconds."""
        return bool(self._quiet.wait(max(seconds, 0.0)))

    def stop(self) -> None:
        """Wake those who wait: there is nothing more."""
        self._urgent.clear()
        self._wake()

    def _own(self) -> Ticket:
        assert self._make is not None
        return Ticket(self._make(), self._phase, patient=True)

    def _took(self) -> None:
        self.busy += 1
        self._quiet.clear()

    def _wake(self) -> None:
        while self._idle:
            self._idle.popleft().set(None)
