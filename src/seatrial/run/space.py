"""Space on the disk: held back for what is under way when the disk is full, given back by files that outgrow theirs.

Blocks in the middle of a file go while the file keeps its size: of what was read, or of a log that floods.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

RESERVE_BYTES = 4 * 1024 * 1024
"""Rows of some thousand requests, or the judgements, the seal and the verdict of a run."""

SPARE = ".spare"
"""How the names of such files end."""

LOG_BYTES = 64 * 1024 * 1024
"""What a log of ours may take on the disk. Past it its middle is given up: how it began and how it ended is kept."""

_PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE of linux/falloc.h
_BLOCK = 4096


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


def punch(handle: int, at: int, length: int) -> bool:
    """Give a stretch of a file back to the disk; whether the file system can. It then reads as zeros."""
    failed = ctypes.CDLL(None).fallocate(handle, _PUNCH_HOLE, ctypes.c_longlong(at), ctypes.c_longlong(length))
    return not failed


def bound(log: Path, most: int = LOG_BYTES) -> bool:
    """Give up the middle of a log that takes more than ``most`` bytes: a quarter of them stays at either end.

    Whoever writes the log is not disturbed, and who reads its end finds it.

    Returns:
        Whether something was given up now.
    """
    with contextlib.suppress(OSError):
        found = log.stat()
        if found.st_blocks * 512 <= most:
            return False
        begin = _BLOCK * (most // 4 // _BLOCK)
        end = _BLOCK * ((found.st_size - most // 4) // _BLOCK)
        handle = os.open(log, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return end > begin and punch(handle, begin, end - begin)
        finally:
            os.close(handle)
    return False
