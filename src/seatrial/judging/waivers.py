"""The operator's waivers, as they stand in a run's own copy."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from seatrial.given import waivers as waiving
from seatrial.given.errors import ConfigError
from seatrial.given.waivers import COPY, SUM, sum_of
from seatrial.records import Judged, Outcome
from seatrial.run.directory import RunDir
from seatrial.text import shorten


class Waivers:
    """The operator's waivers as they stand in the run's own copy, expired against the run's start.

    Attributes:
        fault: why they are not known; empty where they are. Nobody can say then what is waived.
    """

    def __init__(self, entries: tuple[waiving.Waiver, ...], day: datetime.date, fault: str = "") -> None:
        self._entries = [entry for entry in entries if entry.holds_on(day)]
        self.fault = fault

    def word(self, case: str) -> str:
        """Who covers a case, until when and why; empty where nobody does."""
        hit = self._covering(case)
        return f"{hit.who} until {hit.until}: {hit.why}" if hit else ""

    def used(self, cases: Iterable[Judged]) -> list[tuple[str, waiving.Waiver]]:
        waived = [case.case for case in cases if case.outcome is Outcome.WAIVED and not case.because]
        return [(case, hit) for case in waived if (hit := self._covering(case))]

    def _covering(self, case: str) -> waiving.Waiver | None:
        return next((entry for entry in self._entries if entry.covers(case)), None)


def waivers_of(run: RunDir) -> Waivers:
    """The waivers of a run. A copy that is missing or not as it was written waives nothing, and is a fault."""
    day = datetime.date.max
    content = run.page(COPY)
    total = run.info.options.get(SUM)
    if content is None:
        lost = bool(total) or COPY in run.damage.files
        return Waivers((), day, f"{COPY} is missing: what is waived cannot be known" if lost else "")
    if total and total != sum_of(content):
        return Waivers((), day, f"{COPY} is not as it was written: what is waived cannot be known")
    try:
        entries = waiving.parse(content, run.path / COPY)
        day = datetime.datetime.fromisoformat(run.info.started).date()
    except (ConfigError, ValueError, RecursionError) as error:
        return Waivers((), day, f"{COPY} cannot be read: {shorten(str(error))}; what is waived cannot be known")
    return Waivers(entries, day)
