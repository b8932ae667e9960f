"""B1 at temperature 0: does an answer run in circles where only the likeliest token is taken?

Models that are small, distilled or coarsely quantised loop there first (arXiv 2512.12895): a stress beside the server's
own sampling, which is what users get. A SHOULD, for few ask so.
"""

from __future__ import annotations

from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem
from seatrial.behaviour.probe import Verified
from seatrial.behaviour.probes.talk import loops
from seatrial.behaviour.probes.talk.questions import TALK
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest


def _make(family: str, draw: Random) -> ProbeItem:
    return ProbeItem(family, {**TALK.make(family, draw).body, "temperature": 0})


STRESS = Maker("stress", turn=130, families=("essay", "reason"), make=_make, tokens=130)


@probe(
    row="B1",
    area="loops",
    what="loops at temperature 0",
    maker=STRESS,
    test=SequentialTest(0.02, 0.15, 90),
    level=Level.SHOULD,
    source="arXiv 2512.12895: loops come mostly at low temperature; detectors as of the server's own sampling",
    so="whoever asks for repeatable answers gets the same words again and again",
    broken=True,
    thought=True,
)
def greedy_answers_do_not_loop(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Answers at temperature 0 do not run in circles."""
    return loops.looked_at(answer)
