"""Space on the disk that is held back, so that what is under way when the disk is full can still be written down."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

RESERVE_BYTES = 4 * 1024 * 1024
"""Rows of some thousand requests, or the judgements, the seal and the verdict of a run."""


class Reserve:
    """Space taken by a file of a run directory, until it is let go; twice is once.

    Args:
        path: of that file, which no reader of a run looks at.
    """

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self.held = False
        with contextlib.suppress(OSError):  # without the space there is none to hold back
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, size)
                self.held = True
            finally:
                os.close(handle)
        if not self.held:
            self._remove()

    def release(self) -> bool:
        """Let the space go; whether there was any."""
        held, self.held = self.held, False
        self._remove()
        return held

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
