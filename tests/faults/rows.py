"""What a row of the matrix is: what is set up, how it is struck, and what a right account of it says."""

from __future__ import annotations

import os
import random
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.records import SECOND, Family, Line
from tests.faults.processes import Gateway, Golden, Process, TrialError
from tests.faults.watching import Watch, wait_until


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One stop that a right account of a fault names.

    ``cause``: beginnings of causes that may be named; UNKNOWN is never wrong, for what the record does not show is not
    known. ``says``: words that must stand in its evidence, hypotheses or cause. ``also``: families that may be named
    beside it, because they are true as well. ``once``: no second stop of the family is told.
    ``loops``: how many lives after it ended without an answer.
    """

    family: Family
    name: str = "a"
    kind: str = ""
    signal: int | None = None
    code: int | None = None
    cause: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    also: tuple[Family, ...] = ()
    once: bool = False
    loops: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row. ``expected`` is empty for a twin: it looks like a fault and is none."""

    id: str
    title: str
    setup: Callable[[Trial], None]
    strike: Callable[[Trial], None] | None = None
    expected: tuple[Expected, ...] = ()
    ticks: int = 5
    real: bool = False
    only: tuple[str, ...] = ()  # real servers that alone can be struck so
    truth: Callable[[Trial], tuple[Expected, ...]] | None = None  # of a deed whose effect is not known beforehand
    history: Callable[[Trial, Sequence[Line]], list[Line]] | None = None
    notices: tuple[Family, ...] = ()  # what may be said beside, for it is no stop
    rests_on: tuple[str, ...] = ()  # sources that alone acquit: without them it may alarm, its cause UNKNOWN
    must_notice: Family | None = None  # of a twin: what must be said

    @property
    def twin(self) -> bool:
        return not self.expected


@dataclass
class Trial:
    """One run of one row: what it started, what it draws, and what it did when."""

    folder: Path
    rng: random.Random
    make: Callable[[Trial], Any] | None = None  # starts a real server in place of a golden one
    watch: Watch = field(init=False)
    started: list[Any] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    ready: bool = False  # to be struck
    struck_at: int = 0
    ended_at: int = 0  # of a death: our own pidfd's word

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.watch = Watch(self.folder)

    def serve(self, *arguments: str) -> Any:
        """A server."""
        server = self.make(self) if self.make else Golden(self.folder, self.rng, *arguments)
        self.started.append(server)
        return server

    def front(self, server: Any, *arguments: str) -> Gateway:
        """A gateway in front of it."""
        self.started.append(gateway := Gateway(self.folder, self.rng, server, *arguments))
        return gateway

    def again(self, *arguments: str) -> None:
        """Start the server again at its port; what follows is watched from then on."""
        self.add(self.server.again(self.folder, *arguments))
        self.facts["over"] = time.monotonic_ns()

    def add(self, process: Process) -> Process:
        self.started.append(process)
        return process

    @property
    def server(self) -> Any:
        return self.started[0]

    def signal(self, number: int) -> None:
        """Strike the server with a deadly signal."""
        self.dies(lambda: self.server.send(number))

    def dies(self, strike: Callable[[], int]) -> None:
        """Strike, and note when our own pidfd says that the process has ended."""
        handle = os.pidfd_open(self.server.pid)
        try:
            self.struck_at = strike()
            if not select.select([handle], [], [], 30)[0]:
                raise TrialError("it does not die")
            self.ended_at = time.monotonic_ns()
        finally:
            os.close(handle)

    def phase(self) -> None:
        """Wait for a moment that lies at random between two ticks of the recorder."""
        wait_until(self.watch.ticked_at() + int((1 + self.rng.random()) * SECOND))

    def close(self) -> None:
        """End whatever is left."""
        self.watch.close()
        for process in reversed(self.started):
            process.close()
