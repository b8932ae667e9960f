"""The single rules of ``checks`` over soak traffic, as far as time allows: a load must not spoil what it measures."""

from __future__ import annotations

import time

from load.record import SCENARIO
from load.users.asked import CHATS
from seatrial.checks import catalogue, rules, running, traits
from seatrial.records import Endpoint, Expect
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.transports.load import Stream

TRAITS = traits.USAGE | traits.COUNTED
SHARE = 0.02
"""Of the load's time that rules may take. A stream whose turn would exceed it is not read; its row says nothing."""


class NoRulesError(Exception):
    """There is nothing to inspect with."""


class Inspector:
    """Runs the rules over finished streams. ``read`` and ``of`` say over how many of how many.

    Raises:
        NoRulesError: no rule reads such streams; "inspected 100 of 100" would then be said of nothing.
    """

    def __init__(self, endpoint: Endpoint, *, share: float = SHARE) -> None:
        self.rules = [r for r in catalogue.load_all(catalogue.AREAS).values() if _applies(r)]
        if not self.rules:
            raise NoRulesError("no rule reads a soak's streams; rows.toml says which areas do (soak = true)")
        self.read = self.of = 0
        self._endpoint, self._share = endpoint, share
        self._began, self._spent = time.monotonic(), 0.0
        self._expect = Expect.of(endpoint)

    def findings(self, request: str, s: Stream) -> tuple[str, ...]:
        """Ids of the rules that found a violation in this stream; none where there was no time to look."""
        self.of += 1
        now = time.monotonic()
        if not s.response or self._spent > self._share * (now - self._began) + 0.05:
            return ()
        self.read += 1
        line = s.line(request, endpoint=self._endpoint.name, scenario=SCENARIO, path=CHATS)
        exchange = assemble(line, s.request, s.response)
        found = tuple(
            r.id for r in self.rules if any(f.kind == "violation" for f in running.run(r, exchange, self._expect)[0])
        )
        self._spent += time.monotonic() - now
        return found


def _applies(rule: rules.Rule) -> bool:
    area = catalogue.areas().get(rule.area)
    return area is not None and area.soak and rule.shape == "single" and rule.of <= TRAITS and not rule.unless & TRAITS
