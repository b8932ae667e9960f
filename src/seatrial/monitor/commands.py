"""What the keeper says to the recorder: one JSON object a line."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from seatrial.records.targets import Watch


class Commands:
    """The commands as they come, whole or in pieces.

    Args:
        handle: a file descriptor; it is made non-blocking.
        trouble: says what was not understood.
    """

    def __init__(self, handle: int, trouble: Callable[[str], None]) -> None:
        self.handle, self._trouble = handle, trouble
        self._rest = b""
        os.set_blocking(handle, False)

    def read(self) -> list[Watch] | None:
        """What has come; None when nothing will come any more."""
        try:
            data = os.read(self.handle, 64 * 1024)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = []
        for line in lines:
            try:
                found.append(msgspec.json.decode(line, type=Watch))
            except (msgspec.MsgspecError, ValueError) as error:
                self.misunderstood(error)
        return found

    def misunderstood(self, error: Exception) -> None:
        """A command cannot be obeyed; the watch goes on."""
        self._trouble(f"a command of the keeper was not understood: {error}")
