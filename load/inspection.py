"""The single rules of ``checks`` over soak traffic, as far as time allows: a load must not spoil what it measures."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from load.record import SCENARIO
from load.users.asked import CHATS
from seatrial.checks import catalogue, rules, running, traits
from seatrial.records import Endpoint, Expect
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.transports.load import Stream

TRAITS = traits.USAGE | traits.COUNTED
SHARE = 0.20
"""Of one CPU that rules may take. Where all streams would take more, a sample of them is read."""

WINDOW_S = 5.0
"""Over so many seconds that share is taken."""

LEAST = 1 / 1024
"""Part of the streams that is read at least, however long it takes."""


def _now() -> tuple[float, float]:
    return time.thread_time(), time.monotonic()


Clocks = Callable[[], tuple[float, float]]
"""Seconds of this thread's CPU, and of the wall."""


class NoRulesError(Exception):
    """There is nothing to inspect with."""


class Inspector:
    """Runs the rules over finished streams: over all of them, or, where that takes too long, over a seeded sample.

    Args:
        seed: of the sample.
        clock: seconds of this thread's CPU and of the wall.

    Attributes:
        read: how many streams were read, of how many (``of``).

    Raises:
        NoRulesError: no rule reads such streams; "inspected 100 of 100" would then be said of nothing.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        seed: int = 0,
        share: float = SHARE,
        clock: Clocks = _now,
    ) -> None:
        self.rules = [r for r in catalogue.load_all(catalogue.AREAS).values() if _applies(r)]
        if not self.rules:
            raise NoRulesError("no rule reads a soak's streams; rows.toml says which areas do (soak = true)")
        self.read = self.of = 0
        self._endpoint, self._share, self._clock = endpoint, share, clock
        self._draw = Random(f"{seed}/inspected")  # noqa: S311
        self._rate = 1.0
        self._spent, self._since = 0.0, clock()[1]
        self._expect = Expect.of(endpoint)

    def findings(self, request: str, s: Stream) -> tuple[str, ...]:
        """Ids of the rules that found a violation in this stream; none where it is not of the sample."""
        self.of += 1
        if not s.came or self._draw.random() >= self._rate:
            return ()
        began, _ = self._clock()
        self.read += 1
        line = s.line(request, endpoint=self._endpoint.name, scenario=SCENARIO, path=CHATS)
        exchange = assemble(line, s.request, s.response)
        found = tuple(
            r.id for r in self.rules if any(f.kind == "violation" for f in running.run(r, exchange, self._expect)[0])
        )
        self._spend(began)
        return found

    def told(self) -> str:
        """How many streams were read of how many."""
        return f"{self.read} of {self.of}" + (", a seeded sample" if self.read < self.of else "")

    def _spend(self, began: float) -> None:
        """Halve or double the sample, once a window, by the share of one CPU that reading took."""
        spent, now = self._clock()
        self._spent += spent - began
        if now - self._since < WINDOW_S:
            return
        part = self._spent / (now - self._since)
        if part > self._share:
            self._rate = max(self._rate / 2, LEAST)
        elif part < self._share / 2:
            self._rate = min(self._rate * 2, 1.0)
        self._spent, self._since = 0.0, now


def _applies(rule: rules.Rule) -> bool:
    area = catalogue.areas().get(rule.area)
    return area is not None and area.soak and rule.shape == "single" and rule.of <= TRAITS and not rule.unless & TRAITS
