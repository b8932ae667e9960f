"""The load as its master has it, which sends nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gevent
from gevent.event import Event

from load.desk import Desk
from load.fleet.master import FleetMaster
from load.fleet.messages import Channel, Welcome
from load.record import RowWriter
from load.session import LoadSession
from load.settings import LoadSettings
from load.shapes import sweep
from load.shapes.helm import Helm
from load.users.traffic import Traffic
from load.voyage import LoadTime, LoadVoyage
from load.worker import BACKSTOP_S, CUT_S, SHIP_S
from seatrial.checks.areas.soak.validity import WORKERS
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, Hazard, PhaseSort
from seatrial.statistics.knee import Tried

GATHER_S = 60.0
"""From when Locust has its workers to when each has its users and knows the time."""

DESERTED = "all of its workers went away"

TELL_S = 5.0
"""Within this time after a phase workers say what came of it."""


class MasterSession(LoadSession):
    """The load as its master has it.

    Args:
        runner: Locust's.
        workers: how many take part.
        say: takes a line for the operator.
        failed: called with a line where not all of them come; it ends this process.
    """

    def __init__(
        self,
        settings: LoadSettings,
        host: str | None,
        users: int | None,
        seconds: float | None,
        *,
        runner: Any,
        workers: int,
        say: Callable[[str], object],
        failed: Callable[[str], object],
    ) -> None:
        super().__init__(settings, host, users, seconds)
        self.workers, self._failed, self._runner = workers, failed, runner
        self.places = workers * -(-self.places // workers)  # Locust spreads them evenly
        self._halted = Event()
        terms = Welcome(
            name=settings.role,
            of=workers,
            run=self.rundir.info.id,
            path=str(self.rundir.path.resolve()),
            endpoint=self.endpoint,
            with_key=settings.key is not None,
            workload=self.workload,
            users=self.users,
            seed=settings.seed,
            max_tokens=settings.max_tokens,
            deadline_s=settings.deadline_s,
            idle_s=settings.idle_s,
            canary_s=settings.canary_s,
            careless=settings.hazard >= Hazard.CARELESS,
        )
        self.fleet = FleetMaster(Channel(runner), self.rundir, terms, self.recorder.note, say, self.generation)

    def staff(self, users: int | None) -> None:
        """Who starts a load by hand may ask for another number: Locust gives each worker its part of that one."""
        if users and users != self.places:
            closed = self.places == self.workers * -(-self.users // self.workers)
            self.places, self.users = users, users if closed else self.users

    def start(self, seconds: float | None, leave: Callable[[], None]) -> None:
        """Wait until all workers are ready, have Locust give them their users, and then begin the first phase."""
        if self._halted.is_set():
            self._failed("a load over several processes is run once: start Locust again")
        if not self.fleet.gather(GATHER_S, 0):
            self._failed(f"{self.fleet.ready(0)} of {self.workers} workers were ready within {GATHER_S:.0f} s")
        gevent.spawn(self._begin, self.length if seconds is None else seconds, leave)

    def _begin(self, seconds: float, leave: Callable[[], None]) -> None:
        users = self.places // self.workers
        if not self.fleet.gather(GATHER_S, users):
            ready = self.fleet.ready(users)
            self._failed(f"{ready} of {self.workers} workers had their users within {GATHER_S:.0f} s")
        super().start(seconds, leave)

    def told(self) -> dict[str, str]:
        return {WORKERS: str(self.workers)}

    def _sail(self) -> None:
        desk = Desk(self.draining)
        traffic = Traffic(self.workload, self._about(lanes=self.users))
        helm = Helm(LoadTime(self.draining), desk, traffic, self.settings.seed, self.users, self.recorder.dropped)
        voyage = FleetVoyage(self.phases, helm, desk, self.recorder, self.settings.deadline_s, self.fleet)

        def sail() -> None:
            voyage.sail(self.ending.early)
            if not self.draining.is_set():
                self.ending.in_time()

        gevent.spawn(sail).link_exception(lambda failed: self.ending.broken(failed.exception))

    def drain(self) -> None:
        """Have the workers end, and wait for them; a second caller waits with the first."""
        if not self._running:
            return
        if self.draining.is_set():
            self._halted.wait()
            return
        if not self._runner.worker_count:  # then Locust itself stops the test
            self.ending.because(DESERTED)
        try:
            super().drain()
        finally:  # a full disk must not leave them at sea
            self.fleet.halt(self.settings.deadline_s + SHIP_S + 2 * BACKSTOP_S)
            self._gone_home()
            self._halted.set()

    def _gone_home(self) -> None:
        """What workers say at their end is what this load has done."""
        ended, self.fleet.ended = self.fleet.ended, []  # once, where a drain is cut
        for done in ended:
            self.recorder.outcomes.update(done.outcomes)
            self.recorder.unkept += done.unkept
            self.inspector.read += done.read
            self.inspector.of += done.of

    @property
    def begun(self) -> bool:
        """Whether it is under way, or was."""
        return self._running or self._halted.is_set()

    @property
    def lost(self) -> bool:
        """Whether it has ended, and not with all of its workers."""
        return self._halted.is_set() and not self.fleet.whole

    def cut(self) -> None:
        """Have the workers end at once."""
        if self._running:
            self.draining.set()
            self.fleet.halt(CUT_S, cut=True)
            self._gone_home()

    def _in_flight(self) -> dict[str, str]:
        return {}  # the workers' rows tell it


class FleetVoyage(LoadVoyage):
    """The phases of a load, sent by workers."""

    def __init__(
        self,
        phases: Sequence[SoakPhase],
        helm: Helm,
        desk: Desk,
        recorder: RowWriter,
        patience_s: float,
        fleet: FleetMaster,
    ) -> None:
        super().__init__(phases, helm, desk, recorder, patience_s, dict.fromkeys(PhaseSort, self._send))
        self._fleet = fleet

    def _quiet(self, seconds: float) -> None:
        self._fleet.quiet(seconds)

    def _rate(self) -> float:
        answered = sum(told.answered for told in self._fleet.answers(TELL_S))
        return float(answered) / max(self._helm.time.now() - self._began, 1e-9)

    def _send(self, phase: SoakPhase, helm: Helm, until: float) -> None:
        if phase.sort == PhaseSort.SWEEP:
            sweep.climb(phase, helm, until, self._step)
        else:
            self._fleet.command(phase, round(until * SECOND), helm.slots, helm.measured)
        helm.time.until(until)

    def _step(self, phase: SoakPhase, helm: Helm, seconds: float, rate: float, number: int) -> Tried | None:
        until = helm.time.now() + seconds
        self._fleet.command(phase, round(until * SECOND), helm.slots, helm.measured, step=number, rate=rate)
        if not helm.time.until(until):
            return None
        told = self._fleet.answers(TELL_S)
        waits = [wait for each in told for wait in each.waits]
        return Tried(rate, tuple(waits), sum(each.lost for each in told))
