"""Which part of a load is one worker's.

Arrivals: every worker draws the same seeded schedule, and takes every so-many-th time of it, by its own number.
Together they send exactly the times that one process would have sent, so that their sum is the one Poisson process of
the rate that was asked for, whatever the number of workers. Independent streams of a part of the rate each would make a
Poisson process too, but another night for each number of workers; and no dispatcher has to send a ticket over the
channel, whose delay would be a delay of the request. A worker that is late is late with its own part alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadShare:
    """The ``index``-th of so many workers, counted from 0."""

    index: int = 0
    of: int = 1

    def users(self, n: int) -> int:
        """How many of so many closed users are this worker's."""
        return n // self.of + (self.index < n % self.of)

    def arrivals(self, times: Iterable[float]) -> Iterator[float]:
        """The times of a schedule that are this worker's."""
        return (at for number, at in enumerate(times) if number % self.of == self.index)

    def number(self, own: int, lanes: int = 1) -> int:
        """The number in the whole load of this worker's n-th request, counted from 0.

        Args:
            lanes: requests that belong together follow each other at this distance (the turns of a conversation of an
                agent), and are sent by one worker.
        """
        if lanes < self.of:
            return own * self.of + self.index
        mine = self.users(lanes)
        return own // mine * lanes + own % mine * self.of + self.index


ALONE = LoadShare()
"""A load of one process."""
