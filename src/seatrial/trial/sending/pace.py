"""How long silence is borne: a server that stalls must not take the evening.

Requests are of four sorts: streams, plain answers, faulty requests, and pages. A plain answer says nothing until it is
whole, and may be silent up to its deadline. Where three of a sort in a row fell silent for as long as they may, the
next ones are given three times the longest silence of one of that sort that ended well in this run, and at least five
seconds. The first that ends well has the old patience restored.

Two silences are told apart, for each has a deadline of its own: no byte came (``idle``), and bytes came without end but
none that says anything, such as comments that keep a connection alive (``deadline``).

All processes of a run learn from each other, by a file beside the endpoint's page.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from seatrial.checks.answering import LATE
from seatrial.records import SECOND, Exchange
from seatrial.wire.transports.http import IDLE_S

Frames = tuple[tuple[int, int], ...]
Sort = Literal["stream", "plain answer", "faulty request", "page"]
WORKED: tuple[Sort, ...] = ("stream", "plain answer")
"""What a model works on."""

CARELESS_S = 15.0
"""A careless request is refused at once or not at all: until then no answer is no answer."""
ALIKE = 3
TIMES = 3.0
LEAST_S = 5.0
TOLERANCE_S = 0.1
"""A wait of so much less than it was given is as long as it was given: clocks are read before and after it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that one request may take in all, and be silent; ``short``: less than it would be given otherwise."""

    deadline_s: float
    idle_s: float
    short: bool = False


@dataclass(slots=True)
class _Learnt:
    """What is known of one sort at one endpoint. Times in seconds."""

    silent: Counter[str] = field(default_factory=Counter)  # of each sort of silence, in a row
    gap: float = 0.0  # the longest of one that ended well
    whole: float = 0.0  # the longest that ended well


class Pace:
    """What this run has learnt of each endpoint. Safe for threads.

    Args:
        folder: of the endpoints' pages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._read: Counter[str] = Counter()  # bytes of each endpoint's file
        self._learnt: defaultdict[tuple[str, str], _Learnt] = defaultdict(_Learnt)

    def patience(self, endpoint: str, sort: Sort, deadline_s: float) -> Patience:
        """What a request of this sort is given, where ``deadline_s`` is what it would be given in all."""
        with self._lock:
            self._follow(endpoint)
            known = self._learnt[endpoint, sort]
            idle = whole = float("inf")
            if known.silent["idle"] >= ALIKE:
                gap = known.gap
                if sort == "plain answer":  # it is silent for as long as a stream takes
                    gap = max(gap, self._learnt[endpoint, "stream"].whole)
                idle = max(LEAST_S, TIMES * gap)
            if known.silent["deadline"] >= ALIKE:
                whole = max(LEAST_S, TIMES * known.whole)
        asked = deadline_s if sort == "plain answer" else min(deadline_s, IDLE_S)
        return Patience(min(deadline_s, whole), min(asked, idle), idle < asked or whole < deadline_s)

    def careless(self, endpoint: str, deadline_s: float) -> float:
        """Seconds that a careless request is given in all, of the ``deadline_s`` that others are given.

        A server that takes it for a good one answers it as slowly as good ones.
        """
        with self._lock:
            self._follow(endpoint)
            longest = max(self._learnt[endpoint, sort].whole for sort in WORKED)
        return min(deadline_s, max(CARELESS_S, TIMES * longest))

    def learn(self, endpoint: str, sort: Sort, x: Exchange, frames: Frames, given: Patience) -> None:
        """Take in what came of a request, of the times of its reads, and of the patience it was given."""
        if not x.error and (x.status == 200 or sort == "faulty request"):
            gap = max((b - a for a, b in pairwise([x.sent_at, *(at for at, _ in frames)])), default=0) / SECOND
            with self._lock:
                self._follow(endpoint)
                known = self._learnt[endpoint, sort]
                whole = (x.ended_at - x.sent_at) / SECOND
                if known.silent or gap > known.gap or whole > known.whole:
                    self._tell(endpoint, f"well {gap:.3f} {whole:.3f} {sort}\n")
        elif silence := silent(x, frames, given.idle_s):
            with self._lock:
                self._tell(endpoint, f"{silence} 0 0 {sort}\n")

    def _path(self, endpoint: str) -> Path:
        return self._folder / f"{endpoint}.pace"

    def _tell(self, endpoint: str, line: str) -> None:
        with contextlib.suppress(OSError):  # a full disk ends the run where its record is written
            handle = os.open(self._path(endpoint), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.write(handle, line.encode())
            finally:
                os.close(handle)

    def _follow(self, endpoint: str) -> None:
        """Read what was added to an endpoint's file, by whichever process of the run."""
        with contextlib.suppress(OSError), self._path(endpoint).open("rb") as file:
            file.seek(self._read[endpoint])
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read[endpoint] += len(line)
                word, gap, whole, sort = line.decode().rstrip("\n").split(" ", 3)  # written by _tell alone
                known = self._learnt[endpoint, sort]
                if word == "well":
                    known.silent.clear()
                    known.gap, known.whole = max(known.gap, float(gap)), max(known.whole, float(whole))
                else:
                    known.silent[word] += 1


def silent(x: Exchange, frames: Frames, idle_s: float) -> Literal["idle", "deadline", ""]:
    """How an exchange fell silent for as long as it may; empty where it did not.

    One that said something until its deadline ended it is slow, and not silent.
    """
    if x.error not in LATE:
        return ""
    heard = frames[-1][0] if frames else x.sent_at
    words = [chunk.at for chunk in x.chunks if chunk.choices]
    said = words[-1] if words else heard if x.body.strip() and not x.is_stream else x.sent_at
    if x.ended_at - said < (idle_s - TOLERANCE_S) * SECOND:
        return ""
    return "idle" if x.ended_at - heard >= (idle_s - TOLERANCE_S) * SECOND else "deadline"
