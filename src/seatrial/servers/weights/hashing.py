"""The SHA-256 of a large file, read beside all else at the lowest priority, and kept: a file of the same place, size
and time is the same.

``python -m seatrial.servers.weights.hashing FILE`` is the process that reads it. It says bytes done and in all, a line
a second, keeps the hash where the next run looks for it, and says it. It ends with whoever started it, unless it is
told to go on: then it reads to the end, for ten minutes at most, and nobody waits for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import select
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import platformdirs
import psutil

from seatrial.run.writer import RunDirError, write_atomically
from seatrial.text import visible

LIMIT_S = 600.0
"""No file is read for longer: at the lowest priority a busy host may never get to it."""

SAY_S = 20.0
CHUNK = 4 << 20
KEPT = 200
"""Hashes that are kept at most, the latest."""

GO_ON = b"go on"
CACHE = "weights.json"


class Hashing:
    """The hash of a regular file on its way: at once where it was read before, else from a process of its own.

    Args:
        say: is told how far it is, every twenty seconds, from a thread.

    Raises:
        OSError: the file cannot be read, or is no regular file.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path, self._say, self._key = path, say, _key(path)
        self._done, self._whole = 0, path.stat().st_size
        self._found, self._wrong = _held(_cache()).get(self._key, ""), ""
        self._child: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        if not self._found:
            command = [sys.executable, "-m", "seatrial.servers.weights.hashing", str(path)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self._child = subprocess.Popen(command, **pipes, start_new_session=True)  # type: ignore[call-overload]
            self._thread = threading.Thread(target=self._listen, args=(self._child,), daemon=True)
            self._thread.start()

    @property
    def name(self) -> str:
        """The file's name."""
        return visible(self._path.name, 80)

    @property
    def sum(self) -> str:
        """The hash; empty as long as it is not known."""
        return self._found

    @property
    def lacks(self) -> str:
        """Why the hash is not known, in words."""
        if self._wrong:
            return f"not hashed: {self._wrong}"
        return f"not yet known: {100 * self._done // max(self._whole, 1)} % of {self._whole / 1e9:.1f} GB read"

    def wait(self, seconds: float) -> None:
        """Wait until it is known, or cannot be, or so many seconds have passed."""
        if self._thread is not None:
            self._thread.join(seconds)

    def go_on(self) -> bool:
        """Let the process read on alone, so that the next run finds the hash; whether there is still one that does."""
        child = self._child
        if child is None or child.stdin is None or child.poll() is not None or not self._is_under_way:
            return False
        with contextlib.suppress(OSError):
            child.stdin.write(GO_ON)
            child.stdin.close()
            self._child = None  # nobody waits for it, and nobody ends it
        return self._child is None

    def end(self) -> None:
        """End the process, where there is one that was not told to go on."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            if self._child.stdin is not None:
                self._child.stdin.close()

    @property
    def _is_under_way(self) -> bool:
        return not self._found and not self._wrong

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        """Read what the process says, to its end."""
        said_at = time.monotonic()
        assert child.stdout is not None
        with child.stdout:
            for line in child.stdout:
                words = line.split()
                if len(words) == 1:
                    self._settle(words[0].decode("ascii", "replace"))
                    return
                self._done, self._whole = int(words[0]), int(words[1])
                if time.monotonic() - said_at >= SAY_S:
                    said_at = time.monotonic()
                    self._say(f"{'':<10} hash of {self.name}: {self.lacks}")
        self._wrong = self._wrong or "it cannot be read, or not within ten minutes"

    def _settle(self, summed: str) -> None:
        try:
            same = _key(self._path) == self._key
        except OSError:
            same = False
        self._found, self._wrong = (summed, "") if same else ("", "it changed while it was read")


def _cache() -> Path:
    return Path(platformdirs.user_cache_dir("seatrial")) / CACHE


def _held(cache: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(cache.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


def _keep(key: str, summed: str, cache: Path) -> None:
    """Keep a hash beside the others; of a home that cannot be written it is read again next time."""
    with contextlib.suppress(OSError, RunDirError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        with cache.with_suffix(".lock").open("ab") as lock:  # two files may be done at one time
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = dict([*_held(cache).items(), (key, summed)][-KEPT:])
            write_atomically(cache, msgspec.json.encode(kept))


def _key(path: Path) -> str:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


class _Parent:
    """Whoever started the process that reads, by its standard input: it closes where he is gone."""

    def __init__(self) -> None:
        self._matters = True

    def is_gone(self) -> bool:
        if self._matters and select.select([0], [], [], 0)[0]:
            if not os.read(0, len(GO_ON)):
                return True
            self._matters = False
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads any more
        return False


def main(arguments: list[str]) -> int:
    """The process that reads: 0 with the hash said and kept, 1 without."""
    path, end = Path(arguments[0]), time.monotonic() + LIMIT_S
    os.nice(19)
    with contextlib.suppress(OSError, psutil.Error, AttributeError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    key, parent, summed, told = _key(path), _Parent(), hashlib.sha256(), 0.0
    with path.open("rb", buffering=0) as file:
        whole, done = os.fstat(file.fileno()).st_size, 0
        while piece := file.read(CHUNK):
            summed.update(piece)
            done += len(piece)
            if parent.is_gone() or time.monotonic() > end:
                return 1
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                _say(f"{done} {whole}")
    if _key(path) == key:  # else it is of neither the old file nor the new one
        _keep(key, summed.hexdigest(), _cache())
    _say(summed.hexdigest())
    return 0


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
