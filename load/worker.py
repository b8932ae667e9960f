"""The load as one of its workers has it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event

from load.desk import Desk
from load.ending import LoadEnd
from load.engine import lives
from load.engine.pulse import LoopWatch
from load.engine.watch import watched
from load.fleet.messages import Done, SendPhase, Welcome
from load.fleet.outbox import EVERY_S, FolderWriter, Outbox
from load.fleet.share import LoadShare
from load.fleet.worker import FleetWorker, NotWantedError
from load.inspection import Inspector
from load.record import RowWriter
from load.session import new_run
from load.settings import LoadSettings, SettingsError
from load.shapes import shapes, sweep
from load.shapes.helm import Helm
from load.users.asked import AskedOf
from load.users.traffic import Traffic
from load.voyage import LoadTime, LoadVoyage, is_served
from seatrial.records import LoadRow
from seatrial.run.about import run_info
from seatrial.run.directory import RunDir
from seatrial.run.space import SPARE
from seatrial.statistics.knee import Tried
from seatrial.wire.transports.load import get

SHIP_S = 30.0
"""For so long what was written is offered to the master, after the last answer."""

CUT_S = 3.0
BACKSTOP_S = 10.0
LEAVE_S = 0.1
"""What is said last has so long to leave this process."""

APART = 7919
"""Between the seeds of two workers' moments: closed users of two of them do not begin together."""


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
        self._writer = FolderWriter(self.rundir, welcome.name, ships=not here, of=welcome.of)
        generation = lives.followed(self.rundir, self.endpoint) if here else lambda: fleet.generation
        self.recorder = RowWriter(self._writer, self.endpoint.name, welcome.seed, generation, self.target.mask)
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

        def deserted(why: str) -> None:
            self.ending.because(why)
            gone()

        self.ending.begin(None, lambda: gevent.spawn(gone))  # it cannot be written on
        self._loop.begin()
        self._fleet.serve(self, deserted)
        for every, send in self._beside:
            gevent.spawn(self._voyage.every, every, send).link_exception(lambda dead: self.broken(dead.exception))
        if self._outbox is not None:
            gevent.spawn(self._ship).link_exception(lambda dead: self.broken(dead.exception))

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
            unkept=self.recorder.unkept,
        )
        if self._outbox is not None:
            self._outbox.flush(time.monotonic() + (CUT_S / 2 if cut else SHIP_S))
        return done

    def broken(self, error: BaseException | None) -> None:
        """A worker that sends nothing from now on would look like a quiet one: it goes, and says why."""
        self.ending.broken(error)

    # what Locust has us do

    def drain(self) -> None:
        """No user starts another request."""
        self.draining.set()
        self.desk.stop()

    def end(self, how: str) -> None:
        """All users are gone. Who was not told to end says why it does."""
        try:
            self._loop.end()
        finally:
            self.ending.done()
            if how == "cut" and not self._fleet.halted.is_set():
                self._fleet.fail(self.ending.why)
                gevent.sleep(LEAVE_S)

    def summary(self) -> str:
        counts = ", ".join(f"{n} {word}" for word, n in self.recorder.outcomes.most_common())
        path = self.rundir.path / "load" / f"{self.settings.role}.jsonl"
        return f"seatrial: {self.recorder.outcomes.total()} requests: {counts or 'none'}; rows: {path}"

    def _count(self, row: LoadRow) -> None:
        self._answered += row.phase == self._phase and is_served(row)

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
