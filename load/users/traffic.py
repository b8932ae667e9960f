"""The traffic of a soak: which request comes next, by the weights of its parts and the number of the request."""

from __future__ import annotations

from collections import Counter
from random import Random

from load.fleet.share import ALONE, LoadShare
from load.users import long, makers, probes
from load.users.asked import AskedOf, Sending
from seatrial.given.workload import Workload


class Traffic:
    """Makes the requests of a load, in order; the n-th is the same for the same seed and workload.

    Args:
        share: the part of the load whose requests these are: no two workers send the same one.
    """

    def __init__(self, workload: Workload, about: AskedOf, share: LoadShare = ALONE) -> None:
        self.workload, self._share = workload, share
        self._about, self._makers = about, makers()
        self._counts: Counter[str] = Counter()
        self._weights = [part.weight for part in workload.parts]

    def request(self) -> Sending:
        """The next one of the mix."""
        draw = self._draw("request")
        (part,) = draw.choices(self.workload.parts, self._weights)
        number = self._share.number(self._next(f"part {part.called}"), self._about.lanes)
        return self._makers[part.kind](part, self._about, draw, number)

    def fill(self) -> Sending:
        """A prompt as long as a slot has room for."""
        return long.fill(self._about, self._draw("fill"))

    def canary(self) -> Sending:
        """The small request that is the same in every phase."""
        return probes.canary(self._about, self._next("canary"))

    def invalid(self) -> Sending:
        """A request that must be refused."""
        return probes.invalid(self._about, self._draw("invalid"))

    def look(self) -> Sending:
        """A small valid request after one that was not."""
        return probes.look(self._about, self._next("look"))

    def _next(self, what: str) -> int:
        self._counts[what] += 1
        return self._counts[what] - 1

    def _draw(self, what: str) -> Random:
        return Random(f"{self._about.seed}/{what}/{self._share.number(self._next(what))}")  # noqa: S311
