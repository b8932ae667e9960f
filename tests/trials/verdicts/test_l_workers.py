"""L: a worker of ours that is killed costs the run nothing but the time to replace it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ending import ending
from tests.trials.tried import ROOT, Said, Tried, hold
from tests.waiting import until

ENDS_S = 60.0
"""The run takes some seconds; one that waited for what the dead worker had been given took 97, or had no end."""


def test_a_killed_worker_is_replaced_and_nothing_waits_for_it(tried: Tried, tmp_path: Path):
    path = tmp_path / "run"
    with (
        _golden() as url,
        ending(
            tried.start(*("-m", "pytest", "suites/conformance", "-n", "2", f"--endpoint={url}", f"--run-dir={path}"))
        ) as run,
    ):
        until(lambda: _judged(path) > 60, "the first sixty judgements", ENDS_S)
        os.kill(_worker(path), signal.SIGKILL)
        try:
            out, _ = run.communicate(timeout=ENDS_S)
        except subprocess.TimeoutExpired:
            run.terminate()
            out = run.communicate()[0]
    said = Said(run.returncode, out, path)
    assert "replacing crashed worker" in out, out[-3000:]
    ended = said.code == 0 and set(said.verdict["outcomes"].values()) == {"PASS"}
    hold(ended, f"every case is judged, and the run ends within {ENDS_S:.0f} s", f"exit {said.code}: {out[-3000:]}")


@contextmanager
def _golden() -> Iterator[str]:
    """The URL of a golden server in a process of its own: in ours the run and its workers would be its children."""
    command = [sys.executable, "-m", "tests.golden"]
    with ending(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()


def _judged(path: Path) -> int:
    return sum(len(file.read_bytes().splitlines()) for file in path.glob("writers/gw*/judgements.jsonl"))


def _worker(path: Path) -> int:
    """The pid of the first worker, which stands in the name of its folder."""
    return int(min(folder.name for folder in path.glob("writers/gw0-*")).rpartition("-")[2])
