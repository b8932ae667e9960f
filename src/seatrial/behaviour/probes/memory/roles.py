"""B11: do the roles of a talk hold: what the system laid down, what the user told, what the model itself said?

Three families take turns, each over several turns that stand in the history. *system*: a signature that every answer
ends with, as those before it did. *memory*: a fact that the user told at the beginning. *own*: what the assistant
itself chose two turns ago.
"""

from __future__ import annotations

from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.memory.context import code, tells
from seatrial.behaviour.probes.talk import refusals
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, ItemWord, Level
from seatrial.statistics.sequential import SequentialTest

SMALL = (
    ("What is the capital of Norway?", "The capital of Norway is Oslo."),
    ("How many days does a week have?", "A week has seven days."),
    ("What is the plural of mouse?", "The plural of mouse is mice."),
    ("Which colour do blue and yellow make?", "Blue and yellow make green."),
    ("What is the opposite of narrow?", "The opposite of narrow is wide."),
    ("How many legs has a spider?", "A spider has eight legs."),
    ("What is three plus four?", "Three plus four is seven."),
    ("Which month comes after April?", "May comes after April."),
)
THINGS = ("locker", "bicycle lock", "garden gate", "parcel", "library card", "meeting room")


def _talk(*turns: tuple[str, str]) -> list[dict[str, str]]:
    said = []
    for asked, answered in turns:
        said += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return said


def _make(family: str, draw: Random) -> ProbeItem:
    word, thing, small = code(draw), draw.choice(THINGS), draw.sample(SMALL, 4)
    messages: list[dict[str, str]]
    if family == "system":
        rule = f"You are a helpful assistant. You sign each of your answers: its last word is always {word}."
        held = [(asked, f"{answered} {word}") for asked, answered in small[:3]]
        last = f"{small[3][0]} Reply with one short sentence."
        messages = [{"role": "system", "content": rule}, *_talk(*held), {"role": "user", "content": last}]
    elif family == "memory":
        told = (f"The code of my {thing} is {word}. Please remember it.", f"I will remember the code of your {thing}.")
        last = f"What is the code of my {thing}? Reply with the code only."
        messages = [*_talk(told, *small[:3]), {"role": "user", "content": last}]
    else:
        told = (f"Make up a code for my {thing}, please.", f"Your {thing} gets the code {word}.")
        last = f"Which code did you make up for my {thing}? Reply with the code only."
        messages = [*_talk(told, *small[:2]), {"role": "user", "content": last}]
    return ProbeItem(family, {"messages": messages, "max_tokens": 64}, word)


MISSING = {"system": "the signature that the system asks for", "memory": "what the user told", "own": "its own word"}

ROLES = Maker("roles", turn=80, families=("system", "memory", "own"), make=_make, tokens=14, reads=130)


@probe(
    row="B11",
    area="roles",
    what="roles forgotten",
    maker=ROLES,
    test=SequentialTest(0.05, 0.20, 80),
    level=Level.MUST,
    source="chat templates that drop a role: the system's words, or turns of the history; our own talks",
    so="an agent forgets its instructions, or what it was told a few turns ago",
    causes=unsaid,
)
def roles_hold_over_turns(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Over several turns the system's rule is kept, and what user and assistant said is known."""
    if tells(answer.content, item.truth):
        return good(item.truth)
    if refusals.is_flat(answer.content):
        return Verified(ItemWord.SILENT, refusals.FLATLY)
    missing = {
        "system": "the signature that the system asks for",
        "memory": "what the user told",
        "own": "its own word",
    }
    return bad(f"{missing[item.family]}, {item.truth}, is missing", answer.content.strip())
