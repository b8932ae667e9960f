"""What the recorder needs of a source of evidence, and what is the same for all: a thread, and how lines are fetched.

A file system that hangs must not delay the heartbeat: each source is read in a thread of its own.
"""

from __future__ import annotations

import abc
import contextlib
import os
import queue
import threading
import time
from typing import NamedTuple

from seatrial.records import Event, Happening, Line
from seatrial.records.targets import Watch
from seatrial.wire.masking.mask import Mask

LATE_S = 0.3
"""What tells of a process that has ended comes late, where somebody else writes it down for the process."""


class Place(NamedTuple):
    """Where a source is to be opened.

    Attributes:
        command: the target, as the keeper named it.
        mask: hides the target's secrets.
        wake: an eventfd to write to when something has been found.
    """

    command: Watch
    mask: Mask
    wake: int


class Source(abc.ABC):
    """One opened source. What it finds is fetched by :meth:`take`, when the eventfd ``wake`` has been written.

    A source says how it begins, looks and ends; all three are called in its own thread.

    Args:
        what: names the source in its thread and in its troubles.
        name: of the target.
    """

    beats = False
    """Whether it is to be asked each second."""

    def __init__(self, what: str, name: str, wake: int) -> None:
        self._what, self._name, self._wake = what, name, wake
        self._asked: queue.SimpleQueue[tuple[int, bool] | threading.Event | str | None] = queue.SimpleQueue()
        self._beating = False  # a beat is asked for, and not yet done: a file system that hangs gathers no more
        self._found: queue.SimpleQueue[Line] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=f"{what} of {name}", daemon=True).start()

    @abc.abstractmethod
    def begin(self) -> str:
        """Take up what is to be read; why not, if not."""

    @abc.abstractmethod
    def look(self, at: int) -> None:
        """Read once, and put what is found. ``at``: when the rung broke."""

    @abc.abstractmethod
    def moved(self) -> bool:
        """Whether there is anything new since the last look."""

    @abc.abstractmethod
    def end(self) -> None:
        """Let go of what was taken up."""

    def beat(self) -> None:  # noqa: B027 - most sources want none
        """A second has passed."""

    def put(self, line: Line) -> None:
        """Hand a line to the recorder."""
        self._found.put(line)
        with contextlib.suppress(OSError):
            os.eventfd_write(self._wake, 1)

    def read(self, at: int, *, late: bool = False) -> None:
        """A rung broke at ``at``. ``late``: look once more a moment later, for what was written since."""
        self._asked.put((at, late))

    def ticked(self) -> None:
        """A second has passed: it is told to a source that wants to know, unless it still has the last one to do."""
        if self.beats and not self._beating:
            self._beating = True
            self._asked.put("beat")

    def take(self) -> list[Line]:
        """What has been found since the last call."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._found.get_nowait())
        return found

    def settle(self, patience_s: float) -> None:
        """Wait until what was asked for has been read, but no longer than this."""
        reached = threading.Event()
        self._asked.put(reached)
        reached.wait(patience_s)

    def close(self) -> None:
        self._asked.put(None)

    def _work(self) -> None:
        why = self.begin()
        if why:
            text = f"{self._what}: {why}"
            self.put(Event(what=Happening.TROUBLE, name=self._name, at=time.monotonic_ns(), text=text))
        while (asked := self._asked.get()) is not None:
            if isinstance(asked, str):
                self.beat()
                self._beating = False
                continue
            if isinstance(asked, threading.Event):
                asked.set()
                continue
            at, late = asked
            self.look(at)
            if late:
                time.sleep(LATE_S)
                if self.moved():
                    self.look(time.monotonic_ns())
        self.end()
