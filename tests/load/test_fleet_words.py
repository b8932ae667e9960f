"""What a master and its workers say to each other, over a channel without a network."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import msgspec
import pytest
from gevent.event import AsyncResult, Event

from load.fleet import master as masters
from load.fleet import worker as workers
from load.fleet.master import FleetMaster
from load.fleet.messages import (
    VERSION_TOLD,
    Ack,
    AskTime,
    Batch,
    Channel,
    Done,
    Failing,
    FilePart,
    GivenUp,
    Halt,
    Hello,
    Message,
    Mustered,
    PhaseTold,
    SendPhase,
    TellTime,
    Welcome,
)
from load.fleet.worker import SILENT_S, FleetWorker
from load.master import MasterSession
from seatrial.checks.areas.soak import validity
from seatrial.given import workload
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, Crew, CrewWord, LoadRow, PhaseSort, Record, RunInfo, Sent, SoakRun
from seatrial.run.directory import RunDir
from seatrial.statistics.knee import Tried
from tests.load.simulated import ENDPOINT

PATIENCE_S = 10.0


def eventually(holds: Callable[[], object], text: str) -> None:
    """Let others run until something holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE_S:.0f} s: {text}"
        gevent.sleep(0.01)


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


def test_a_worker_that_cannot_end_well_does_not_stay_silent() -> None:
    runner, sailor = Runner(), Sailor()

    def failing(*, cut: bool) -> Done:
        raise OSError(5, f"Input/output error, cut {cut}")

    sailor.finish = failing  # type: ignore[method-assign]
    worker = FleetWorker(Channel(runner), here=True)
    worker.serve(sailor, lambda _: None)
    runner.hear(Halt())
    assert sailor.gone.wait(PATIENCE_S)
    assert "cut False" in str(sailor.error)
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


def test_words_of_a_worker_are_harmless_on_a_terminal() -> None:
    session: Any = SimpleNamespace(
        fleet=SimpleNamespace(ended=[Done(lines=1, outcomes={"ok\x1b[2J": 3})]),
        recorder=SimpleNamespace(outcomes=Counter[str](), unkept=0),
        inspector=SimpleNamespace(read=0, of=0),
        rundir=SimpleNamespace(path=Path("run")),
        settings=SimpleNamespace(role="load1"),
    )
    MasterSession._gone_home(session)
    assert MasterSession.summary(session).isprintable()


def test_a_full_disk_leaves_no_worker_at_sea() -> None:
    halted, session = list[float](), object.__new__(MasterSession)
    session._running, session.draining, session._halted = True, Event(), Event()
    session._runner = SimpleNamespace(worker_count=1)
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


# who is given up


class Mastered:
    """A master with one worker, which has joined; its clock is ours to move."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, generation: Callable[[], int] = lambda: 0) -> None:
        info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
        self.run = RunDir.open(RunDir.create(path / "run", info).path)
        self.runner, self.lines = Runner(), list[Crew]()
        self.late_ns = 0
        monkeypatch.setattr(masters, "time", SimpleNamespace(monotonic=time.monotonic, monotonic_ns=self.now))
        terms = Welcome(name="load1", of=1, run="r", endpoint=ENDPOINT, workload=workload.named("short"))
        channel = Channel(self.runner)
        self.master = FleetMaster(channel, self.run, terms, self.lines.append, lambda _: None, generation)
        self.runner.hear(Hello(version=VERSION_TOLD, host="h", pid=7, here=False))
        self.runner.hear(Mustered(users=1))

    def now(self) -> int:
        return time.monotonic_ns() + self.late_ns

    def give_up(self) -> None:
        """Nothing is heard of the worker for as long as a master waits."""
        self.late_ns = round(2 * masters.LOST_S * SECOND)
        eventually(lambda: self.master.mates["a"].lost, "the worker to be given up")

    def said(self, kind: type[Message]) -> list[Any]:
        name = f"seatrial-{kind.__name__.lower()}"
        return [msgspec.msgpack.decode(data, type=kind) for known, data in self.runner.said if known == name]


def test_a_worker_that_was_given_up_is_told_so_and_nothing_that_it_says_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Mastered(tmp_path, monkeypatch)
    made.runner.hear(AskTime(sent=1))
    assert len(made.said(TellTime)) == 1
    assert not made.said(GivenUp)  # the twin: who takes part is told the time
    phase = SoakPhase(name="closed", sort=PhaseSort.CLOSED, seconds=1.0)
    made.master.command(phase, until=made.now() + SECOND, slots=1, measured=None)
    made.give_up()
    made.runner.hear(AskTime(sent=2))
    assert len(made.said(TellTime)) == 1
    assert len(made.said(GivenUp)) == 1
    made.runner.hear(PhaseTold(number=1, answered=700, quiet=True))
    made.runner.hear(Batch(number=1, parts=(FilePart(file="bytes.bin", at=0, content=b"late"),)))
    made.runner.hear(Done(lines=9, outcomes={"ok": 700}))
    assert made.master.answers(0.0) == []
    assert made.master.ended == []
    assert not made.master.whole
    assert [ack.refused for ack in made.said(Ack)] == ["it was given up before"]
    assert [path.stat().st_size for path in made.run.path.glob("writers/load1w1-7/bytes.bin")] == [0]
    assert [line.what for line in made.lines] == [CrewWord.JOINED, CrewWord.LOST, CrewWord.GAP]


def test_rows_that_a_worker_wrote_after_it_was_given_up_do_not_count() -> None:
    def rows(name: str) -> list[LoadRow | Sent]:
        sent = [
            Sent(w=name, n=n, t=n, endpoint="8080", scenario="s", method="POST", path="/", load=True) for n in (1, 3, 5)
        ]
        about = {"endpoint": "8080", "outcome": "ok", "intended_at": 1, "sent_at": 1, "ended_at": 2}
        return [*sent, *(LoadRow(w=name, n=n, t=n, id=f"{name}-{n - 1}", **about) for n in (2, 4))]

    lost = Crew(endpoint="8080", worker="load1w1", what=CrewWord.LOST, at=9, last=3)
    found = SoakRun.of("8080", Record([*rows("load1w1"), *rows("load1w2"), lost]))
    assert [row.id for row in found.rows] == ["load1w1-1", "load1w2-1", "load1w2-3"]
    assert found.unfinished == ("load1w1-3", "load1w2-5")  # the first was under way when it was given up


@pytest.mark.parametrize("late_s", [SILENT_S + 1, 0.0], ids=["silent", "heard"])
def test_a_worker_whose_master_is_silent_ends_before_it_is_given_up(
    monkeypatch: pytest.MonkeyPatch, late_s: float
) -> None:
    assert SILENT_S < masters.LOST_S
    runner, sailor, gone = Runner(), Sailor(), AsyncResult()
    clock = SimpleNamespace(late_s=0.0)
    shifted = SimpleNamespace(monotonic=lambda: time.monotonic() + clock.late_s, monotonic_ns=time.monotonic_ns)
    monkeypatch.setattr(workers, "time", shifted)
    monkeypatch.setattr(workers, "ASK_S", 0.02)
    worker = FleetWorker(Channel(runner), here=False)
    worker.serve(sailor, gone.set)
    runner.hear(TellTime(sent=1, heard=2, told=2))
    clock.late_s = late_s
    asked = len(runner.said)
    eventually(lambda: gone.ready() or len(runner.said) > asked + 20, "some beats")
    assert gone.ready() == bool(late_s)
    assert not late_s or gone.get() == "nothing was heard of its master for 10 s"
    worker.halted.set()


def test_a_worker_that_was_given_up_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "ASK_S", 0.02)
    runner, gone = Runner(), AsyncResult()
    worker = FleetWorker(Channel(runner), here=False)
    worker.serve(Sailor(), gone.set)
    runner.hear(GivenUp())
    assert gone.get(timeout=PATIENCE_S) == "its master had given it up"
    worker.halted.set()


def test_a_worker_elsewhere_knows_which_life_of_the_server_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Mastered(tmp_path, monkeypatch, generation=lambda: 2)
    made.runner.hear(AskTime(sent=1))
    runner = Runner()
    worker = FleetWorker(Channel(runner), here=False)
    assert worker.generation == 0
    runner.hear(made.said(TellTime)[0])
    assert worker.generation == 2
