"""What a test of the operator's own says of itself when it has run. Its code is not run again: this stands for it."""

from __future__ import annotations

import enum

import msgspec

OWN_SUITE = "own"
"""The suite of the operator's own tests, beside conformance, behaviour and soak."""

OWN_SETTING = "own"
"""The setting of a judgement that holds the test's report of itself."""


class OwnWord(enum.StrEnum):
    """How a test of the operator's ended."""

    HELD = "held"
    """It ran to its end."""
    BROKE = "broke"
    """An assertion did not hold, or what it had sent was not answered as it had to be."""
    FELL = "fell"
    """It ended with an error that says nothing of the server."""
    SKIPPED = "skipped"
    """It says itself that it does not apply, or that it is not expected to hold."""


class OwnTold(msgspec.Struct, frozen=True, kw_only=True):
    """The report of one test on itself: masked and bounded texts.

    Attributes:
        test: its file and its name.
        where: of a test that did not hold, the function and the line.
        expected: the statement on that line.
        got: what it raised.
    """

    word: OwnWord
    test: str
    where: str = ""
    expected: str = ""
    got: str = ""
