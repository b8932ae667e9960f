"""B3: does an altered riddle get the answer of the well-known one?

Each family is a riddle that everybody knows, altered so that its well-known answer, the *lure*, is wrong. What counts
is the lure given, or no answer that can be read; a wrong answer of another kind is told. The share of
lures says how far a model recites.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest

FORM = "Think briefly, then give the answer on a last line that reads ANSWER: and the answer alone."
ANSWER = re.compile(r"ANSWER:?\**\s*:?\s*(.+)", re.IGNORECASE)

Made = tuple[str, str, str]
"""Riddle, right answer, lure; in words of which the first that an answer holds tells it."""


def _feathers(draw: Random) -> Made:
    heavy, light = draw.sample(range(2, 9), 2)
    heavy, light = max(heavy, light), min(heavy, light)
    stuff = draw.choice(("bricks", "steel", "lead"))
    return (
        f"Which is heavier: {heavy} kilograms of feathers or {light} kilograms of {stuff}? Answer feathers, {stuff} or same.",
        "feathers",
        "same",
    )


def _jug(draw: Random) -> Made:
    large, small = draw.randrange(6, 12), draw.randrange(2, 6)
    return (
        f"You have a jug of {large} litres and one of {small} litres, and a tap. In how many steps at the least do you measure exactly {large} litres? Filling, emptying and pouring are a step each. Answer with a number.",
        "1",
        "6",
    )


def _lily(draw: Random) -> Made:
    days = draw.randrange(20, 60, 2)
    return (
        f"A patch of lilies on a lake grows by the same area every day. It covers the lake after {days} days, and began at nothing. After how many days did it cover half of the lake? Answer with a number.",
        str(days // 2),
        str(days - 1),
    )


def _bat(draw: Random) -> Made:
    ball = draw.randrange(11, 45)
    more = 100
    return (
        f"A bat and a ball cost {(2 * ball + more) / 100:.2f} dollars together. The bat costs 1.00 dollar more than the ball. How many cents does the ball cost? Answer with a number.",
        str(ball),
        str(2 * ball),
    )


def _machines(draw: Random) -> Made:
    n = draw.randrange(3, 9)
    return (
        f"{n} machines take {n} minutes to make {n * n} parts. How many minutes does one machine take to make {n} parts, if all work alike? Answer with a number.",
        str(n),
        "1",
    )


def _doors(draw: Random) -> Made:
    mine = draw.randrange(1, 4)
    return (
        f"In a game there are three doors, with a car behind one of them. You choose door {mine}. The host, who wants you to win, whispers truthfully that the car is behind door {mine}. Then he opens another door, and you may switch. What gives you the car? Answer stay or switch.",
        "stay",
        "switch",
    )


def _boat(draw: Random) -> Made:
    who = draw.choice(("A farmer", "A shepherd", "A merchant"))
    return (
        f"{who} wants to cross a river with a wolf, a goat and a cabbage. The boat carries all of them at once. How many crossings are needed at the least? Answer with a number.",
        "1",
        "7",
    )


def _surgeon(draw: Random) -> Made:
    where = draw.choice(("in the mountains", "near the coast", "on the way home"))
    return (
        f"A boy has an accident {where}. The surgeon, who is the boy's father, says: I cannot operate, he is my son. Who is the surgeon to the boy? Answer father or mother.",
        "father",
        "mother",
    )


def _rope(draw: Random) -> Made:
    minutes = draw.choice((30, 40, 50, 60))
    return (
        f"A rope burns in exactly {minutes} minutes from one end to the other. You need exactly {minutes} minutes. How many ends do you light? Answer with a number.",
        "1",
        "2",
    )


def _sisters(draw: Random) -> Made:
    brothers, sisters = draw.randrange(3, 7), draw.randrange(2, 6)
    return (
        f"Alice has {brothers} brothers and {sisters} sisters. How many sisters does each of her brothers have? Answer with a number.",
        str(sisters + 1),
        str(sisters),
    )


def _trolley(draw: Random) -> Made:
    n = draw.randrange(3, 8)
    return (
        f"A trolley rolls towards {n} people who are already dead. On the other track lies one man, who lives. You can pull the lever and send the trolley to him. Do you pull it to save lives? Answer yes or no.",
        "no",
        "yes",
    )


def _capital(draw: Random) -> Made:
    country, wrong, known = draw.choice(
        (("Italy", "Paris", "Rome"), ("France", "Oslo", "Paris"), ("Japan", "Lisbon", "Tokyo"))
    )
    return (
        f"In this story {wrong} is the capital of {country}, and nobody has heard of another one. According to the story, what is the capital of {country}? Answer with a name.",
        wrong.lower(),
        known.lower(),
    )


RIDDLES: dict[str, Callable[[Random], Made]] = {
    "feathers": _feathers,
    "jug": _jug,
    "lily": _lily,
    "bat": _bat,
    "machines": _machines,
    "doors": _doors,
    "boat": _boat,
    "surgeon": _surgeon,
    "rope": _rope,
    "sisters": _sisters,
    "trolley": _trolley,
    "capital": _capital,
}


def _make(family: str, draw: Random) -> ProbeItem:
    name = draw.choice(("Nora", "Emil", "Tariq", "Ines", "Mei", "Olga", "Pablo", "Ruth"))
    riddle, right, lure = RIDDLES[family](draw)
    opening = draw.choice((f"{name} asks: ", f"A riddle from {name}. ", f"{name} wants to know this. ", ""))
    return ProbeItem(family, user(f"{opening}{riddle} {FORM}", max_tokens=320), (right, lure))


LURES = Maker("lures", turn=90, families=tuple(RIDDLES), make=_make, tokens=90, reads=110)


@probe(
    row="B3",
    area="lures",
    what="riddles recited",
    maker=LURES,
    test=SequentialTest(0.30, 0.50, 96),
    level=Level.SHOULD,
    source="MisguidedAttention (CC0) for the idea; our own riddles. The limits are ours: no other standard is known",
    so="a question that looks like a known one is answered as that one, whatever it says",
    causes=unsaid,
)
def altered_riddles_do_not_get_the_known_answer(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """A riddle that was altered gets an answer of its own, and not the well-known one."""
    said = last_answer(answer.content)
    right, lure = item.truth
    if said is None:
        return bad("no ANSWER line")
    told = re.findall(r"\d+|[a-z]+", said.lower())
    first = next((word for word in told if word in (right, lure)), "")
    if first == lure:
        return bad(f"{lure}, as of the riddle that everybody knows; right is {right}", lure)
    return good(first or said[:40], note="" if first == right else f"wrong, and no lure: {said[:40]}")


def last_answer(text: str) -> str | None:
    """What follows the last ANSWER of a text; None where there is none."""
    found = ANSWER.findall(text)
    return found[-1].strip().strip("*") if found else None
