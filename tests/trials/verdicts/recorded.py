"""Whole runs, recorded by the tree on trial: what is damaged later."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.golden.server import Golden
from tests.trials.tried import ROOT, hold, tried
from tests.waiting import until

FEW = ("suites/conformance/test_params.py", "-k", "max-tokens or n-gives")


def suite(path: Path, *more: str, faults: tuple[str, ...] = (), selected: tuple[str, ...] = FEW) -> Path:
    """A run of cases against a golden server with such faults."""
    with Golden(faults) as golden:
        said = tried().suite(path, *selected, f"--endpoint=gold={golden.url}", *more)
    hold((path / "verdict.json").is_file(), "a run is recorded", said.out[-2000:])
    return path


def watch(path: Path, *, kill: bool) -> Path:
    """A watch of a golden server for some seconds; it is killed in the midst of it, or lives."""
    command = [sys.executable, "-m", "tests.golden"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout
        url = server.stdout.readline().strip()
        arguments = ("watch", f"--endpoint=gold={url}", "--for=6s", f"--record={path}")
        with tried().start("-m", "seatrial.cli", *arguments) as process:
            try:
                until(lambda: _is_seen(path), "the watch sees the server", 30)
                if kill:
                    server.send_signal(signal.SIGKILL)
                process.communicate(timeout=60)
            finally:
                server.kill()
    return path


def _is_seen(path: Path) -> bool:
    samples = path / "watch" / "samples.jsonl"
    return samples.is_file() and samples.read_text().count('"health":200') > 1
