"""What is said of an IMPOSTOR alone."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from seatrial.records import Family
from seatrial.stops.state.case import Case
from seatrial.stops.telling.families.family_words import FamilyWords
from seatrial.stops.telling.families.guesses import Guess, speaks_if


class ImpostorIdea(enum.Enum):
    """What may be behind an IMPOSTOR alone, and what would show it."""

    TWO_LISTENERS = "two processes listen at the port (SO_REUSEPORT)", "more than one LISTEN socket"
    TAKEN_OVER = "the declared one closed its listener and another program took the port", "DEAF before it"


def _guesses(case: Case) -> Iterator[Guess]:
    yield Guess(ImpostorIdea.TWO_LISTENERS, "not told")
    was = any(text.startswith("DEAF for") for text in case.evidence)
    yield Guess(ImpostorIdea.TAKEN_OVER, "seen" if was else "not seen", speaks_if(was))


WORDS: dict[Family, FamilyWords] = {"IMPOSTOR": FamilyWords(guesses=_guesses)}
