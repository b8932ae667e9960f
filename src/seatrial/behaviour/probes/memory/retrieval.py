"""B10: is one thing found among many in a text of a page or two?

Three families take turns: *single*, one code among prose; *keyed*, the code of one name among those of many; *tracked*,
a value that is handed on from name to name.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.memory.context import code, tells
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest

NAMES = ("Nora", "Emil", "Tariq", "Ines", "Jonas", "Mei", "Olga", "Pablo", "Ruth", "Samuel", "Aisha", "Viktor",
    "Hana", "Luis", "Greta", "Omar")  # fmt: skip
WHO = (
    "The ferryman",
    "A young nurse",
    "The old baker",
    "One of the pilots",
    "The gardener",
    "A visitor from the hills",
)
DOES = ("walked along the quay", "waited for the evening train", "mended a torn sail", "wrote a letter to a friend",
    "watched the rain on the roofs", "carried bread up the hill", "counted the boats in the bay")  # fmt: skip
WHEN = ("before the sun came up", "while the bells rang", "on the last day of the market", "when the wind had turned")


def _prose(draw: Random, n: int) -> list[str]:
    return [f"{draw.choice(WHO)} {draw.choice(DOES)} {draw.choice(WHEN)}." for _ in range(n)]


def _make(family: str, draw: Random) -> ProbeItem:
    lines, word = _prose(draw, 50), code(draw)
    if family == "single":
        lines.insert(draw.randrange(len(lines)), f"The code of the harbour office is {word}.")
        asked = "What is the code of the harbour office?"
    elif family == "keyed":
        names = draw.sample(NAMES, 10)
        held = {name: code(draw) for name in names}
        for name, each in held.items():
            lines.insert(draw.randrange(len(lines)), f"The code of {name} is {each}.")
        chosen = draw.choice(names)
        word, asked = held[chosen], f"What is the code of {chosen}?"
    else:
        names, at = draw.sample(NAMES, 4), sorted(draw.sample(range(len(lines)), 4), reverse=True)
        handed = [f"{names[0]} has the code {word}."]
        handed += [f"{one} gives the code to {other}." for one, other in pairwise(names)]
        for place, line in zip(at, reversed(handed), strict=True):
            lines.insert(place, line)
        asked = f"Which code does {names[3]} have in the end?"
    return ProbeItem(family, user(f"{' '.join(lines)}\n\n{asked} Reply with the code only.", max_tokens=32), word)


RETRIEVAL = Maker("retrieval", turn=110, families=("single", "keyed", "tracked"), make=_make, tokens=8, reads=700)


@probe(
    row="B10",
    area="retrieval",
    what="not found in a text",
    maker=RETRIEVAL,
    test=SequentialTest(0.10, 0.30, 60),
    level=Level.SHOULD,
    source="RULER (arXiv 2404.06654): single and keyed needles, variables that are handed on; our own texts",
    so="what stands in the files that an agent reads is told wrong",
    causes=unsaid,
)
def what_a_text_holds_is_found(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Of a text of a page or two the one thing that is asked for is told."""
    said = answer.content.strip()
    return good(item.truth) if tells(said, item.truth) else bad(f"{item.truth} is not told", said)
