"""The one guard between a run directory and who reads it: regular files below it, and nothing else, are opened.

A directory that somebody else made may hold anything: a link to another file, a pipe that nobody writes to, a device, a
folder in place of a file, a file without an end. None of them is followed, waited for or read to its end.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

PAGE_BYTES = 16 * 1024 * 1024
"""The longest file that is read as a whole: run.json, a page of an endpoint, waivers."""
DEPTH = 8
"""Folders within folders that are looked into; a run directory has three."""
ENTRIES = 200_000
"""Names that are looked at in one walk."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)

Refused = Callable[[str, str], None]
"""Takes the name of what is not read, and what it is."""


class UnfitError(OSError):
    """A file of a run directory that is not read; the message says what it is in its place."""


class MissingError(UnfitError):
    """There is none."""


def opened(root: Path, name: str, *, to_forget: bool = False) -> int:
    """Open a regular file below ``root`` for reading, and return its descriptor.

    Args:
        name: its path from there.
        to_forget: open it for writing too, for what has been read is to be given back to the disk.

    Raises:
        MissingError: there is no such file.
        UnfitError: it is no regular file, lies behind a link, or cannot be read.
    """
    *folders, last = name.split("/")
    if not last or any(part in {"", ".", ".."} for part in (*folders, last)):
        raise UnfitError("no name of a file in a run directory")
    held: list[int] = []
    try:
        held.append(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for folder in folders:
            held.append(os.open(folder, _FOLDER, dir_fd=held[-1]))
        return _regular(last, held[-1], os.O_RDWR if to_forget else os.O_RDONLY)
    except FileNotFoundError as error:
        raise MissingError("missing") from error
    except NotADirectoryError as error:
        raise UnfitError("behind what is no folder") from error
    except (OSError, ValueError) as error:
        raise UnfitError(getattr(error, "strerror", None) or str(error)) from error
    finally:
        for handle in held:
            os.close(handle)


def read(root: Path, name: str, most: int = PAGE_BYTES) -> bytes:
    """The whole of a small file.

    Raises:
        MissingError: there is no such file.
        UnfitError: it is no regular file, cannot be read, or is longer than ``most``.
    """
    handle = opened(root, name)
    try:
        with os.fdopen(handle, "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise UnfitError(error.strerror or str(error)) from error
    if len(content) > most:
        raise UnfitError(f"longer than {most} bytes")
    return content


def tail(root: Path, name: str, most: int) -> bytes:
    """At most so many bytes from the end of a file; none where it is not read."""
    try:
        handle = opened(root, name)
    except UnfitError:
        return b""
    try:
        with os.fdopen(handle, "rb") as file:
            file.seek(max(0, os.fstat(handle).st_size - most))
            return file.read(most)
    except OSError:
        return b""


def matching(root: Path, pattern: str, refused: Refused) -> list[str]:
    """Regular files below ``root`` whose path from there matches ``pattern``, in order.

    Args:
        pattern: ``writers/**/*.jsonl``: ``**`` stands for any folders, ``*`` for any part of a name.
        refused: hears of what bears such a name, or stands where a folder should, and is not read.
    """
    if "*" not in pattern:
        return [pattern]
    wanted = _compiled(pattern)
    top = pattern.split("/", 1)[0]
    found = [name for name in _walk(root, top, refused, wanted) if wanted.fullmatch(name)]
    return sorted(found, key=lambda name: name.split("/"))


def kind_of(mode: int) -> str:
    """What a thing that is no regular file is, in words."""
    return next((word for test, word in _KINDS if test(mode)), "no regular file")


def _regular(name: str, folder: int, mode_of_opening: int) -> int:
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode):  # a device may do something when it is opened
        raise UnfitError(kind_of(mode))
    handle = os.open(name, _FILE | mode_of_opening, dir_fd=folder)
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise UnfitError(kind_of(mode))
    return handle


def _walk(root: Path, top: str, refused: Refused, wanted: re.Pattern[str]) -> Iterator[str]:
    left = ENTRIES
    due = [top]
    while due:
        folder = due.pop()
        try:
            if stat.S_ISLNK((root / folder).lstat().st_mode):
                refused(folder, "a symbolic link")
                continue
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0:
                        refused(folder, f"holding more than {ENTRIES} names")
                        return
                    name = f"{folder}/{entry.name}"
                    if entry.is_dir(follow_symlinks=False) and not wanted.fullmatch(name):
                        due += [name] if name.count("/") < DEPTH else []
                    elif entry.is_file(follow_symlinks=False):
                        yield name
                    elif wanted.fullmatch(name) or (entry.is_symlink() and entry.is_dir()):
                        refused(name, kind_of(entry.stat(follow_symlinks=False).st_mode))
        except FileNotFoundError:
            continue
        except OSError as error:
            refused(folder, error.strerror or str(error))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*)", pattern)
    words = {"**/": "(?:[^/]+/)*", "*": "[^/]*"}
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts), re.DOTALL)
