"""Blocks of a file given back to the disk while the file keeps its size: of what was read, or of a log that floods."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

LOG_BYTES = 64 * 1024 * 1024
"""What a log of ours may take on the disk. Past it its middle is given up: how it began and how it ended is kept."""

_PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE of linux/falloc.h
_BLOCK = 4096


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
