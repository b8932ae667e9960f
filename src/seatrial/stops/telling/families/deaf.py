"""What is said of a DEAF alone."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from seatrial.records import Family
from seatrial.stops.evidence import log_words
from seatrial.stops.evidence.testified import fresh
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import Sight
from seatrial.stops.telling.families.family_words import FamilyWords
from seatrial.stops.telling.families.guesses import FOR, OPEN, Guess, of_its_end

NO_SOCKET = "ggml-org/llama.cpp #20509: process alive, ESTABLISHED connections, no LISTEN socket"


class DeafIdea(enum.Enum):
    """What may be behind a DEAF alone, and what would show it."""

    SHUTDOWN_HANGS = "its shutdown began and hangs", "a log line of shutting down, or its exit soon"
    LISTENER_DIED = (
        "its listening thread died",
        "its last words in the log, or established connections still served",
    )
    CHILD_LISTENED = "the process that listened was its child", "a child that ended just before"


def _guesses(case: Case) -> Iterator[Guess]:
    yield Guess(DeafIdea.SHUTDOWN_HANGS, *of_its_end(case))
    failed = log_words.said(fresh(case), "failure")
    yield Guess(DeafIdea.LISTENER_DIED, f"seen: {failed}" if failed else "not observed", FOR if failed else OPEN)
    if case.child is not None:
        yield Guess(DeafIdea.CHILD_LISTENED, "seen", FOR)


def _alike(case: Case) -> tuple[str, ...]:
    """Connections that were under way are still there, or were not counted."""
    none = any(text.startswith("0 ESTABLISHED") for text in case.evidence)
    return () if none or case.shown is not Sight.NONE else (NO_SOCKET,)


WORDS: dict[Family, FamilyWords] = {"DEAF": FamilyWords(guesses=_guesses, alike=_alike)}
