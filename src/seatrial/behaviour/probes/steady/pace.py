"""B18: how fast does one stream come, asked alone, and does it come without a stop?

What is said of a server's speed is said of one stream: these answers of about a hundred words are asked for one after
another, and their tokens a second rest on nothing else. An answer that begins and then says nothing for a second, and
for twenty times as long as between its other words, has stalled; a server that is slow and even has not.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random

from seatrial.behaviour.answers import Spoken, said_at
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probing import probe
from seatrial.records import SECOND, Exchange, ItemOutcome, ItemWord, Level
from seatrial.statistics.sequential import SequentialTest
from seatrial.statistics.series import blocks

STALL_S, TIMES = 1.0, 20
FEWEST_WORDS = 8
"""Times at which words came; of fewer no pace is known."""

THINGS = ("a lighthouse", "a bakery", "a garden", "a river ferry", "a telescope", "a wooden bridge", "a night market")
VIEWS = ("a visitor", "a child", "an engineer", "a painter", "a sailor", "a bird", "somebody who works there")
WHEN = ("in winter", "on a rainy morning", "late in the evening", "during a storm", "at harvest", "on a holiday")


def _make(family: str, draw: Random) -> ProbeItem:
    text = (
        f"Describe {draw.choice(THINGS)} {draw.choice(WHEN)} as seen by {draw.choice(VIEWS)}, in one paragraph of "
        f"about {draw.randrange(90, 111)} words. Plain prose."
    )
    return ProbeItem(family, user(text, max_tokens=160))


PACE = Maker("pace", turn=150, families=("paragraph",), make=_make, tokens=130, alone=True)


def tells(items: Sequence[ItemOutcome]) -> Mapping[str, str]:
    """Tokens a second after the first word, and the wait for it, each with its interval."""
    decoded, waits = [], []
    for each in items:
        tokens, first = each.figures.get("tokens", 0.0), each.figures.get("first_s", 0.0)
        took = each.figures.get("seconds", 0.0) - first
        if tokens > 1 and first > 0 and took > 0:
            decoded.append((tokens - 1, took))
            waits.append((first, 1.0))
    if not decoded:
        return {"one stream": "not known: no answer told its tokens"}
    found, waited = blocks.quotient(decoded), blocks.quotient(waits)
    if found is None or waited is None:
        return {"one stream": f"not known: {len(decoded)} answers are too few, {blocks.FEWEST} tell"}
    return {
        "one stream": f"{found[0]:.1f} tok/s (95 %, by blocks of neighbours: {found[1]:.1f} to {found[2]:.1f}) over "
        f"{len(decoded)} answers, first word after {waited[0]:.2f} s ({waited[1]:.2f} to {waited[2]:.2f})"
    }


@probe(
    row="B18",
    area="pace",
    what="answers that stall",
    maker=PACE,
    test=SequentialTest(0.05, 0.30, 40),
    level=Level.SHOULD,
    source="our own limits: a silence of a second, and of twenty times the median between two words",
    so="a reader takes the answer for ended, and a client with a short patience gives up",
    tells=tells,
)
def an_answer_that_has_begun_does_not_stall(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Asked alone, an answer that has begun goes on without a stop."""
    times = said_at(x)
    gaps = [(later - earlier) / SECOND for earlier, later in pairwise(times)]
    if len(times) < FEWEST_WORDS:
        return Verified(ItemWord.SILENT, "too short to tell its pace")
    longest, usual = max(gaps), statistics.median(gaps)
    if longest > max(STALL_S, TIMES * usual):
        return bad(f"silent for {longest:.1f} s between two words, usually {usual:.3f} s")
    return good()
