"""One load over several processes, started as people start it, and what it left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.records import CrewWord, SoakRun
from seatrial.run.directory import RunDir
from tests.load.children import ROOT, soak_of
from tests.waiting import until

LOCUST = str(Path(sys.executable).with_name("locust"))
PATIENCE_S = 90.0

PHASES = """
[[phase]]
sort = "closed"
length = "{closed}s"
users = 4

[[phase]]
sort = "open"
length = "{opened}s"
rps = {rps}
"""


def plan(path: Path, closed: float, opened: float, rps: float) -> dict[str, str]:
    """A file of phases, as the variables that have a load keep to it."""
    file = path / "phases.toml"
    file.write_text(PHASES.format(closed=closed, opened=opened, rps=rps))
    return {"SEATRIAL_PHASES": str(file), "SEATRIAL_CANARY_S": "600"}


@dataclass
class Fleet:
    """A master and its workers, as processes.

    Attributes:
        run: the master's run directory.
        said: of each that has ended, what it said; the master first.
    """

    run: Path
    url: str
    port: int
    env: dict[str, str]
    host: str = "127.0.0.1"
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def master(self, *arguments: str, **env: str) -> None:
        """``locust --master``, or with ``--processes``."""
        own = {"SEATRIAL_RUN": str(self.run), **self.env, **env}
        bind = ["--master-bind-host", self.host, "--master-bind-port", str(self.port)]
        self._start([*self.locust("--headless", "--only-summary", "--host", self.url), *bind, *arguments], own)

    def worker(self, *arguments: str, port: int | None = None, **env: str) -> None:
        """``locust --worker`` with a folder of its own, as on another host."""
        folder = self.run.with_name(f"{self.run.name}-worker{len(self.processes)}")
        self._start(self.joining(port, *arguments), {"SEATRIAL_RUN": str(folder), **env})

    def joining(self, port: int | None, *arguments: str) -> list[str]:
        at = ["--worker", "--master-host", self.host, "--master-port", str(port or self.port)]
        return [*self.locust(*at), *arguments]

    def locust(self, *arguments: str) -> list[str]:
        return [LOCUST, "-f", "load/locustfile.py", *arguments]

    def _start(self, command: list[str], env: dict[str, str]) -> None:
        self.processes.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )

    def ended(self) -> list[int]:
        """The exit codes, once all have ended; the master's first."""
        codes = []
        for each in self.processes:
            text, _ = each.communicate(timeout=PATIENCE_S)
            self.said.append(text)
            codes.append(each.returncode)
        return codes

    def soak(self) -> SoakRun:
        """What the master's run directory holds; every line of it whole and known."""
        return soak_of(self.run)

    def kill(self, worker: str) -> int:
        """SIGKILL to a worker once it has ended some requests; its pid."""
        joined = self.joined(worker)
        until(lambda: self._rows(worker) > 5, f"rows of {worker}", PATIENCE_S)
        os.kill(joined, signal.SIGKILL)
        return joined

    def joined(self, worker: str) -> int:
        """The pid of a worker, once it has the plan."""
        return int(until(lambda: self._joined(worker), f"{worker} to join", PATIENCE_S))

    def kill_of(self, number: int) -> None:
        """SIGKILL to the process started as the n-th beside the master, once its worker has ended some requests."""
        until(lambda: min(self._rows("load1w1"), self._rows("load1w2")) > 5, "rows of both", PATIENCE_S)
        self.processes[number].kill()

    def _joined(self, worker: str) -> int:
        lines = RunDir(self.run).lines("load/load1.jsonl") if (self.run / "run.json").exists() else ()
        found = (line for line in lines if getattr(line, "what", "") == CrewWord.JOINED)
        return next((int(line.facts["pid"]) for line in found if getattr(line, "worker", "") == worker), 0)

    def _rows(self, worker: str) -> int:
        file = self.run / "load" / f"{worker}.jsonl"
        return file.read_bytes().count(b'"kind":"load"') if file.exists() else 0

    def end(self) -> None:
        for each in self.processes:
            if each.poll() is None:
                each.kill()
            each.communicate()


@contextlib.contextmanager
def fleet(
    run: Path, url: str, port: int, env: dict[str, str] | None = None, host: str = "127.0.0.1"
) -> Iterator[Fleet]:
    """A fleet whose processes end with the block."""
    made = Fleet(run, url, port, env or {}, host)
    try:
        yield made
    finally:
        made.end()


def lines_of(run: Path, kind: Callable[[Any], bool]) -> list[Any]:
    """The lines of a run directory that are of some kind."""
    return [line for line in RunDir(run).lines() if kind(line)]
