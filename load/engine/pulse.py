"""How a process of the load keeps its own times: by how much its event loop is late, and how much CPU it takes.

A loop that is late reads tokens late, and a server that answers at once looks slow: what was measured then says nothing
of it. Nobody else can see that but the loop itself.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import gevent

from seatrial.records import SECOND, LoadPulse

LOOK_S = 0.05
"""The loop is asked to wake us after this time: twenty looks a second cost less than a thousandth of a core."""

EVERY_S = 10.0
"""Between two lines: a night of eight hours has three thousand."""


class LoopWatch:
    """Looks at the event loop of this process while a load runs, and writes down what it saw.

    Args:
        write: takes each line.
    """

    def __init__(self, endpoint: str, write: Callable[[LoadPulse], object]) -> None:
        self._endpoint, self._write = endpoint, write
        self._greenlet: Any = None
        self._lags: list[int] = []
        self._since = self._cpu = 0

    def begin(self) -> None:
        """Look from now on."""
        self._begin_anew()
        self._greenlet = gevent.spawn(self._look)

    def end(self) -> None:
        """Look no more, and write down what was not written yet."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
            self._tell()

    def _look(self) -> None:
        while True:
            due = time.monotonic_ns() + round(LOOK_S * SECOND)
            gevent.sleep(LOOK_S)
            now = time.monotonic_ns()
            self._lags.append(max(0, now - due))
            if now - self._since >= EVERY_S * SECOND:
                self._tell()

    def _tell(self) -> None:
        if self._lags:
            line = LoadPulse(
                endpoint=self._endpoint,
                since=self._since,
                looks=len(self._lags),
                lag_ns=round(statistics.median(self._lags)),
                lag_most_ns=max(self._lags),
                cpu_ns=time.process_time_ns() - self._cpu,
            )
            self._begin_anew()
            self._write(line)

    def _begin_anew(self) -> None:
        self._lags, self._since, self._cpu = [], time.monotonic_ns(), time.process_time_ns()
