"""What a phase is steered by: the time, the users, the traffic, and what was measured before it. Times in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from load.fleet.share import ALONE, LoadShare
from load.users.asked import Sending
from load.users.ticket import Ticket
from load.users.traffic import Traffic
from seatrial.given.phases import SoakPhase


class Time(Protocol):
    """A clock, and a way to wait for it."""

    def now(self) -> float:
        """Seconds, monotonic."""

    def until(self, at: float) -> bool:
        """Wait until a time; whether to go on: False once the load is to end."""


class Places(Protocol):
    """The users of a load, as phases use them: see :class:`load.desk.Desk`."""

    def admit(self, users: int, make: Callable[[], Sending] | None, phase: str) -> None: ...

    def dismiss(self) -> list[Ticket]: ...

    def offer(self, ticket: Ticket) -> bool: ...

    def quiet(self, seconds: float) -> bool: ...


@dataclass(slots=True)
class Helm:
    """What all phases of a load share.

    Attributes:
        slots: closed users of a phase that does not say how many.
        drop: told of each request that came while all places were taken.
        measured: requests a second that the server answered in the last phase that shows it; None: in none.
        share: which part of the load is ours.
        begun: when the phase began for all who send a part of it; None: when it begins here.
    """

    time: Time
    desk: Places
    traffic: Traffic
    seed: int
    slots: int
    drop: Callable[[Ticket], None]
    measured: float | None = None
    share: LoadShare = ALONE
    begun: float | None = None

    def begin(self) -> float:
        """When the phase that is sent began."""
        return self.time.now() if self.begun is None else self.begun

    def rates(self, phase: SoakPhase) -> tuple[float, ...]:
        """The rates of a phase in requests a second; none where it takes a share of what was not measured."""
        if phase.rps:
            return phase.rps
        return tuple(share * self.measured for share in phase.share) if self.measured else ()
