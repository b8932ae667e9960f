"""Running the suite as a user does, and reading what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """A finished run of the suite."""

    code: int
    out: str
    seconds: float
    path: Path

    @property
    def verdict(self) -> dict[str, Any]:
        return json.loads((self.path / "verdict.json").read_text())


def suite(path: Path, *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = 600) -> Ran:
    """``pytest ARGUMENTS --run-dir=PATH`` in the checkout, to its end."""
    started = time.monotonic()
    with start(path, *arguments, env=env) as process:
        try:
            out, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            raise AssertionError(f"not at its end after {timeout_s} s:\n{out[-4000:]}") from None
    return Ran(process.returncode, out, time.monotonic() - started, path)


def start(
    path: Path, *arguments: str, env: Mapping[str, str] | None = None, out: IO[bytes] | int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """The same, still running; what it prints goes to ``out``."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments, f"--run-dir={path}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        text=True,
    )


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``seatrial ARGUMENTS``."""
    full = [sys.executable, "-m", "seatrial.cli", *arguments]
    return subprocess.run(full, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def processes_of(path: Path) -> list[str]:
    """Living processes that name a run directory in their arguments or environment, zombies aside."""
    mark, found = str(path).encode(), []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark in said and state != "Z":
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200])
    return found
