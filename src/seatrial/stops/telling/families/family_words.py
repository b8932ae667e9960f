"""What may be said of the stops of one family beside what is said of every stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from seatrial.stops.state.case import Case
from seatrial.stops.telling.families.guesses import Guess


class FamilyWords(NamedTuple):
    """The own words of one family. What is None is told as of every stop.

    Attributes:
        rung: the first broken rung, where the row of the table cannot name it.
        unknown: why the cause is not known while no process has ended.
        guesses: what may be behind it while its process has not ended.
        alike: public reports of the same shape.
        stated: its reader states cause and hypotheses itself, in ``Case.statement``.
    """

    rung: Callable[[Case], str] | None = None
    unknown: Callable[[Case], str] | None = None
    guesses: Callable[[Case], Iterable[Guess]] | None = None
    alike: Callable[[Case], tuple[str, ...]] | None = None
    stated: bool = False
