"""B13: is the same question at temperature 0 answered alike?

Batches, caches and kernels change the last bits of a sum, and now and then the likeliest token with them: that texts
are equal to the letter is told, with where they part, and is no requirement. What counts is what an answer comes to.
Each question is asked twice in a row, alone on the server and past its prompt cache where the kind of server knows a
way: what differs then is the server's own. A second probe asks likewise with all slots busy and as everybody asks.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import SeenAnswer, Verified, bad, good
from seatrial.behaviour.probes.knowledge.lures import FORM, last_answer
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, ItemOutcome, ItemWord, Level
from seatrial.statistics.intervals import wilson
from seatrial.statistics.sequential import SequentialTest
from seatrial.text import shorten

GOODS = ("pears", "nails", "candles", "tickets", "stamps", "cups", "lamps", "bricks")
WHO = ("A baker", "A ferryman", "A nurse", "A gardener", "A pilot", "A teacher", "A sailor", "A tailor")
SAME, PARTED = "same text", "parted at word"


def _make(family: str, draw: Random) -> ProbeItem:
    who, goods = draw.choice(WHO), draw.choice(GOODS)
    boxes, each, gone = draw.randrange(3, 12), draw.randrange(4, 20), draw.randrange(2, 12)
    asked = (
        f"{who} has {boxes} boxes of {each} {goods} each, and gives away {gone} {goods}. How many {goods} are left? "
        f"{FORM}"
    )
    sampling = {"temperature": 0, "seed": draw.randrange(2**31)}
    return ProbeItem(family, user(asked, max_tokens=240, **sampling), str(boxes * each - gone))


AGAIN = Maker("again", turn=115, families=("first", "again"), make=_make, tokens=50, alone=True, group=2, uncached=True)
COMPANY = Maker("company", turn=125, families=("first", "again"), make=_make, tokens=50, group=2)


def compare(first: SeenAnswer, now: SeenAnswer) -> Verified:
    """Whether two answers come to the same, and whether they are the same to the letter."""
    before, after = (seen.answer.content.split() for seen in (first, now))
    at = next((n for n, (a, b) in enumerate(zip_longest(before, after), start=1) if a != b), None)
    figures = {SAME: float(first.answer.content == now.answer.content)}
    if at is not None:
        figures[PARTED] = float(at)
    mine, its = now.verified.answer, first.verified.answer
    if mine == its:
        return Verified(ItemWord.GOOD, answer=mine, figures=figures)
    why = f"{shorten(mine, 60)} in place of {shorten(its, 60)}, from word {at} on"
    return Verified(ItemWord.BAD, why, mine, figures=figures)


def tells(items: Sequence[ItemOutcome]) -> Mapping[str, str]:
    """How often two answers were the same text, and where those that were not part."""
    equal, n = sum(each.figures.get(SAME, 0.0) for each in items), len(items)
    if not n:
        return {}
    low, high = wilson(int(equal), n)
    told = f"{equal:.0f} of {n} pairs (95 %, descriptive: {100 * low:.0f} to {100 * high:.0f} %), no requirement"
    parted = [each.figures[PARTED] for each in items if PARTED in each.figures]
    if parted:
        told += f"; the others part at word {statistics.median_low(parted):.0f} (median)"
    return {"the same to the letter": told}


def _comes_to(answer: Spoken) -> Verified:
    said = last_answer(answer.content)
    if said is None:
        return good(" ".join(answer.content.split()).lower()) if answer.content.strip() else bad("empty")
    return good(next(iter(re.findall(r"-?\d+", said)), said.strip().lower()))


@probe(
    row="B13",
    area="determinism",
    what="other answers when asked again",
    maker=AGAIN,
    families=frozenset({"again"}),
    test=SequentialTest(0.01, 0.15, 60),
    level=Level.SHOULD,
    source="Thinking Machines on batch invariance; llama.cpp issue 7052: equality is told, agreement of answers judged",
    so="a test that passed fails the next day, and nobody changed anything",
    against=lambda number: number // 2 * 2,
    compare=compare,
    tells=tells,
)
def the_same_question_gets_the_same_answer(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Alone on the server and at temperature 0, a question that is asked again comes to the same answer."""
    return _comes_to(answer)


@probe(
    row="B13",
    area="determinism",
    what="other answers in company",
    maker=COMPANY,
    families=frozenset({"again"}),
    test=SequentialTest(0.05, 0.25, 50),
    level=Level.MAY,
    source="llama.cpp issue 7052 and pull 6950, upstream 28527: slots and cached prefixes change the last bits",
    so="answers hang on who else asks",
    against=lambda number: number // 2 * 2,
    compare=compare,
    tells=tells,
)
def in_company_the_same_question_gets_the_same_answer(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """With every slot busy and at temperature 0, a question that is asked again comes to the same answer."""
    return _comes_to(answer)
