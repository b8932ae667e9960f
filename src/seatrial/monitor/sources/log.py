"""The last words of a server's own log, read when a rung breaks.

Its handle is kept from the beginning, so that a file that has been rotated away can still be read.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat

from seatrial.monitor.sources.source import Place, Source
from seatrial.records import Log
from seatrial.wire.masking.mask import Mask

LINES = 20
WINDOW = 8 * 1024
"""Bytes at the end of a log that are shown."""
WIDTH = 400
"""Characters of a line that are shown."""

_UNREADABLE = 0.3
"""A file of which more than this part of the characters cannot be decoded is binary."""


class File:
    """A log file that stays open. ``seen``: its size at the last reading."""

    def __init__(self, path: str) -> None:
        """Open a regular file, without waiting for a writer of a FIFO.

        Raises:
            OSError: there is none, it may not be read, or it is none.
        """
        self.handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        found = os.fstat(self.handle)
        if not stat.S_ISREG(found.st_mode):
            os.close(self.handle)
            raise OSError(0, "not a regular file")
        self.identity, self.seen = (found.st_dev, found.st_ino), found.st_size

    def size(self) -> int:
        return os.fstat(self.handle).st_size

    def end(self, mask: Mask) -> tuple[tuple[str, ...], str]:
        """Its last lines, and what is to be said of them."""
        self.seen = self.size()
        start = max(0, self.seen - 2 * WINDOW)
        data = os.pread(self.handle, 2 * WINDOW, start)
        return last_lines(data, mask, whole=start == 0)

    def close(self) -> None:
        os.close(self.handle)


def last_lines(data: bytes, mask: Mask, *, whole: bool) -> tuple[tuple[str, ...], str]:
    """The last lines of what stands at the end of a log, without its secrets, and a note where they cannot be shown.

    Args:
        whole: the data begins where the file does; else its first bytes may be a part of a secret, and are left out.
    """
    shown = mask.bytes(data)
    if len(shown) > WINDOW or not whole:
        _, newline, rest = shown[-WINDOW:].partition(b"\n")
        shown = rest if newline and rest else shown[-WINDOW:]
    shown = shown.lstrip(b"\0")  # a log cut to nothing under its writer begins with a hole
    text = shown.decode("utf-8", "replace")
    if "\0" in text or text.count("\ufffd") > _UNREADABLE * len(text):
        return (), "binary: its last bytes are no text"
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    return tuple(line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines[-LINES:]), ""


class Tail(Source):
    """One log."""

    def __init__(self, name: str, path: str, mask: Mask, wake: int) -> None:
        self.path = path
        self._mask = mask
        self._files: list[File] = []  # the one now at the path, and before it the one that was there before
        self._said = ""
        super().__init__(f"log {path}", name, wake)

    def begin(self) -> str:
        """Take up the file that stands at the path; why not, if not."""
        try:
            self._files = [*self._files[-1:], File(self.path)]
        except OSError as error:
            return error.strerror or str(error)
        except ValueError as error:
            return str(error)
        return ""

    def end(self) -> None:
        for file in self._files:
            file.close()

    def moved(self) -> bool:
        """Whether there is anything new since the last reading."""
        with contextlib.suppress(OSError):
            return self._replaced() or any(file.size() != file.seen for file in self._files)
        return False

    def _replaced(self) -> bool:
        """Whether another file than the one we hold, or none any more, stands at the path."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - the identity alone
        except FileNotFoundError:
            return True
        return not self._files or (found.st_dev, found.st_ino) != self._files[-1].identity

    def look(self, at: int) -> None:
        """Write down the last lines: of the file, and of the one before it where that has grown."""
        try:
            fresh, why = self._replaced(), ""
            if fresh:
                why = self.begin()
            if why and why != self._said:
                note = (
                    f"rotated: no file stands at its path any more ({why})" if self._files else f"not readable: {why}"
                )
                self._log(at, note)
            self._said = why
            for file in self._files:
                if file is self._files[-1] or fresh or file.size() != file.seen:
                    self._tell(at, file, fresh=fresh and not why)
        except (OSError, ValueError) as error:
            self._log(at, f"not readable: {error}")

    def _tell(self, at: int, file: File, *, fresh: bool) -> None:
        cut = file.size() < file.seen
        before = file.seen
        text, note = file.end(self._mask)
        notes = [note] if note else []
        if cut:
            notes.insert(0, f"rotated: cut from {before} bytes to {file.seen}")
        if file is not self._files[-1]:
            notes.insert(0, "rotated: these are the last lines of the file that stood there before")
        elif fresh and len(self._files) > 1:
            notes.insert(0, "rotated: another file stands at its path now")
        self._log(at, "; ".join(notes), text)

    def _log(self, at: int, note: str, text: tuple[str, ...] = ()) -> None:
        self.put(Log(name=self._name, file=self.path, at=at, text=text, note=note))


def open_source(place: Place) -> Tail | None:
    """The log of a target, where the operator or the keeper names one."""
    path = place.command.log
    return Tail(place.command.name, path, place.mask, place.wake) if path else None
