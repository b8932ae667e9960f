"""The server's own totals, to be held against what the users received."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from seatrial.kinds import profile
from seatrial.wire.transports.load import ShortAnswer

QUIET_S = 0.25
LONGEST_S = 15.0


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals at one moment; None: not counted there. ``source`` says whose they are, or why there are none.

    ``moving``: they did not come to rest, though nothing of ours was under way.
    """

    source: str
    tokens: int | None = None
    prompt_tokens: int | None = None
    prompt_read: int | None = None
    requests: int | None = None
    busy: int | None = None
    moving: bool = False


def totals(answer: ShortAnswer, path: str) -> Totals:
    """Read the totals from the answer of a page of counters, in the names of whichever kind of server counts there.

    What is no whole number is left out: agreement is exact.

    Args:
        path: of the page, for the words that say why there are none.
    """
    if answer.status != 200:
        return Totals(answer.error or f"{path} answers {answer.status}")
    counted = profile.counted(answer.body)
    if counted is None:
        return Totals(f"{path} counts no tokens under a known name")
    source, found = counted
    return Totals(
        source.name,
        tokens=found[source.tokens],
        prompt_tokens=found.get(source.prompt_tokens),
        prompt_read=found.get(source.prompt_read),
        requests=found.get(source.requests),
        busy=found.get(source.busy),
    )


def quiet(read: Callable[[], Totals], sleep: Callable[[float], None] = time.sleep) -> Totals:
    """Read until two readings agree and nothing is being worked on: a server may count a moment after it answers.

    After ``LONGEST_S`` the last reading stands, and its source says that it still moved.
    """
    before = read()
    if before.tokens is None:
        return before
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        sleep(QUIET_S)
        now = read()
        if now == before and not now.busy:
            return now
        before = now
    source = f"{before.source}, still moving after {LONGEST_S:g} s"
    return replace(before, source=source, busy=None, moving=True)
