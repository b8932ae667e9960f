"""What a probe is: a maker of items, a verifier of one answer, and a test of how often it may go wrong.

Its rule takes the answers of an endpoint in the order of their numbers, and a sequential test says after each whether
the rate of bad ones is known well enough. What the server owes whatever the model says is for the rules of ``checks``:
a request that is refused or broken off is theirs, and no evidence here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem
from seatrial.checks.catalogue import load_all
from seatrial.checks.rules import Rule
from seatrial.records import Exchange, ItemOutcome, ItemWord
from seatrial.statistics.sequential import SequentialTest


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verifier says of one answer.

    Attributes:
        why: of a bad one, what is wrong.
        answer: what was read out of it, normalised: two that are equal agree.
        note: what is told and not counted.
        figures: what was measured of it, by name.
        likely: log probabilities of the likeliest tokens in its first place, where it was asked for them.
    """

    word: ItemWord
    why: str = ""
    answer: str = ""
    note: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    likely: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """An answer, and what a verifier said of it alone."""

    answer: Spoken
    verified: Verified


Verify = Callable[[ProbeItem, Spoken, Exchange], Verified]
Compare = Callable[[SeenAnswer, SeenAnswer], Verified]
"""What is said of an answer that is held against an earlier one; the earlier one comes first."""
Blame = Callable[[Spoken], tuple[str, ...]]
"""Of a bad answer, the ids of the rules whose finding it is already."""
Tell = Callable[[Sequence[ItemOutcome]], Mapping[str, str]]


def good(answer: str = "", *, note: str = "", likely: Mapping[str, float] | None = None) -> Verified:
    """An answer as it should be."""
    return Verified(ItemWord.GOOD, answer=answer, note=note, likely=likely or {})


def bad(why: str, answer: str = "") -> Verified:
    """An answer that is not, and why."""
    return Verified(ItemWord.BAD, why, answer)


@dataclass(frozen=True)
class RateProbe:
    """One probe.

    Attributes:
        what: the name of its figure.
        families: of its maker's those that it judges.
        everywhere: it judges the items of all makers, and not of its own alone.
        broken: an answer that was refused or broken off is for its verifier to judge.
        thought: so is one of which all went into reasoning.
        so: what a bad rate does to a client.
        against: of an item's number, that of the one of its maker that it is held against; None: each stands alone.
        compare: what is said of the two, where the verifier finds each good by itself.
        tells: what is printed of the answers beside their rate, by name.
        causes: of a bad answer, the rules whose finding it is; where that is so of all, they are the cause.
    """

    what: str
    maker: Maker
    test: SequentialTest
    verify: Verify = field(repr=False)
    families: frozenset[str]
    rule: Rule
    so: str
    everywhere: bool = False
    broken: bool = False
    thought: bool = False
    against: Callable[[int], int] | None = None
    compare: Compare | None = None
    tells: Tell | None = None
    causes: Blame | None = None

    def reads(self, maker: Maker, number: int) -> bool:
        """Whether it judges an item."""
        mine = maker is self.maker and maker.family(number) in self.families
        return self.everywhere or (mine and (self.against is None or self.against(number) != number))

    @property
    def share(self) -> float:
        """The share of its maker's items that it judges."""
        turns = self.maker.families
        return sum(family in self.families for family in turns) / len(turns)


HELD: dict[str, RateProbe] = {}
"""Every probe by the id of its rule; filled by importing the modules that hold them (:func:`probes`)."""


def probes() -> dict[str, RateProbe]:
    """Every probe by the id of its rule, in the order in which their makers ask; found by walking."""
    load_all("seatrial.behaviour")
    return dict(sorted(HELD.items(), key=lambda held: (held[1].maker.turn, held[1].rule.row, held[0])))


def makers() -> dict[str, Maker]:
    """Every maker of a probe by its name, in the order in which they ask."""
    return {each.maker.name: each.maker for each in probes().values()}
