"""Nights of a real job, one after the other, by the commands that an operator types; and what they have to show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema_rs

from seatrial.records import LoadRow
from seatrial.run.directory import RunDir
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "src" / "seatrial" / "latest.schema.json"
HOOK = '#!/bin/sh\ncat > "{folder}/hook.$(ls {folder} | grep -c ^hook[.][0-9])"\n'
NIGHT_S, PAGE_S = 900, 300


@dataclass
class Shown:
    """What nights showed: exit statuses, calls of the hook by night, and what was printed at the end."""

    exits: list[int] = field(default_factory=list)
    hooks: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    history: str = ""
    first_screen: str = ""
    worse: list[str] = field(default_factory=list)


class Job:
    """A nightly job in a folder of its own.

    Args:
        endpoint: lines of its table.
        suites: that it runs.
        more: further lines of the file's head.
    """

    def __init__(self, folder: Path, endpoint: str, suites: Sequence[str], more: str = "") -> None:
        self.folder, self.file, self.shown = folder, folder / "job.toml", Shown()
        hook = folder / "hook.sh"
        hook.write_text(HOOK.format(folder=folder))
        hook.chmod(0o755)
        self.file.write_text(
            f'directory = "nights"\ncheckout = "{ROOT}"\nsuites = {json.dumps(list(suites))}\nhook = "{hook}"\n'
            f'textfile = "seatrial.prom"\n{more}\n\n[[endpoint]]\n{endpoint}\n'
        )

    def night(self) -> int:
        """One night; its exit status."""
        done = self._command("nightly", str(self.file))
        self.shown.exits.append(done.returncode)
        self.shown.hooks.append(len(list(self.folder.glob("hook.[0-9]*"))))
        self.shown.said.append(done.stdout + done.stderr)
        latest = json.loads((self.folder / "nights" / "latest.json").read_text())
        jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(latest)
        self.shown.worse += latest["worse"]
        return done.returncode

    def tell(self) -> Shown:
        """What the history and the first screen of the last night say."""
        self.shown.history = self._command("history", "--config", str(self.file)).stdout
        self.shown.first_screen = (self.folder / "nights" / "runs" / "latest" / "report.md").read_text()
        return self.shown

    def _command(self, *words: str) -> subprocess.CompletedProcess[str]:
        full = [sys.executable, "-m", "seatrial.cli", *words]
        return subprocess.run(full, cwd=self.folder, capture_output=True, text=True, timeout=NIGHT_S, check=False)


@contextmanager
def golden(*faults: str, port: int = 0) -> Iterator[str]:
    """A golden server in a process of its own, and its URL. It takes its time: else users without pause keep the load
    itself too busy for a verdict."""
    words = [sys.executable, "-m", "tests.golden", f"--port={port}", "--token-ms=10"]
    words += [f"--fault={fault}" for fault in faults]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@contextmanager
def struck(job: Job, number: int, rows: int = 4) -> Iterator[None]:
    """While a night goes on: the embedded server gets a signal once its soak has so many rows."""

    def strike() -> None:
        before = set(_runs(job))
        (path,) = until(lambda: set(_runs(job)) - before, "the night's run", PAGE_S)
        page = path / "endpoints" / "embedded.json"
        until(page.is_file, "the endpoint's page", PAGE_S)
        until(lambda: _rows(path) >= rows, "rows of the soak", PAGE_S)
        os.kill(json.loads(page.read_text())["pid"], number)

    with _beside(strike):
        yield


@contextmanager
def _beside(act: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _runs(job: Job) -> list[Path]:
    folder = job.folder / "nights" / "runs"
    return [path for path in folder.iterdir() if path.name.startswith("2")] if folder.is_dir() else []


def _rows(path: Path) -> int:
    return sum(isinstance(line, LoadRow) for line in RunDir(path).lines("load/*.jsonl"))
