"""B14: does an answer tell what another request asked?

Each item has a code of its own, and is asked for while others with theirs are under way. A code that is not the item's
own came from somewhere else: from another slot, or from what one before it left there. One is one too many.
"""

from __future__ import annotations

import re
from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
CODE = re.compile(r"\bQX-[A-Z]{5}[0-9]{3}\b")
FRAMES = ("Repeat this code and say nothing else: {}", "Copy the following code exactly: {}", "Echo this: {}")


def _make(family: str, draw: Random) -> ProbeItem:
    own = "QX-" + "".join(draw.choice(LETTERS) for _ in range(5)) + str(draw.randrange(100, 1000))
    return ProbeItem(family, user(draw.choice(FRAMES).format(own), max_tokens=32), own)


CODES = Maker("codes", turn=120, families=("code",), make=_make, tokens=10, reads=24)


@probe(
    row="B14",
    area="crosstalk",
    what="codes of others",
    maker=CODES,
    test=SequentialTest(0.0, 0.015, 200),
    level=Level.MUST,
    source="llama.cpp issue 27148: a fresh request goes on with a stranger's talk",
    so="what one user asks is shown to another",
)
def no_answer_tells_the_code_of_another(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """No answer holds a code that only another request has."""
    told = CODE.findall(answer.content + "\n" + answer.reasoning)
    strange = sorted(set(told) - {item.truth})
    return bad(f"tells {strange[0]}, and was asked for {item.truth}") if strange else good()
