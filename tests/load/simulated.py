"""A load without clock, socket or greenlet: time jumps to what is waited for, and a server is a queue of slots."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from load.record import row_of
from load.shapes import shapes
from load.shapes.helm import Helm
from load.users.asked import AskedOf, Sending
from load.users.ticket import Ticket
from load.users.traffic import Traffic
from seatrial.given import workload
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, Endpoint, LoadRow
from seatrial.wire.transports.load import Stream

ENDPOINT = Endpoint(name="8080", url="http://h/v1", kind="generic", model="m", models=("m",), slots=8, context=4096)


def traffic(named: str = "short", seed: int = 1, endpoint: Endpoint = ENDPOINT) -> Traffic:
    return Traffic(workload.named(named), AskedOf(endpoint, seed, 48, 4))


@dataclass
class Queue:
    """Slots that serve in order of arrival, each request for ``service_s``; nothing is served during ``stalls``.

    A request holds a place from when it is taken to its end. ``late``: by how much the clock runs on at each wait.
    ``named``: the traffic.
    """

    slots: int = 8
    service_s: float = 4.0
    places: int = 256
    stalls: tuple[tuple[float, float], ...] = ()
    late: float = 0.0
    named: str = "short"
    at: float = 0.0
    taken: list[Ticket] = field(default_factory=list)
    dropped: list[Ticket] = field(default_factory=list)
    hurried: list[Ticket] = field(default_factory=list)
    listeners: list[Callable[[LoadRow], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._free = [0.0] * self.slots
        self._ends: list[float] = []
        self._make: Callable[[], Sending] | None = None
        self._users, self._phase = 0, ""

    def now(self) -> float:
        return self.at

    def until(self, at: float) -> bool:
        closed = [self.at] * self._users
        while closed and (turn := heapq.heappop(closed)) < at and self._make is not None:
            heapq.heappush(closed, self._serve(Ticket(self._make(), self._phase, at=max(1, round(turn * SECOND)))))
        self.at = max(self.at, at) + self.late
        return True

    def admit(self, users: int, make: Callable[[], Sending] | None, phase: str) -> None:
        self._users, self._make, self._phase = users, make, phase

    def dismiss(self) -> list[Ticket]:
        self._users = 0
        left, self.hurried = self.hurried, []
        return left

    def offer(self, ticket: Ticket) -> bool:
        self._ends = [end for end in self._ends if end > self.at]
        if len(self._ends) >= self.places:
            return False
        self._ends.append(self._serve(ticket))
        return True

    def quiet(self, seconds: float) -> bool:
        self.at = max([self.at, *(end for end in self._ends if end <= self.at + seconds)])
        return True

    def _serve(self, ticket: Ticket) -> float:
        """When the answer to a request ends, which gets the next free slot."""
        begins = max(ticket.intended_at / SECOND, heapq.heappop(self._free))
        ends = self._worked(begins, self.service_s)
        heapq.heappush(self._free, ends)
        first = self._worked(begins, self.service_s / 10)
        sent_at, ended_at = ticket.intended_at, round(ends * SECOND)
        ticket.stream = Stream(sent_at=sent_at, first_at=round(first * SECOND), ended_at=ended_at)
        ticket.outcome = "left" if ticket.asked.leave_after else "ok"
        self.taken.append(ticket)
        row = row_of("r", "8080", ticket.outcome, ticket.stream, intended_at=sent_at, ticket=ticket)
        for listener in self.listeners:
            listener(row)
        return ends

    def _worked(self, begins: float, seconds: float) -> float:
        """When so many seconds of work are done."""
        end = begins + seconds
        for since, until in self.stalls:
            if begins < until and end > since:
                end += until - max(since, begins)
        return end

    def helm(self, seed: int = 1, measured: float | None = None) -> Helm:
        return Helm(self, self, traffic(self.named, seed), seed, self.slots, self.dropped.append, measured)

    def sail(self, phase: SoakPhase, helm: Helm | None = None) -> Helm:
        """Run one phase from now to its end."""
        at = helm or self.helm()
        shapes()[phase.sort](phase, at, self.at + phase.seconds)
        return at
