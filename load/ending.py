"""How a load comes to its end: by its time, because its phases are over, or because it cannot go on."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable
from pathlib import Path

from seatrial.checks.areas.soak.lasting import OVER
from seatrial.run.space import Reserve
from seatrial.run.writer import RunDirError
from seatrial.text import shorten

EARLY_S = 1.0
"""Who ends a load earlier than by this is not its time."""

OUTSIDE = "told to end (SIGTERM)"
GONE = "the run that it is part of was gone, and its streams were cut"


class LoadEnd:
    """Whatever ends a load, once; :meth:`facts` says it in its record.

    Args:
        spare: path of the file that holds space back for the time when the disk is full.
    """

    def __init__(self, spare: Path) -> None:
        self._spare = Reserve(spare)
        atexit.register(self._spare.release)  # a worker may be told to quit before it has begun
        self._quit: Callable[[], None] = _nothing
        self._until = 0.0
        self.over = False
        self.why = ""

    def begin(self, seconds: float | None, leave: Callable[[], None]) -> None:
        """The load begins.

        Args:
            seconds: for how long; None: until it is told to end.
            leave: has it drained.
        """
        self.over, self.why = False, ""
        self._until = 0.0 if seconds is None else time.monotonic() + seconds - EARLY_S
        self._quit = leave

    def early(self) -> None:
        """The phases are over before their time."""
        self.over = True
        self._leave()

    def in_time(self) -> None:
        """The phases are over at their time, which this load keeps itself."""
        self._leave()

    def broken(self, error: BaseException | None) -> None:
        """The phases cannot be gone on with."""
        said = f"{type(error).__name__}: {error}" if error is not None else "for no known reason"
        self.because(f"the load generator failed: {shorten(said, 200)}")
        self._leave()

    def unwritable(self, error: RunDirError) -> bool:
        """The record cannot be written; whether it is worth another try."""
        freed = self._spare.release()
        why = error.__cause__.strerror if isinstance(error.__cause__, OSError) else str(error)
        if self.because(f"the record could not be written on: {why}"):
            self._leave()
        return freed

    def because(self, why: str) -> bool:
        """Take a reason for the end; whether it is the first."""
        first, self.why = not self.why, self.why or why
        return first

    def facts(self) -> dict[str, str]:
        """What is to be written of it when the load drains."""
        if self.over:
            return {"how": OVER}
        if not self.why and self._until and time.monotonic() < self._until:
            self.why = OUTSIDE
        return {"why": self.why} if self.why else {}

    def _leave(self) -> None:
        """Have it drained, once."""
        leave, self._quit = self._quit, _nothing
        leave()

    def done(self) -> None:
        """All is written."""
        self._spare.release()


def _nothing() -> None:
    """No load has begun."""
