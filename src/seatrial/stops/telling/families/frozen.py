"""What is said of a FROZEN alone."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from seatrial.records import Family
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import Sight
from seatrial.stops.telling.families.family_words import FamilyWords
from seatrial.stops.telling.families.guesses import FOR, OPEN, Guess, speaks_if

UNKILLABLE = "ollama/ollama #11231: a process that does not run and cannot be killed"


class FrozenIdea(enum.Enum):
    """What may be behind a FROZEN alone, and what would show it."""

    TRACED = "a debugger holds it", "state t"
    JOB_CONTROL = "a job-control stop or a debugger", "state T or t, with no CPU time used"
    FREEZER = "the cgroup freezer or swapping", "no CPU time and no state T"
    DRIVER_OR_DISK = "a driver or a disk that does not answer", "a thread in state D"


def _unknown(case: Case) -> str:
    if case.shown is Sight.STILL:
        return "what keeps it from running is not observable without rights"
    return "sender of the stop signal not observable without audit rights"


def _guesses(case: Case) -> Iterator[Guess]:
    stopped = case.shown is Sight.STOPPED
    traced = case.look is not None and case.look.state == "t"
    read = case.testimony.read
    waits = [row for row in read.threads if row[2] == "D"] if read else []
    if stopped and traced:
        yield Guess(FrozenIdea.TRACED, "seen", FOR)
    elif stopped:
        yield Guess(FrozenIdea.JOB_CONTROL, "seen", FOR)
    else:
        yield Guess(FrozenIdea.FREEZER, "seen", FOR)
        told = f"seen: {waits[0][1]} at {waits[0][4] or 'an unknown place'}" if waits else "not seen"
        if read is None:
            told = "not observed"
        yield Guess(FrozenIdea.DRIVER_OR_DISK, told, OPEN if read is None else speaks_if(bool(waits)))


def _alike(case: Case) -> tuple[str, ...]:
    return (UNKILLABLE,) if case.shown is Sight.STILL else ()


WORDS: dict[Family, FamilyWords] = {"FROZEN": FamilyWords(unknown=_unknown, guesses=_guesses, alike=_alike)}
