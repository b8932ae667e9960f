"""The operator's waivers, as they stand in a run's own copy."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from seatrial.given import waivers as waiving
from seatrial.records import Judged, Outcome
from seatrial.run.directory import RunDir


class Waivers:
    """The operator's waivers as they stand in the run's own copy, expired against the run's start."""

    def __init__(self, entries: tuple[waiving.Waiver, ...], day: datetime.date) -> None:
        self._entries = [entry for entry in entries if entry.holds_on(day)]

    def word(self, case: str) -> str:
        """Who covers a case, until when and why; empty where nobody does."""
        hit = self._covering(case)
        return f"{hit.who} until {hit.until}: {hit.why}" if hit else ""

    def used(self, cases: Iterable[Judged]) -> list[tuple[str, waiving.Waiver]]:
        waived = [case.case for case in cases if case.outcome is Outcome.WAIVED]
        return [(case, hit) for case in waived if (hit := self._covering(case))]

    def _covering(self, case: str) -> waiving.Waiver | None:
        return next((entry for entry in self._entries if entry.covers(case)), None)


def waivers_of(run: RunDir) -> Waivers:
    """The waivers of a run.

    Raises:
        ConfigError: its copy of the file cannot be read.
    """
    path = run.path / "waivers.toml"
    day = datetime.datetime.fromisoformat(run.info.started).date()
    return Waivers(waiving.read(path) if path.is_file() else (), day)
