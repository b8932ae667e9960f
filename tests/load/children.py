"""Locust as a child process of a test, always ended by its id."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from seatrial.records import LoadRow, SoakRun
from seatrial.run.directory import RunDir

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 40.0


@contextlib.contextmanager
def locust(
    host: str, run: Path, *arguments: str, pass_fds: tuple[int, ...] = (), headless: bool = True, **env: str
) -> Iterator[subprocess.Popen[str]]:
    """``locust -f load/locustfile.py --headless`` as a user types it, writing into ``run``."""
    shown = ["--headless", "--only-summary"] if headless else []
    child = subprocess.Popen(
        [str(Path(sys.executable).with_name("locust")), "-f", "load/locustfile.py", *shown, "--host", host, *arguments],
        cwd=ROOT,
        env={**os.environ, "SEATRIAL_RUN": str(run), "SEATRIAL_USERS": "4", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=pass_fds,
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def rows(run: Path) -> list[LoadRow]:
    return [line for line in RunDir(run).lines("load/*.jsonl") if isinstance(line, LoadRow)]


def soak_of(run: Path) -> SoakRun:
    """What a load left; every line of it must be whole and known."""
    opened = RunDir.open(run)
    (name,) = opened.endpoints()
    read = SoakRun.of(name, opened.in_time())
    assert (opened.unread.torn, opened.unread.unknown) == (0, 0)
    return read
