"""B4: are fresh numbers reckoned right?

Four families take turns: a *chain* of additions, a day of the *week*, a *sort* of numbers, and a *story* with numbers
of its own. None of them can have been learnt by heart; all are small, so that size is not what is asked about.
"""

from __future__ import annotations

import re
from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.knowledge.lures import FORM, last_answer
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GOODS = ("pears", "nails", "candles", "tickets", "stamps", "cups")


def _make(family: str, draw: Random) -> ProbeItem:
    if family == "chain":
        first, *steps = (draw.randrange(11, 90) for _ in range(4))
        signs = [draw.choice((1, 1, -1)) for _ in steps]
        text = str(first) + "".join(f" {'+' if s > 0 else '-'} {n}" for s, n in zip(signs, steps, strict=True))
        truth = str(first + sum(s * n for s, n in zip(signs, steps, strict=True)))
        asked = f"What is {text}?"
    elif family == "week":
        start, days = draw.randrange(7), draw.randrange(8, 60)
        truth = DAYS[(start + days) % 7]
        asked = f"Today is {DAYS[start]}. Which day of the week is it in {days} days?"
    elif family == "sort":
        numbers = draw.sample(range(10, 400), 6)
        truth = ",".join(map(str, sorted(numbers)))
        asked = f"Sort these numbers from the smallest to the largest: {', '.join(map(str, numbers))}."
    else:
        goods, boxes, each, gone = (
            draw.choice(GOODS),
            draw.randrange(3, 9),
            draw.randrange(4, 15),
            draw.randrange(2, 12),
        )
        truth = str(boxes * each - gone)
        asked = f"A shop has {boxes} boxes of {each} {goods} each, and sells {gone} {goods}. How many {goods} are left?"
    return ProbeItem(family, user(f"{asked} {FORM}", max_tokens=320), truth)


NUMBERS = Maker("numbers", turn=100, families=("chain", "week", "sort", "story"), make=_make, tokens=80)


@probe(
    row="B4",
    area="numbers",
    what="sums wrong",
    maker=NUMBERS,
    test=SequentialTest(0.10, 0.30, 60),
    level=Level.SHOULD,
    source="GSM-Symbolic and its re-analysis (arXiv 2605.28700): fresh numbers of the same size; our own questions",
    so="what a model reckons on the way to an answer cannot be relied on",
    causes=unsaid,
)
def fresh_numbers_are_reckoned_right(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Small sums, days, orders and stories with fresh numbers are reckoned right."""
    said = last_answer(answer.content)
    if said is None:
        return bad("no ANSWER line")
    got = _read(item.family, said)
    return good(got) if got == item.truth else bad(f"{said[:60]} in place of {item.truth}", got)


def _read(family: str, said: str) -> str:
    """An answer in the form of the truth."""
    if family == "week":
        return next((day for day in DAYS if day.lower() in said.lower()), said[:40])
    numbers = re.findall(r"-?\d+", said)
    return ",".join(numbers) if family == "sort" else next(iter(numbers), "")
