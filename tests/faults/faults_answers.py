"""Canaries that are not answered as they should be, on golden processes; and servers that refuse, load or serve one.

Clocks that run for minutes (429, 503, loading) are tried on the simulated clock, in :mod:`tests.faults.faults_canary`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from seatrial.records import SECOND, Ask, LoadRow
from tests.faults.faults_process import wedge
from tests.faults.processes import TrialError, until
from tests.faults.rows import Expected, Row, Trial
from tests.faults.watching import wait_until

BUSY_S = 5.0
WEDGED = (Expected(family="WEDGED", says=("canar",)),)
CUTS = 2
"""Questions that may end a user's stream, until it is known that they do."""


def meets(manner: str, *, answers: bool = True) -> Callable[[Trial], None]:
    """A server that meets chats so from the beginning; the canary alone asks it."""

    def setup(t: Trial) -> None:
        t.watch.add(t.serve(f"--manner={manner}"), canary=True, answers=answers)
        if not answers:
            until(lambda: any(isinstance(x, Ask) and x.rung == "canary" for x in t.watch.lines()), "a canary is sent")

    return setup


def turns(manner: str, seconds: float = 0.0) -> Callable[[Trial], None]:
    """It meets chats so from now on, or for a while."""

    def strike(t: Trial) -> None:
        t.struck_at = t.server.order("manner", how=manner).at
        if seconds:
            wait_until(t.struck_at + int(seconds * SECOND))
            t.facts["over"] = t.server.order("manner", how="").at

    return strike


def goes_on(t: Trial) -> None:
    t.struck_at = time.monotonic_ns()


def from_the_first(t: Trial) -> None:
    """It never did what it should: the first canary is who was struck."""
    t.struck_at = min(x.asked_at for x in t.watch.lines() if isinstance(x, Ask) and x.rung == "canary")


def single(t: Trial) -> None:
    """A server of one chat at a time, and a user with long streams."""
    server = t.serve("--manner=single", "--most=400")
    t.watch.add(server, canary=True)
    t.watch.traffic(server, clients=1, tokens=400, patience_s=60)


def spared(t: Trial) -> tuple[Expected, ...]:
    """Whether users were spared, and whether any of them got an answer to its end.

    Raises:
        TrialError: more streams were cut than it takes to know it, or none was whole.
    """
    ends = [x.outcome for x in t.watch.lines() if isinstance(x, LoadRow)]
    cut = sum(end != "ok" for end in ends)
    if cut > CUTS or "ok" not in ends:
        raise TrialError(f"of {len(ends)} streams {cut} were cut, of which {CUTS} may be")
    return ()


FAULTS = (
    Row(id="A500", title="500 to every canary, from the first on", setup=meets("500", answers=False),
        strike=from_the_first, ticks=14, expected=WEDGED),
    Row(id="A400", title="400 to every canary, where it was 200", setup=meets(""), strike=turns("400"), ticks=14,
        expected=WEDGED),
    Row(id="DARK", title="500 to every canary, and /health silent", setup=meets(""), strike=turns("dark"), ticks=14,
        expected=WEDGED),
    Row(id="SECOND", title="500 to every second canary", setup=meets(""), strike=turns("second"), ticks=30,
        expected=WEDGED),
    Row(id="LATER", title="its engine stops; when the watch began it said 503 Loading", setup=meets("loads:7"),
        strike=wedge, ticks=14, expected=(Expected(family="WEDGED"),)),
)  # fmt: skip
TWINS = (
    Row(id="LOADS", title="503 everywhere for 7 s after its start", setup=meets("loads:7"), strike=goes_on, ticks=8),
    Row(id="BUSY", title=f"503 to every canary for {BUSY_S:.0f} s", setup=meets(""), strike=turns("503", BUSY_S),
        ticks=8),
    Row(id="TWICE", title="500 to every canary for a moment", setup=meets(""), strike=turns("500", 1.5), ticks=8),
    Row(id="LEAST", title="400 to one token, and answers to four", setup=meets("least:4"), strike=goes_on, ticks=8),
    Row(id="NONE", title="400 to every way in which a canary asks", setup=meets("none", answers=False),
        strike=goes_on, ticks=12),
    Row(id="SINGLE", title=f"one chat at a time: our questions cut {CUTS} streams at most", setup=single,
        strike=goes_on, ticks=24, notices=("TRUNCATED",), truth=spared),
)  # fmt: skip
