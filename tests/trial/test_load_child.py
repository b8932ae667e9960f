"""The soak as the suite runs it: a child of this process, drained by Ctrl-C, never outliving us."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.checks.areas.soak.lasting import cut_short, ended_by
from seatrial.given.options import Options
from seatrial.given.soak import CrewAsked, SoakAsked
from seatrial.records import Endpoint, RunInfo
from seatrial.run.directory import RunDir
from seatrial.trial import load_child
from seatrial.trial.load_child import Load, LoadError
from seatrial.trial.trial import Trial
from seatrial.wire.listening import free_port
from tests.golden.server import Golden
from tests.load.children import PATIENCE_S, ROOT, rows, soak_of
from tests.waiting import until

ALONE = CrewAsked()


def child_of(word: str) -> int:
    """The child of this process whose command line holds a word."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return next(int(pid) for pid in children if word in Path(f"/proc/{pid}/cmdline").read_text())


@pytest.fixture
def sailing(tmp_path: Path) -> Sailing:
    return Sailing(tmp_path / "run")


class Sailing:
    """A run with one endpoint, and what its load said."""

    def __init__(self, path: Path) -> None:
        info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
        self.path = RunDir.create(path, info).path
        self.said: list[str] = []
        self.on_progress: Callable[[], None] = lambda: None

    def load(self, golden: Golden, seconds: float, timeout_s: float = 20.0, crew: CrewAsked = ALONE) -> Load:
        endpoint = Endpoint(
            name="gold", url=golden.url, kind="generic", model=golden.model, models=(golden.model,), slots=4
        )
        RunDir.open(self.path).write_endpoint(endpoint)
        options = Options(soak_s=seconds, timeout_s=timeout_s, seed=3, soak=SoakAsked(crew=crew))
        trial = Trial(options, self.path, say=self.said.append, progress=self._progress)
        return Load(trial, endpoint, ROOT / "load" / "locustfile.py")

    def _progress(self, text: str) -> None:
        self.said.append(text)
        self.on_progress()


def test_it_runs_for_its_time_and_shows_how_it_goes(sailing: Sailing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCUST_USERS", "1")  # somebody's own: not for this load
    with Golden(token_ms=3) as golden:
        assert sailing.load(golden, 4.0).sail() == ""
        assert len(rows(sailing.path)) == golden.truth()["chats"]
    found = soak_of(sailing.path)
    start, _, drain, _ = found.phases
    assert ended_by(found) == ""
    assert start.facts["users"] == "4"
    assert 3.5e9 < drain.at - start.at < 10e9
    assert sailing.said[-1].startswith("soak gold  00:0")
    assert "TTFT p50" in sailing.said[-1]


def test_ctrl_c_drains_and_what_was_measured_stands(sailing: Sailing) -> None:
    def interrupt() -> None:
        sailing.on_progress = lambda: None
        raise KeyboardInterrupt

    with Golden(token_ms=10) as golden:
        sailing.on_progress = interrupt
        assert sailing.load(golden, 600.0).sail() == "Ctrl-C"
    found = soak_of(sailing.path)
    assert {row.outcome for row in found.rows} == {"ok"}
    assert [phase.what for phase in found.phases] == ["start", "phase", "asked", "drain", "end"]
    assert ended_by(found) == "Ctrl-C"
    assert any(text.startswith("draining ") and text.endswith("(Ctrl-C again: cut them)") for text in sailing.said)


def test_workers_here_are_one_load_and_are_shown_as_one(sailing: Sailing) -> None:
    with Golden(token_ms=3) as golden:
        assert sailing.load(golden, 4.0, crew=CrewAsked(2)).sail() == ""
        assert len(rows(sailing.path)) == golden.truth()["chats"]
    found = soak_of(sailing.path)
    assert {row.id.partition("-")[0] for row in found.rows} == {"load1w1", "load1w2"}
    assert found.phases[0].facts["workers"] == "2"
    assert "TTFT p50" in sailing.said[-1]


def test_ctrl_c_while_workers_are_waited_for_is_ctrl_c(sailing: Sailing, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(load_child.Progress):
        def line(self, now: int) -> str:
            monkeypatch.setattr(Interrupted, "line", load_child.Progress.line)
            raise KeyboardInterrupt

    monkeypatch.setattr(load_child, "Progress", Interrupted)
    with Golden() as golden:
        load = sailing.load(golden, 600.0, crew=CrewAsked(2, elsewhere=True, port=free_port()))
        assert load.sail() == "Ctrl-C"
    assert not soak_of(sailing.path).rows
    assert not list(sailing.path.rglob("*.spare"))


def test_ctrl_c_again_cuts(sailing: Sailing) -> None:
    def interrupt() -> None:
        until(lambda: golden.truth()["chats"] >= 4, "its requests", PATIENCE_S)
        raise KeyboardInterrupt

    with Golden(["stall:0.5"], seed=1) as golden:
        sailing.on_progress = interrupt
        with pytest.raises(KeyboardInterrupt):
            sailing.load(golden, 600.0).sail()
        until(lambda: golden.truth()["in_flight"] == 0, "its requests", PATIENCE_S)


def test_a_load_that_cannot_start_says_its_last_words(sailing: Sailing) -> None:
    with Golden() as golden:
        load = sailing.load(golden, 2.0)
    (sailing.path / "endpoints" / "gold.json").write_text("{")
    with pytest.raises(LoadError, match=r"ended with 4: .*gold\.json is no page of an endpoint"):
        load.sail()


def test_a_load_that_hangs_is_ended(sailing: Sailing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_child, "AFTER_S", 2.0)
    with Golden() as golden:
        pids: list[int] = []
        start = Load._start

        def frozen(self: Load, lifeline: int) -> subprocess.Popen[bytes]:
            child = start(self, lifeline)
            pids.append(child.pid)
            child.send_signal(signal.SIGSTOP)
            return child

        monkeypatch.setattr(Load, "_start", frozen)
        monkeypatch.setattr(load_child, "CUT_S", 0.5)
        with pytest.raises(LoadError, match="was killed by SIGKILL"):
            sailing.load(golden, 1.0, timeout_s=1.0).sail()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_load_that_is_killed_leaves_what_it_wrote_and_how_it_ended(sailing: Sailing) -> None:
    with Golden(token_ms=10) as golden:
        load = sailing.load(golden, 600.0)
        sailing.on_progress = lambda: os.kill(child_of("locust"), signal.SIGKILL)
        assert load.sail() == "the load generator was killed by SIGKILL"
    found = soak_of(sailing.path)
    assert found.rows
    assert ended_by(found) == "the load generator was killed by SIGKILL"
    said = [finding.got for finding in cut_short(found)]
    assert len(said) == 1
    assert said[0].endswith(" s of 600 s: the load generator was killed by SIGKILL")
    assert not list(sailing.path.rglob("*.spare"))


def test_a_load_whose_disk_is_full_drains_and_says_so(sailing: Sailing) -> None:
    def fill() -> None:
        sailing.on_progress = lambda: None
        child = child_of("locust")
        size = (sailing.path / "load" / "load1.jsonl").stat().st_size
        resource.prlimit(child, resource.RLIMIT_FSIZE, (size + 1000, size + 1000))

    with Golden(token_ms=10) as golden:
        sailing.on_progress = fill
        sailing.load(golden, 600.0).sail()
        assert golden.truth()["in_flight"] == 0
    found = soak_of(sailing.path)  # no line of it is torn
    assert found.rows
    assert not list(sailing.path.rglob("*.spare"))


def test_pytest_never_imports_locust() -> None:
    code = (
        "import sys, fixtures.soak, suites.soak.test_soak; sys.exit('locust' in sys.modules or 'gevent' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
