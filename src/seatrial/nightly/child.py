"""One run of a night: pytest in a process of its own, its output in a log, and an end whatever it does."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.nightly.config import NightTarget

DRAINS_S = 600.0
"""A run that is asked for its end drains its soak, is judged and reported; after this it is killed."""
STEP_S = 0.2
EARLY = "ended early, as we were asked to"


@dataclass(frozen=True, slots=True)
class RunEnded:
    """How a run ended: its exit status, below 0 by a signal, None: never started; and what we had to do with it."""

    code: int | None
    seconds: float
    why: str = ""
    early: bool = False  # for we were asked to end it


class RunChild:
    """Runs one child after another, and hands on the orders that this process gets for its end."""

    def __init__(self) -> None:
        self.asked = 0
        self._handed = False  # to the process that runs
        self._process: subprocess.Popen[bytes] | None = None

    def end(self) -> None:
        """Ask for the end: of what runs, and of the night."""
        self.asked += 1
        self._signal(signal.SIGINT)

    def run(self, words: Sequence[str], folder: Path, log: Path, environment: dict[str, str], held: Sequence[int],
            limit_s: float) -> RunEnded:  # fmt: skip
        """Run a command to its end.

        Args:
            folder: where it is run.
            log: takes what it prints.
            held: descriptors of locks, which it holds as well.
            limit_s: seconds after which it is asked for its end.
        """
        began, self._handed = time.monotonic(), False
        try:
            with log.open("wb") as out:
                self._process = subprocess.Popen(
                    words,
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    pass_fds=tuple(held),
                    start_new_session=True,
                )
        except OSError as error:
            return RunEnded(None, 0.0, f"cannot be started: {error.strerror}")
        why = self._wait(self._process, began + limit_s, limit_s)
        code, self._process = self._process.returncode, None
        return RunEnded(code, time.monotonic() - began, why, early=why.startswith(EARLY))

    def _wait(self, process: subprocess.Popen[bytes], until: float, limit_s: float) -> str:
        """Wait for its end, and see to it; what had to be done."""
        why, kill_at = "", float("inf")
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STEP_S)
                return why or (EARLY if self.asked else "")
            now = time.monotonic()
            if self.asked and not why:
                why, kill_at = EARLY, now + DRAINS_S
                if not self._handed:  # it was started in the very moment
                    self._signal(signal.SIGINT)
            elif now >= until and not why:
                why, kill_at = f"ended by us: it took longer than {limit_s:.0f} s", now + DRAINS_S
                self._signal(signal.SIGINT)
            elif now >= kill_at:
                why, kill_at = f"{why}, and killed: it did not end within {DRAINS_S:.0f} s", float("inf")
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _signal(self, number: int) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(number)
            self._handed = True


def words(target: NightTarget, run: Path) -> tuple[str, ...]:
    """The command of one run. No secret stands in it."""
    return (sys.executable, "-m", "pytest", *target.suites, f"--run-dir={run}", *_asked(target), *target.arguments)


def _asked(target: NightTarget) -> Iterator[str]:
    if target.url:
        yield f"--endpoint={target.name}={target.url}"
    for option, value in (
        ("--model", target.model),
        ("--api-key-env", target.access.key_env),
        ("--ca", target.access.ca),
        ("--waive", target.waive),
        ("--soak", target.soak),
    ):
        if value:
            yield f"{option}={value}"


def environment(target: NightTarget) -> dict[str, str]:
    """Ours, with the headers that hold a secret: a command line is for everybody's eyes, an environment is not."""
    headers = [shlex.quote(f"--header={name}: {value}") for name, value in target.access.headers.items()]
    given = [text for text in (os.environ.get("PYTEST_ADDOPTS", ""), *headers) if text]
    return {**os.environ, "PYTHONUNBUFFERED": "1", **({"PYTEST_ADDOPTS": " ".join(given)} if given else {})}
