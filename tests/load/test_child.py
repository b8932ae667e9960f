"""The soak as the suite runs it: a child of this process, drained by Ctrl-C, never outliving us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures import soak_child
from fixtures.soak_child import Load, LoadError
from seatrial.records import Endpoint, RunInfo
from seatrial.run.directory import RunDir
from tests.golden.server import Golden
from tests.load.children import PATIENCE_S, rows, soak_of
from tests.waiting import until


@dataclass
class Told:
    """Stands in for the run a pytest process takes part in."""

    rundir: RunDir
    options: Any
    said: list[str] = field(default_factory=list)
    on_progress: Callable[[], None] = lambda: None

    def progress(self, text: str) -> None:
        self.said.append(text)
        self.on_progress()

    def say(self, text: str) -> None:
        self.said.append(text)


def trial(path: Path, golden: Golden, seconds: float) -> tuple[Told, Endpoint]:
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    run = RunDir.create(path / "run", info)
    endpoint = Endpoint(
        name="gold", url=golden.url, kind="generic", model=golden.model, models=(golden.model,), slots=4
    )
    run.write_endpoint(endpoint)
    options = SimpleNamespace(soak_s=seconds, timeout_s=20.0, seed=3, key_env=None, headers={}, ca=None)
    return Told(run, options), endpoint


def test_it_runs_for_its_time_and_shows_how_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCUST_USERS", "1")  # somebody's own: not for this load
    with Golden(token_ms=3) as golden:
        run, endpoint = trial(tmp_path, golden, 4.0)
        assert Load(run, endpoint).sail() is False
        assert len(rows(run.rundir.path)) == golden.truth()["chats"]
    found = soak_of(run.rundir.path)
    start, drain, _ = found.phases
    assert start.facts["users"] == "4"
    assert 3.5e9 < drain.at - start.at < 5e9
    assert run.said[-1].startswith("soak gold  00:0")
    assert "TTFT p50" in run.said[-1]


def test_ctrl_c_drains_and_what_was_measured_stands(tmp_path: Path) -> None:
    def interrupt() -> None:
        run.on_progress = lambda: None
        raise KeyboardInterrupt

    with Golden(token_ms=10) as golden:
        run, endpoint = trial(tmp_path, golden, 600.0)
        run.on_progress = interrupt
        assert Load(run, endpoint).sail() is True
    found = soak_of(run.rundir.path)
    assert {row.outcome for row in found.rows} == {"ok"}
    assert [phase.what for phase in found.phases] == ["start", "drain", "end"]
    assert any(text.startswith("draining ") and text.endswith("(Ctrl-C again: cut them)") for text in run.said)


def test_ctrl_c_again_cuts(tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    def watched(text: str) -> None:
        until(lambda: golden.truth()["chats"] >= 4, "its requests", PATIENCE_S)
        interrupt()

    with Golden(["stall:0.5"], seed=1) as golden:
        run, endpoint = trial(tmp_path, golden, 600.0)
        run.progress = watched  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            Load(run, endpoint).sail()
        until(lambda: golden.truth()["in_flight"] == 0, "its requests", PATIENCE_S)


def test_a_load_that_cannot_start_says_its_last_words(tmp_path: Path) -> None:
    with Golden() as golden:
        run, endpoint = trial(tmp_path, golden, 2.0)
    load = Load(run, endpoint)
    (run.rundir.path / "endpoints" / "gold.json").write_text("{")
    with pytest.raises(LoadError, match=r"ended with 4: .*gold\.json is damaged"):
        load.sail()


def test_a_load_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak_child, "AFTER_S", 2.0)
    with Golden() as golden:
        run, endpoint = trial(tmp_path, golden, 1.0)
        run.options.timeout_s = 1.0
        pids: list[int] = []
        start = Load._start

        def frozen(self: Load, lifeline: int) -> subprocess.Popen[bytes]:
            child = start(self, lifeline)
            pids.append(child.pid)
            child.send_signal(signal.SIGSTOP)
            return child

        monkeypatch.setattr(Load, "_start", frozen)
        monkeypatch.setattr(soak_child, "CUT_S", 0.5)
        with pytest.raises(LoadError, match="did not end"):
            Load(run, endpoint).sail()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_pytest_never_imports_locust() -> None:
    code = (
        "import sys, fixtures.soak, suites.soak.test_soak; sys.exit('locust' in sys.modules or 'gevent' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
