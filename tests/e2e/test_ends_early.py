"""A run that is ended early, or watched in part, is judged on what it has, and is never READY."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from seatrial.records import LoadRow
from seatrial.run.directory import RunDir
from tests.e2e.driving import processes_of, start
from tests.golden.server import Golden
from tests.waiting import until

pytestmark = pytest.mark.e2e


def soak(path, length, act):
    """A soak of a golden server; once it goes on, ``act(process)``; its exit code and output."""
    options = ("suites/soak", f"--soak={length}")
    with Golden(token_ms=10) as golden, start(path, *options, f"--endpoint=golden={golden.url}") as process:
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
        reader.start()
        try:
            until(lambda: rows(path) >= 4, "four rows", 40)
            act(process)
            process.wait(40)
        finally:
            process.kill()
        reader.join(10)
    return process.returncode, "".join(said)


def rows(path):
    return sum(isinstance(line, LoadRow) for line in RunDir(path).lines("load/*.jsonl"))


def children(pid, name):
    """Pids of the children of a process whose command names a module."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if name in Path(f"/proc/{child}/cmdline").read_text()]


def test_sigterm_drains_judges_and_reports(tmp_path):
    path = tmp_path / "run"
    code, out = soak(path, "8h", lambda process: process.send_signal(signal.SIGTERM))
    assert code == 10, out
    assert "draining " in out
    assert "s of 28800 s" in out
    assert "NOT PROVEN" in out
    assert {line.outcome for line in RunDir(path).lines("load/*.jsonl") if isinstance(line, LoadRow)} == {"ok"}
    assert (path / "verdict.json").is_file()
    assert processes_of(path) == []


def test_a_load_that_is_drained_behind_our_back_shows_no_endurance(tmp_path):
    def strike(process):
        (load,) = children(process.pid, "locust")
        os.kill(load, signal.SIGTERM)

    code, out = soak(tmp_path / "run", "8h", strike)
    assert code == 10, out
    assert "s of 28800 s" in out


def test_a_keeper_that_is_killed_leaves_the_rest_unobserved(tmp_path):
    def strike(process):
        (keeper,) = children(process.pid, "seatrial.servers.keeper")
        os.kill(keeper, signal.SIGKILL)

    code, out = soak(tmp_path / "run", "10s", strike)
    assert code == 10, out
    assert "UNOBSERVED" in out
    assert "without a gap" not in out
