"""Rows of requests that a worker on another host could not send, while others reached the server: its own network's.

A server that is down is down for all. Where one worker gets no connection, and in the same seconds another worker, or
the recorder, is answered and has no such trouble itself, the way from that one worker's host is broken. Who is alone
has no witness: what it could not reach is the server's.

An example, told of load1w2 (times in seconds)::

    crew   load1w2 joined, writes elsewhere
    load   load1w2  sent 10.0  ended 13.0  unreachable
    load   load1w1  sent  9.0  byte  11.0  ok
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator

import numpy as np

from seatrial.reading.soak.columns import once, rows_of
from seatrial.records import SECOND, LoadRow, SoakRun

NEAR_NS = 2 * SECOND
"""A witness was answered at most so long before a request left, and again after that: a server that goes down, or comes
back, in these seconds is reached by some before others. The recorder looks once a second."""

CUT = frozenset({"refused", "unreachable", "reset"})
"""Outcomes of requests that show that a witness has trouble of its own, or the same."""

RECORDER = ""
"""The witness that is no worker."""


@once
def rows(run: SoakRun) -> tuple[LoadRow, ...]:
    """Requests of workers elsewhere that did not reach the server while others did, in order of sending."""
    elsewhere = {line.worker for line in run.crew if line.is_elsewhere}
    if not elsewhere:
        return ()
    sent = rows_of(run)
    lost = sent.where(sent.among("outcome", {"unreachable"}) & sent.among("w", elsewhere))
    if not lost:
        return ()
    witnesses = list(_witnesses(run))
    return tuple(row for row in lost if _is_its_own(row, witnesses))


def ids(run: SoakRun) -> frozenset[str]:
    """Which those are."""
    return frozenset(row.id for row in rows(run))


def told(run: SoakRun) -> tuple[str, ...]:
    """What is to be said of them, a line a worker."""
    return tuple(
        f"worker {name} could not reach the server for {n} requests, while others did: the network of its own host"
        for name, n in sorted(Counter(row.w for row in rows(run)).items())
    )


class _Witness:
    """When somebody was answered by the server, and when not; monotonic ns.

    Args:
        name: of a worker.
        reached: the first bytes of its answers.
        cut: from and to, of its requests that were cut or never left.
    """

    def __init__(self, name: str, reached: list[int], cut: list[tuple[int, int]]) -> None:
        self.name, self._reached = name, sorted(reached)
        self._cut = sorted(cut)
        self._longest = max((to - of for of, to in cut), default=0)

    def reached(self, since: int, until: int) -> bool:
        return bisect_left(self._reached, since) < bisect_right(self._reached, until)

    def is_cut(self, since: int, until: int) -> bool:
        first = bisect_left(self._cut, (since - self._longest, 0))
        return any(of <= until and to >= since for of, to in self._cut[first : bisect_right(self._cut, (until, until))])


def _is_its_own(row: LoadRow, witnesses: list[_Witness]) -> bool:
    """Whether one request did not reach the server for want of a way from its worker's host."""
    since, until = row.sent_at - NEAR_NS, row.ended_at + NEAR_NS
    if any(each.name == row.w and each.reached(row.sent_at + 1, row.ended_at) for each in witnesses):
        return False  # the way was there: the server did not take this one
    others = [each for each in witnesses if each.name != row.w]
    return any(
        each.reached(since, row.sent_at) and each.reached(row.sent_at + 1, until) and not each.is_cut(since, until)
        for each in others
    )


def _witnesses(run: SoakRun) -> Iterator[_Witness]:
    for (name,), own in rows_of(run).groups("w").items():
        came = np.where(own.whole("byte_at") != 0, own.whole("byte_at"), own.whole("first_at"))
        cut = own.where(own.among("outcome", CUT))
        times = zip(cut.whole("sent_at").tolist(), cut.whole("ended_at").tolist(), strict=True)
        yield _Witness(name, came[came != 0].tolist(), list(times))
    looks = run.probes
    silent = [(look.t, look.t) for look in looks if look.health is None and look.error in CUT]
    yield _Witness(RECORDER, [look.t for look in looks if look.health is not None], silent)
