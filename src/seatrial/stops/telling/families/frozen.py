"""What is said of a FROZEN alone."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from seatrial.records import Family
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import Sight
from seatrial.stops.telling.families.family_words import FamilyWords
from seatrial.stops.telling.families.guesses import FOR, Guess


class FrozenIdea(enum.Enum):
    """What may be behind a FROZEN alone, and what would show it."""

    TRACED = "a debugger holds it", "state t"
    JOB_CONTROL = "a job-control stop or a debugger", "state T or t, with no CPU time used"
    FREEZER = "a container that is paused, or another use of its cgroup's freezer", "the cgroup says frozen"


def _unknown(case: Case) -> str:
    if case.shown is Sight.HELD:
        return "who froze it is not observable without audit rights"
    return "sender of the stop signal not observable without audit rights"


def _guesses(case: Case) -> Iterator[Guess]:
    stopped = case.shown is Sight.STOPPED
    traced = case.look is not None and case.look.state == "t"
    if stopped and traced:
        yield Guess(FrozenIdea.TRACED, "seen", FOR)
    elif stopped:
        yield Guess(FrozenIdea.JOB_CONTROL, "seen", FOR)
    else:
        yield Guess(FrozenIdea.FREEZER, "seen", FOR)


WORDS: dict[Family, FamilyWords] = {"FROZEN": FamilyWords(unknown=_unknown, guesses=_guesses)}
