"""The recorder as the keeper's child: started with the run, spoken to over its stdin, ended by having it seal."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SEAL_S = 2.0
AWAKE_S = 5.0
"""The longest a command waits for the recorder to be there; it takes 0.3 s unless the machine is busy."""


class RecorderChild:
    """The process, from its start to its end.

    Args:
        run: path of the run directory.
        log: file for its output and errors.
        module: what to run.
    """

    def __init__(self, run: Path, log: Path, module: str) -> None:
        self._beats = run / "watch" / "samples.jsonl"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(run)], stdin=subprocess.PIPE, stdout=out, stderr=out
            )
        self.pid = self._process.pid
        self.pidfd = os.pidfd_open(self.pid)

    def tell(self, message: dict[str, Any]) -> None:
        """Hand it a command; one that has ended hears nothing, which its pidfd says."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def await_heartbeat(self) -> None:
        """Wait for its first heartbeat, for no longer than ``AWAKE_S``."""
        until = time.monotonic() + AWAKE_S
        while not self._beats.exists() and self._process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)

    def status(self) -> int:
        """How it ended, as ``subprocess`` tells it; waits for the end."""
        return self._process.wait()

    def seal(self) -> bool:
        """Have it seal the record and end; False: it did not within ``SEAL_S`` and was killed."""
        self.tell({"seal": True})
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(SEAL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        return True
