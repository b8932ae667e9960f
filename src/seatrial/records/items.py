"""What became of each item of a probe: the unit in which two endpoints or two runs are compared."""

from __future__ import annotations

import enum

import msgspec


class ItemWord(enum.StrEnum):
    """What one item of a probe came to."""

    GOOD = "good"
    """The verifier found what was asked for."""
    BAD = "bad"
    """It did not."""
    THOUGHT = "thinking ate the budget"
    """All of the cap went into reasoning: no word about the answer."""
    DECLINED = "declined"
    """The server said that it lacks what the item needs."""
    SILENT = "no evidence"
    """Nobody answered, the answer was broken off or cut by us, or its bytes are not there."""


class ItemOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One item of one probe on one endpoint. Reckoned from the recorded bytes whenever a case is judged.

    Items of one seed have the same names on every endpoint, so that two of them pair by ``probe`` and ``item``.
    """

    probe: str  # the id of the rule that judges it
    item: str  # maker and number: ``json-004``
    family: str  # items of one family are alike, and no independent samples
    seed: int
    endpoint: str
    word: ItemWord
    why: str = ""  # of a word other than good: what is wrong, in a strangers' text made harmless
    answer: str = ""  # what the verifier read, normalised: equal where two answers agree; empty: it reads none
    figures: dict[str, float] = {}  # tokens, seconds (to the end), first_s (to the first word)
    exchanges: tuple[str, ...] = ()
    counted: bool = True  # False: sent beyond the item by which the sequential test had decided
