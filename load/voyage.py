"""A load from phase to phase: who is at the helm, how long, and what is asked meanwhile of every phase alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import gevent
from gevent.event import Event

from load.desk import Desk
from load.record import RowWriter
from load.shapes import Shape, shapes
from load.shapes.helm import Helm
from load.users.ticket import Ticket
from seatrial.checks.areas.soak.parts import BESIDE
from seatrial.given.phases import CLOSED, MEASURES, RATES, SoakPhase
from seatrial.records import LEFT, LoadRow, PhaseSort

UNASKED = frozenset({PhaseSort.BASELINE, PhaseSort.REST})
"""Sorts of phases in which nothing is asked beside what they send themselves."""

SERVED = frozenset({"ok", LEFT})

EARLY_S = 2.0
"""A load whose phases are over by more than this before its time ends then."""


class LoadTime:
    """The monotonic clock, and waiting that ends with the load."""

    def __init__(self, stopped: Event) -> None:
        self._stopped = stopped

    def now(self) -> float:
        return time.monotonic()

    def until(self, at: float) -> bool:
        while (left := at - time.monotonic()) > 0:
            if self._stopped.wait(left):
                return False
        return not self._stopped.is_set()


class LoadVoyage:
    """Sends the phases of a load, in order.

    Args:
        patience_s: how long a phase waits at its beginning for what is still under way.
        ways: who sends each sort of phase; None: this process.
    """

    def __init__(
        self,
        phases: Sequence[SoakPhase],
        helm: Helm,
        desk: Desk,
        recorder: RowWriter,
        patience_s: float,
        ways: Mapping[PhaseSort, Shape] | None = None,
    ) -> None:
        self._ways = shapes() if ways is None else ways
        self._phases, self._helm, self._desk, self._recorder = phases, helm, desk, recorder
        self._patience_s = patience_s
        self._answered, self._began = 0, 0.0
        self.phase: SoakPhase | None = None

    def sail(self, over: Callable[[], None]) -> None:
        """Run all phases.

        Args:
            over: called where they are over before their time.
        """
        ways, at = self._ways, self._helm.time.now()
        planned = at + sum(phase.seconds for phase in self._phases)
        self._recorder.listeners.append(self._count)
        for number, phase in enumerate(self._phases, 1):
            until = at + phase.seconds
            self._quiet(min(self._patience_s, until - self._helm.time.now()))
            if not self._helm.time.until(0):
                return
            self._begin(phase, number)
            ways[phase.sort](phase, self._helm, until)
            at = min(until, self._helm.time.now())
            if number < len(self._phases) and self._helm.time.until(0):
                self._measure(phase, self._phases[number].seconds)
        if planned - at > EARLY_S and self._helm.time.until(0):
            over()

    def every(self, seconds: float, send: Callable[[SoakPhase], None]) -> None:
        """Call something at each such time, in phases that are not left alone."""
        at = self._helm.time.now() + seconds
        while self._helm.time.until(at):
            if self.phase is not None and self.phase.sort not in UNASKED:
                send(self.phase)
            at += seconds

    def canary(self, phase: SoakPhase) -> None:
        """Send a canary as soon as there is a place for it."""
        ticket = Ticket(self._helm.traffic.canary(), phase.name)
        if not self._desk.hurry(ticket):
            self._recorder.dropped(ticket)

    def invalid(self, phase: SoakPhase) -> None:
        """Send a request that must be refused, and after it one that must be answered."""
        traffic = self._helm.traffic
        ticket = Ticket(traffic.invalid(), phase.name, then=traffic.look())
        if not self._desk.hurry(ticket):
            self._recorder.dropped(ticket)

    def _begin(self, phase: SoakPhase, number: int) -> None:
        facts = {"n": f"{number} of {len(self._phases)}", "seconds": f"{phase.seconds:g}"}
        if phase.sort in CLOSED:
            facts["users"] = str(phase.users or self._helm.slots)
        elif phase.sort in RATES:
            rates = self._helm.rates(phase)
            facts["rps"] = " to ".join(f"{rate:.3g}" for rate in rates) or "none"
        self.phase, self._answered, self._began = phase, 0, self._helm.time.now()
        self._recorder.phase(phase.name, phase.sort, time.monotonic_ns(), facts)

    def _measure(self, phase: SoakPhase, longest_s: float) -> None:
        """Write down what a phase has shown to those after it.

        Where no answer ended within a phase, those count that it waited for, over all of that time.
        """
        if phase.sort == PhaseSort.CLOSED:
            rate = self._rate()
            if not rate:
                self._quiet(min(self._patience_s, longest_s))
                rate = self._rate()
            self._helm.measured = rate or None
        if phase.sort in MEASURES:
            found = self._helm.measured
            facts = {"rps": "" if found is None else f"{found:.4g}"}
            self._recorder.measured(phase.name, phase.sort, time.monotonic_ns(), facts)

    def _quiet(self, seconds: float) -> None:
        """Wait until nothing is under way, so long at most."""
        self._desk.quiet(seconds)

    def _rate(self) -> float:
        """Answers a second since the phase began."""
        return self._answered / max(self._helm.time.now() - self._began, 1e-9)

    def _count(self, row: LoadRow) -> None:
        self._answered += self.phase is not None and row.phase == self.phase.name and is_served(row)


def is_served(row: LoadRow) -> bool:
    """Whether a request of the traffic had what it wanted: an answer, or as much of it as its client stayed for."""
    return row.outcome in SERVED and not row.canary and row.workload not in BESIDE


def sail(
    voyage: LoadVoyage,
    canary_s: float,
    invalid_s: float | None,
    over: Callable[[], None],
    broken: Callable[[BaseException | None], None],
) -> None:
    """Set out: the phases, and what is asked beside them.

    Args:
        over: called where the phases are over before their time.
        broken: called with what keeps them from being gone on with (a full disk, a slip of ours): a load that sends
            nothing from then on would look like a quiet one.
    """
    begun = [gevent.spawn(voyage.sail, over), gevent.spawn(voyage.every, canary_s, voyage.canary)]
    if invalid_s is not None:
        begun.append(gevent.spawn(voyage.every, invalid_s, voyage.invalid))
    for each in begun:
        each.link_exception(lambda dead: broken(dead.exception))
