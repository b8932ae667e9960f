"""What a nightly job remembers between its nights, and the lock that keeps two of its nights apart.

``latest.json`` is for others, ``nights.json`` for the job itself: which runs are its own, and what it last said. Both
are replaced as a whole. Locks are flock's, and the child that asks a server holds them too: where the job is killed and
its child goes on, nobody else begins.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from seatrial.given.errors import ConfigError
from seatrial.records import NightKept, Nightly, NightsKept, NightWord
from seatrial.run import files
from seatrial.run.clocks import boot_id
from seatrial.run.lines import BAD
from seatrial.run.writer import write_atomically

LATEST, NIGHTS, LOCK = "latest.json", "nights.json", ".lock"
FILE_CAP = 4 * 1024 * 1024
POLL_S, AGAIN_S = 0.5, 60.0

_Read = TypeVar("_Read", Nightly, NightsKept)


def latest(directory: Path) -> Nightly | None:
    """The last night; None where none is written, or it cannot be read."""
    return _decoded(directory, LATEST, Nightly)


def nights(directory: Path, job: str) -> NightsKept:
    """What the job remembers.

    Raises:
        ConfigError: the directory is another job's, or what stands there cannot be read.
    """
    found = _decoded(directory, NIGHTS, NightsKept)
    if found is None:
        if (directory / NIGHTS).exists() or (directory / NIGHTS).is_symlink():
            raise ConfigError(
                f"{directory / NIGHTS} cannot be read: which runs are this job's is not known; move it away"
            )
        return NightsKept(job=job)
    if found.job != job:
        raise ConfigError(
            f"{directory} is the job {found.job[:60]!r}'s: name another directory, or give this job its name"
        )
    return found


def write(directory: Path, state: Nightly | NightsKept) -> None:
    """Replace the file of a state.

    Raises:
        RunDirError: it cannot be written.
    """
    name = LATEST if isinstance(state, Nightly) else NIGHTS
    write_atomically(directory / name, msgspec.json.format(msgspec.json.encode(state)) + b"\n")


def remembered(kept: NightsKept, state: Nightly, taken: int) -> NightsKept:
    """The memory with one night more: of the endpoints that were tried in it to the end, or to a failure.

    A night that was cut once it was remembered is not remembered twice.
    """
    own = [run for run in state.endpoints if run.night == state.night]
    words = {run.endpoint: run.word for run in own if not run.early or run.word is NightWord.NOT_READY}
    others = (each for each in kept.nights if not same(each, state))
    return msgspec.structs.replace(
        kept,
        nights=(*others, NightKept(night=state.night, runs=dict(state.planned), words=words)),
        judged=kept.judged | {name: word for name, word in words.items() if word in JUDGED},
        last=kept.last | words,
        taken=taken or kept.taken,
    )


def same(kept: NightKept, state: Nightly) -> bool:
    """Whether a night that is remembered is the one of a state."""
    return (kept.night, kept.runs) == (state.night, state.planned)


JUDGED = frozenset({NightWord.READY, NightWord.NOT_PROVEN, NightWord.NOT_READY})
"""Words that are verdicts."""


def ourselves() -> tuple[int, int, str]:
    """This process as another finds it again: pid, start in ticks since the boot, boot id."""
    return os.getpid(), _start_of(os.getpid()), boot_id()


def _start_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def alone(directory: Path) -> int:
    """Take the lock of a job; it is held as long as a process has the descriptor.

    Raises:
        ConfigError: another night of the job goes on.
    """
    handle = _opened(directory / LOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        os.close(handle)
        who = f", process {who}" if who.isdigit() else ""
        raise ConfigError(f"another night of this job goes on in {directory}{who}: wait for its end") from None
    with contextlib.suppress(OSError):  # of a full disk the night itself tells; it is the lock that counts
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def turn(path: Path, place: str, patience_s: float, say: Callable[[str], None], stop: Callable[[], bool]) -> int | None:
    """Take the lock of a host and port, which jobs of other files share; None where it was not to be had in time.

    Args:
        stop: says that nobody waits any more.
    """
    handle = _opened(path)
    end, told = time.monotonic() + patience_s, 0.0
    while time.monotonic() < end and not stop():
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= told:
                told = time.monotonic() + AGAIN_S
                say(f"waiting for {place}: another nightly job asks it")
            time.sleep(POLL_S)
        else:
            return handle
    os.close(handle)
    return None


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError(f"cannot open {path}: {error.strerror}; name another directory") from error


def _decoded(directory: Path, name: str, kind: type[_Read]) -> _Read | None:
    try:
        return msgspec.json.decode(files.read(directory, name, FILE_CAP), type=kind)
    except (files.UnfitError, *BAD):
        return None
