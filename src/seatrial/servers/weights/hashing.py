"""The SHA-256 of a large file, at the lowest priority, and kept: a file of the same place, size and time is the same.

``python -m seatrial.servers.weights.hashing FILE`` is the process that reads it: bytes done and in all, a line a
second, then the hash. It ends with whoever started it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import platformdirs
import psutil

from seatrial.run.writer import write_atomically
from seatrial.servers.embedded import end_with_parent

LIMIT_S = 600.0
"""No file is read for longer: at the lowest priority a busy host may never get to it."""

SAY_S = 10.0
CHUNK = 4 << 20
KEPT = 200
"""Hashes that are kept at most, the latest."""

CACHE = "weights.json"


def sha256(path: Path, say: Callable[[str], None], limit_s: float = LIMIT_S) -> str:
    """The hash of a regular file, from the cache where it was read before.

    Args:
        say: is told how far it is, every ten seconds.

    Raises:
        OSError: it cannot be read, or is no regular file.
        TimeoutError: it is not read within the limit.
        ValueError: it changed meanwhile.
    """
    key, cache = _key(path), _cache()
    held = _held(cache)
    if key in held:
        return held[key]
    found = _read(path, say, limit_s)
    if _key(path) != key:
        raise ValueError("it changed while it was read")
    kept = dict([*_held(cache).items(), (key, found)][-KEPT:])
    with contextlib.suppress(OSError):  # a home that cannot be written: it is read again next time
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(cache, msgspec.json.encode(kept))
    return found


def _cache() -> Path:
    return Path(platformdirs.user_cache_dir("seatrial")) / CACHE


def _held(cache: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(cache.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


def _key(path: Path) -> str:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def _read(path: Path, say: Callable[[str], None], limit_s: float) -> str:
    """Have a process of its own read it."""
    end, said = time.monotonic() + limit_s, time.monotonic()
    command = [sys.executable, "-m", "seatrial.servers.weights.hashing", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        try:
            assert child.stdout is not None
            while select.select([child.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                words = child.stdout.readline().split()
                if not words:
                    raise OSError("it cannot be read")
                if len(words) == 1:
                    return words[0].decode("ascii")
                done, whole = map(int, words)
                if time.monotonic() - said >= SAY_S:
                    said = time.monotonic()
                    say(f"{'':<10} hashing {path.name}: {100 * done // max(whole, 1)} % of {whole / 1e9:.1f} GB")
                if time.monotonic() >= end:
                    break
            raise TimeoutError
        finally:
            child.kill()


def main(arguments: list[str]) -> int:
    """The process that reads."""
    end_with_parent()
    os.nice(19)
    with contextlib.suppress(OSError, psutil.Error, AttributeError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    summed, told = hashlib.sha256(), 0.0
    with Path(arguments[0]).open("rb", buffering=0) as file:
        whole, done = os.fstat(file.fileno()).st_size, 0
        while piece := file.read(CHUNK):
            summed.update(piece)
            done += len(piece)
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                sys.stdout.write(f"{done} {whole}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{summed.hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
