"""What the recorder has to have seen before a run sends its first case, and before it ends at a server that is gone.

A server may die at the first question, and a run of which every case is lost is over at once. The recorder looks once
a second: who does not wait for it has a stop in the record that nobody saw.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing

from seatrial.records import Event, Happening, Line, Probe
from seatrial.run.directory import RunDir
from seatrial.run.follow import Follower
from seatrial.servers.keeping import Keeping

FIRST_S = 5.0
"""The longest that a run waits for the recorder to be there; it takes 0.3 s unless the machine is busy."""
LAST_S = 6.0
"""The longest that it waits for :data:`MISSES`, a second each."""
MISSES = 3
"""Looks in a row without an answer that make a stop of which nothing else can be seen."""
PAUSE_S = 0.05


class _First:
    """Whether each endpoint was looked at."""

    def __init__(self, names: Iterable[str]) -> None:
        self._left = set(names)

    def take(self, line: Line) -> None:
        if isinstance(line, Probe):
            self._left.discard(line.name)

    @property
    def over(self) -> bool:
        return not self._left


class _Last:
    """Whether of each endpoint that was gone the end was seen, or so many misses, or that it is back by now."""

    def __init__(self, names: Iterable[str]) -> None:
        self._missed = dict.fromkeys(names, 0)
        self._since = time.monotonic_ns()

    def take(self, line: Line) -> None:
        if isinstance(line, Event) and line.what == Happening.EXIT and line.name in self._missed:
            self._missed[line.name] = MISSES
        elif isinstance(line, Probe) and line.name in self._missed:
            back = MISSES if line.t > self._since else 0
            self._missed[line.name] = self._missed[line.name] + 1 if line.health is None else back

    @property
    def over(self) -> bool:
        return all(count >= MISSES for count in self._missed.values())


def first(run: RunDir, keeping: Keeping, names: Iterable[str]) -> None:
    """Wait until the recorder has looked at each endpoint once, for no longer than ``FIRST_S``."""
    _await(run, keeping, _First(names), FIRST_S)


def last(run: RunDir, keeping: Keeping) -> None:
    """Wait until the recorder has seen what became of each server that was gone, for no longer than ``LAST_S``."""
    names = [path.stem for path in (run.path / "endpoints").glob("*.gone")]
    if names:
        _await(run, keeping, _Last(names), LAST_S)


def _await(run: RunDir, keeping: Keeping, what: _First | _Last, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    with closing(Follower(run.path / "watch")) as follower:
        while keeping.alive and time.monotonic() < until:
            for line in follower.read(to_the_end=True):
                what.take(line)
            if what.over:
                return
            time.sleep(PAUSE_S)
