"""B14: does an answer tell what another request asked?

Each item has a code of its own, and is asked for while others with theirs are under way. A code that is not the item's
own came from somewhere else: from another slot, or from what one before it left there. One is one too many.

The end of a code follows from its beginning, so that a slip of a weak model's pen (two letters changed about) makes no
code: of 18,000 slips one does.
"""

from __future__ import annotations

import re
import zlib
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


def code(start: str) -> str:
    """The code that begins with these four letters."""
    end = zlib.crc32(start.encode())
    return f"QX-{start}{LETTERS[end % len(LETTERS)]}{100 + end // len(LETTERS) % 900}"


def _make(family: str, draw: Random) -> ProbeItem:
    own = code("".join(draw.choice(LETTERS) for _ in range(4)))
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
    if others := [each for each in strange if each == code(each[3:7])]:
        return bad(f"tells {others[0]}, and was asked for {item.truth}")
    return good(note=f"writes {strange[0]}, which no request has, for {item.truth}" if strange else "")
