"""B5: are instructions kept that a program can check?

Twelve kinds, in the manner of IFEval, are asked for with a topic, one or two at a time. *Strict* counts: the answer as
it came. Where an answer keeps them all without its first line, its last line or its asterisks (IFEval's *loose*), that
is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest

TOPICS = ("a lighthouse", "a bakery at dawn", "an old bicycle", "a night train", "a beehive", "a mountain lake",
    "a street market", "a wooden bridge", "a weather station", "a library", "a ferry", "a telescope")  # fmt: skip
KEYWORDS = ("lantern", "copper", "winter", "harbour", "silence", "window", "morning", "garden")
BANNED = ("very", "beautiful", "light", "water", "people", "time")
OPENINGS = ("Listen closely.", "To begin with,", "Once upon a time,", "Here is what I know:")
ENDINGS = ("That is all.", "Is there anything else?", "End of story.", "Thank you for reading.")

Kept = Callable[[str, Any], bool]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+(?:['’-]\w+)*", text)


def _has(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) is not None


def _bullets(text: str, n: int) -> bool:
    """As IFEval counts them, but for empty ones and rules of ``---``: the blank after the mark is no part of it."""
    return len(re.findall(r"^[ \t]*(?:\*(?!\*)|-(?!-))[ \t]*\S", text, re.MULTILINE)) == n


def _paragraphs(text: str, n: int) -> bool:
    return len([part for part in re.split(r"\n\s*\*\*\*\s*\n", text) if part.strip()]) == n


KINDS: dict[str, tuple[str, Callable[[Random], Any], Kept]] = {
    "at-most": ("Use at most {} words.", lambda d: d.randrange(20, 60, 5), lambda t, n: len(_words(t)) <= n),
    "at-least": ("Use at least {} words.", lambda d: d.randrange(30, 70, 5), lambda t, n: len(_words(t)) >= n),
    "keyword": ('Use the word "{}".', lambda d: d.choice(KEYWORDS), _has),
    "banned": ('Do not use the word "{}".', lambda d: d.choice(BANNED), lambda t, w: not _has(t, w)),
    "lower": ("Write in lower case letters alone.", lambda _: "", lambda t, _: t == t.lower() and bool(t.strip())),
    "upper": ("Write in capital letters alone.", lambda _: "", lambda t, _: t == t.upper() and t != t.lower()),
    "commas": ("Do not use any commas.", lambda _: "", lambda t, _: "," not in t),
    "starts": ('Begin your answer with "{}"', lambda d: d.choice(OPENINGS), lambda t, s: t.lstrip().startswith(s)),
    "ends": ('End your answer with "{}"', lambda d: d.choice(ENDINGS), lambda t, s: t.rstrip().endswith(s)),
    "bullets": ("Write exactly {} bullet points, each line beginning with *.", lambda d: d.randrange(2, 5), _bullets),
    "paragraphs": ("Write exactly {} paragraphs, with a line of *** alone between them.", lambda _: 2, _paragraphs),
    "quoted": (
        "Put your whole answer in double quotation marks.",
        lambda _: "",
        lambda t, _: len(t.strip()) > 1 and t.strip()[0] == '"' == t.strip()[-1],
    ),
}  # fmt: skip
"""Each kind: what is asked, what is drawn for it, and whether a text keeps it."""

APART = (
    {"at-most", "at-least"},
    {"lower", "upper", "starts", "ends", "keyword"},
    {"bullets", "paragraphs", "quoted", "starts", "ends"},
    {"commas", "starts"},
    {"banned", "starts"},
)
"""Kinds of which no two are asked for together."""


def _make(family: str, draw: Random) -> ProbeItem:
    wanted = [family]
    others = [kind for kind in KINDS if kind != family and not any({kind, family} <= group for group in APART)]
    if draw.random() < 0.5:
        wanted.append(draw.choice(others))
    asked = [(kind, KINDS[kind][1](draw)) for kind in wanted]
    told = " ".join(KINDS[kind][0].format(drawn) for kind, drawn in asked)
    topic, n = draw.choice(TOPICS), draw.choice(("two", "three"))
    return ProbeItem(family, user(f"Write {n} sentences about {topic}. {told}", max_tokens=240), asked)


INSTRUCTIONS = Maker("instructions", turn=50, families=tuple(KINDS), make=_make, tokens=60)


@probe(
    row="B5",
    area="instructions",
    what="instructions not kept",
    maker=INSTRUCTIONS,
    test=SequentialTest(0.25, 0.50, 72),
    level=Level.SHOULD,
    source="IFEval (arXiv 2311.07911): kinds and strict reading; our own words and verifiers",
    so="what a prompt lays down of an answer's form does not hold, and whoever parses it falls over",
    causes=unsaid,
)
def instructions_are_kept(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Of instructions that a program can check at least half are kept to the letter."""
    broken = unkept(item.truth, answer.content)
    if not broken:
        return good("kept")
    loose = any(not unkept(item.truth, text) for text in _loosely(answer.content))
    return bad(f"not kept: {', '.join(broken)}{' (loosely kept)' if loose else ''}")


def unkept(asked: list[tuple[str, Any]], text: str) -> list[str]:
    """The kinds that a text does not keep."""
    return [kind for kind, drawn in asked if not text.strip() or not KINDS[kind][2](text, drawn)]


def _loosely(text: str) -> Iterator[str]:
    """The texts that IFEval's loose reading takes in place of an answer."""
    lines = text.split("\n")
    for part in ("\n".join(lines[1:]), "\n".join(lines[:-1]), "\n".join(lines[1:-1]), text):
        yield part
        yield part.replace("*", "")
