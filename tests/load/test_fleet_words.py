"""What a master and its workers say to each other, over a channel without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import msgspec
import pytest
from gevent.event import Event

from load.fleet.master import FleetMaster
from load.fleet.messages import VERSION_TOLD, Channel, Done, Failing, Halt, Hello, SendPhase, Welcome
from load.fleet.worker import FleetWorker
from load.master import MasterSession
from seatrial.checks.areas.soak import validity
from seatrial.given import workload
from seatrial.given.phases import SoakPhase
from seatrial.records import Crew, CrewWord, PhaseSort, Record, RunInfo, SoakRun
from seatrial.run.directory import RunDir
from seatrial.statistics.knee import Tried
from tests.load.simulated import ENDPOINT

PATIENCE_S = 10.0


class Runner:
    """Locust's, as far as a channel uses it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []
        self._listeners: dict[str, Callable[..., None]] = {}

    def register_message(self, name: str, listener: Callable[..., None]) -> None:
        self._listeners[name] = listener

    def send_message(self, name: str, data: bytes, client_id: str | None = None) -> None:
        self.said.append((name, data))

    def hear(self, message: msgspec.Struct, client: str = "a") -> None:
        name = f"seatrial-{type(message).__name__.lower()}"
        self._listeners[name](msg=SimpleNamespace(data=msgspec.msgpack.encode(message), node_id=client))


class Sailor:
    """Drains until it is told to cut."""

    def __init__(self) -> None:
        self.cut, self.gone, self.begun = Event(), Event(), Event()
        self.error: BaseException | None = None

    def send(self, _command: SendPhase, _begin: float, _until: float) -> Tried | None:
        raise ValueError("no such phase")

    def users(self) -> int:
        return 1

    def answered(self) -> int:
        return 0

    def quiet(self, _seconds: float) -> bool:
        return True

    def finish(self, *, cut: bool) -> Done:
        self.begun.set()
        if cut:
            self.cut.set()
        assert self.cut.wait(PATIENCE_S)
        return Done(lines=0)

    def broken(self, error: BaseException | None) -> None:
        self.error = error
        self.gone.set()


@pytest.fixture
def served() -> tuple[Runner, Sailor, FleetWorker]:
    runner, sailor = Runner(), Sailor()
    worker = FleetWorker(Channel(runner), here=True)
    worker.serve(sailor, sailor.gone.set)
    return runner, sailor, worker


def test_a_worker_that_drains_can_be_told_to_cut(served: tuple[Runner, Sailor, FleetWorker]) -> None:
    runner, sailor, worker = served
    runner.hear(Halt())
    assert sailor.begun.wait(PATIENCE_S)
    runner.hear(Halt(cut=True))
    assert worker.halted.wait(PATIENCE_S)
    assert sailor.cut.is_set()
    assert any(name == "seatrial-done" for name, _ in runner.said)


def test_a_worker_that_cannot_send_a_phase_does_not_stay_silent(served: tuple[Runner, Sailor, FleetWorker]) -> None:
    runner, sailor, worker = served
    phase = SoakPhase(name="closed", sort=PhaseSort.CLOSED, seconds=1.0)
    runner.hear(SendPhase(number=1, phase=phase, begin=0, until=0, slots=1))
    assert sailor.gone.wait(PATIENCE_S)
    assert str(sailor.error) == "no such phase"
    worker.halted.set()


def test_why_a_worker_went_away_stands_in_the_record(tmp_path: Path) -> None:
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    run = RunDir.create(tmp_path / "run", info)
    runner, lines, said = Runner(), list[Crew](), list[str]()
    terms = Welcome(name="load1", of=1, run="r", endpoint=ENDPOINT, workload=workload.named("short"))
    master = FleetMaster(Channel(runner), run, terms, lines.append, said.append)
    runner.hear(Hello(version=VERSION_TOLD, host="h", pid=7, here=False))
    runner.hear(Failing(why="the record could not be written on: No space left on device"))
    runner.hear(Failing(why="and once more"))
    runner.hear(Done(lines=0))
    master.halt(0.0)
    assert [line.what for line in lines].count(CrewWord.LOST) == 1
    assert not master.whole
    gone = validity.missing(SoakRun.of(ENDPOINT.name, Record(lines)))
    assert "worker load1w1 went away: the record could not be written on: No space left on device" in gone
    assert len([line for line in said if "No space left" in line]) == 1


def test_what_workers_say_at_their_end_is_counted_once() -> None:
    master: Any = SimpleNamespace(
        fleet=SimpleNamespace(ended=[Done(lines=1, outcomes={"ok": 3}, read=1, of=3, unkept=2)]),
        recorder=SimpleNamespace(outcomes=dict[str, int](), unkept=0),
        inspector=SimpleNamespace(read=0, of=0),
    )
    for _ in range(2):  # a drain, and the cut of it
        MasterSession._gone_home(master)
    assert (master.recorder.unkept, master.inspector.read, master.inspector.of) == (2, 1, 3)


def test_a_full_disk_leaves_no_worker_at_sea() -> None:
    halted, session = list[float](), object.__new__(MasterSession)
    session._running, session.draining, session._halted = True, Event(), Event()
    session.desk = SimpleNamespace(stop=lambda: None)  # type: ignore[assignment]
    session.ending = SimpleNamespace(facts=dict)  # type: ignore[assignment]
    session.settings = SimpleNamespace(deadline_s=1.0)  # type: ignore[assignment]
    session.fleet = SimpleNamespace(halt=halted.append, ended=[])  # type: ignore[assignment]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    session.recorder = SimpleNamespace(stage=full)  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space"):
        session.drain()
    assert len(halted) == 1
    with gevent.Timeout(PATIENCE_S):
        session.drain()  # a second caller does not wait for ever
