"""A load over several processes, as sessions: that of the master, which sends nothing, and that of a worker."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event

from load.desk import Desk
from load.ending import LoadEnd
from load.engine.pulse import LoopWatch
from load.engine.watch import watched
from load.fleet.master import FleetMaster
from load.fleet.messages import Channel, Done, SendPhase, Welcome
from load.fleet.outbox import EVERY_S, FolderWriter, Outbox
from load.fleet.share import LoadShare
from load.fleet.worker import FleetWorker, NotWantedError
from load.inspection import Inspector
from load.record import RowWriter
from load.session import LoadSession, new_run
from load.settings import LoadSettings, SettingsError
from load.shapes import shapes, sweep
from load.shapes.helm import Helm
from load.users.asked import AskedOf
from load.users.traffic import Traffic
from load.voyage import LoadTime, LoadVoyage
from seatrial.checks.areas.soak.validity import WORKERS
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, Hazard, LoadRow, PhaseSort
from seatrial.run.about import run_info
from seatrial.run.directory import RunDir
from seatrial.run.space import SPARE
from seatrial.statistics.knee import Tried
from seatrial.wire.transports.load import get

GATHER_S = 60.0
"""From when Locust has its workers to when each has its users and knows the time."""

TELL_S = 5.0
"""Within this time after a phase workers say what came of it."""

SHIP_S = 30.0
"""For so long what was written is offered to the master, after the last answer."""

CUT_S = 3.0
BACKSTOP_S = 10.0
APART = 7919
"""Between the seeds of two workers' moments: closed users of two of them do not begin together."""


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
        self.workers, self._failed = workers, failed
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
        self.fleet = FleetMaster(Channel(runner), self.rundir, terms, self.recorder.note, say)

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
        first = self._running and not self.draining.is_set()
        super().drain()
        if first:
            self.fleet.halt(self.settings.deadline_s + SHIP_S + 2 * BACKSTOP_S)
            self._gone_home()
            self._halted.set()
        elif self._running:
            self._halted.wait()

    def _gone_home(self) -> None:
        """What workers say at their end is what this load has done."""
        for done in self.fleet.ended:
            self.recorder.outcomes.update(done.outcomes)
            self.inspector.read += done.read
            self.inspector.of += done.of

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


class WorkerSession:
    """The load as one of its workers has it; what users ask of a session, they ask of this one.

    Raises:
        SettingsError: the server wants a key, and this environment names none.
        NotWantedError: the server cannot be reached from here.
        seatrial.run.writer.RunDirError: nothing can be written here.
    """

    def __init__(
        self, fleet: FleetWorker, welcome: Welcome, settings: LoadSettings, runner: Any, *, here: bool
    ) -> None:
        assert welcome.endpoint is not None
        assert welcome.workload is not None
        if welcome.with_key and settings.key is None:
            raise SettingsError("this load needs a key: put it into a variable here, and name that in SEATRIAL_KEY_ENV")
        self._fleet, self._runner, self.endpoint = fleet, runner, welcome.endpoint
        self.settings = replace(
            settings,
            role=welcome.name,
            seed=welcome.seed,
            max_tokens=welcome.max_tokens,
            deadline_s=welcome.deadline_s,
            idle_s=welcome.idle_s,
        )
        self.target = watched(self.settings.target(self.endpoint.url))
        if not here:
            self._reach()
        self.rundir = RunDir.open(Path(welcome.path)) if here else _own(settings, welcome)
        self.share = LoadShare(welcome.index, welcome.of)
        self.draining = Event()
        self.desk = Desk(self.draining, welcome.seed + APART * welcome.index)
        self._writer = FolderWriter(self.rundir, welcome.name, ships=not here)
        self.recorder = RowWriter(
            self._writer, self.endpoint.name, welcome.seed, self.endpoint.generation, self.target.mask
        )
        self.ending = LoadEnd(self.rundir.path / "load" / f"{welcome.name}{SPARE}")
        self.recorder.unwritable = self.ending.unwritable
        self.recorder.listeners.append(self._count)
        self.inspector = Inspector(self.endpoint, seed=welcome.seed)
        self._loop = LoopWatch(self.endpoint.name, self.recorder.note)
        self._outbox = None if here else Outbox(self._writer, lambda: fleet.offset, fleet.ship)
        if self._outbox is not None:
            fleet.acknowledged = self._outbox.acknowledged
        about = AskedOf(self.endpoint, welcome.seed, welcome.max_tokens, max(welcome.users, welcome.of))
        traffic = Traffic(welcome.workload, about, self.share)
        self._helm = Helm(
            LoadTime(self.draining),
            self.desk,
            traffic,
            welcome.seed,
            welcome.users,
            self.recorder.dropped,
            share=self.share,
        )
        self._voyage = LoadVoyage((), self._helm, self.desk, self.recorder, welcome.deadline_s)
        invalid_s = welcome.workload.invalid_s if welcome.careless else None
        beside = [(welcome.canary_s, self._voyage.canary), (invalid_s, self._voyage.invalid)]
        self._beside = [(every, send) for every, send in beside if every and self.share.index == 0]
        self._answered, self._phase = 0, ""

    def start(self, gone: Callable[[], None]) -> None:
        """Say that we are ready, and do what the master says; ``gone`` is called where there is none any more."""
        self.ending.begin(None, lambda: gevent.spawn(gone))
        self._loop.begin()
        self._fleet.serve(self, gone)
        for every, send in self._beside:
            gevent.spawn(self._voyage.every, every, send)
        if self._outbox is not None:
            gevent.spawn(self._ship)

    # what the master has us do

    def send(self, command: SendPhase, begin: float, until: float) -> Tried | None:
        phase, helm = command.phase, self._helm
        helm.begun, helm.slots, helm.measured = begin, command.slots, command.measured
        self._answered, self._phase, self._voyage.phase = 0, phase.name, phase
        if not helm.time.until(begin):
            return None
        if command.step is not None:
            return sweep.step(phase, helm, until - begin, command.rate, command.step)
        shapes()[phase.sort](phase, helm, until)
        return None

    def users(self) -> int:
        return self.desk.users

    def answered(self) -> int:
        return self._answered

    def quiet(self, seconds: float) -> bool:
        return self.desk.quiet(seconds)

    def finish(self, *, cut: bool) -> Done:
        self.drain()
        if cut:
            self._runner.user_greenlets.kill(block=True, timeout=CUT_S / 2)
        until = time.monotonic() + self.settings.deadline_s + BACKSTOP_S
        while self.recorder.in_flight and time.monotonic() < until:
            gevent.sleep(0.02)
        self._loop.end()
        done = Done(
            lines=self._writer.lines,
            outcomes=dict(self.recorder.outcomes),
            read=self.inspector.read,
            of=self.inspector.of,
        )
        if self._outbox is not None:
            self._outbox.flush(time.monotonic() + (CUT_S / 2 if cut else SHIP_S))
        return done

    # what Locust has us do

    def drain(self) -> None:
        """No user starts another request."""
        self.draining.set()
        self.desk.stop()

    def end(self, _: str) -> None:
        """All users are gone."""
        self._loop.end()
        self.ending.done()

    def summary(self) -> str:
        counts = ", ".join(f"{n} {word}" for word, n in self.recorder.outcomes.most_common())
        path = self.rundir.path / "load" / f"{self.settings.role}.jsonl"
        return f"seatrial: {self.recorder.outcomes.total()} requests: {counts or 'none'}; rows: {path}"

    def _count(self, row: LoadRow) -> None:
        self._answered += row.phase == self._phase and not row.canary and row.outcome == "ok"

    def _ship(self) -> None:
        assert self._outbox is not None
        while not self.draining.is_set():
            self.draining.wait(EVERY_S)
            self._outbox.flush(time.monotonic() + SHIP_S)

    def _reach(self) -> None:
        """A server that this host cannot reach would be accused of what is no fault of its."""
        answer = get(self.target, "/models")
        if not answer.status:
            raise NotWantedError(f"{self.endpoint.url} cannot be reached from here: {answer.error}")


def _own(settings: LoadSettings, welcome: Welcome) -> RunDir:
    """A run directory of this host: what is written there bears the sums of the master's run."""
    assert welcome.endpoint is not None
    info = run_info(welcome.run, arguments=("locust", "--worker"), seed=welcome.seed)
    rundir = RunDir.create(settings.run or new_run(f"-worker-{os.getpid()}"), info)
    rundir.write_endpoint(welcome.endpoint)
    return rundir
