"""What a watch has found so far: the fold over the record, and which of its stops have been told.

A stop is told once; again when it has become another (a FROZEN whose process then ended), and once more when one that
was told as lasting is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Literal

from seatrial.records import Ask, Clock, Event, Happening, Line, Stop
from seatrial.report.words.plain import Wall
from seatrial.stops import fold
from seatrial.stops.fold import Limits, State, stop_of
from seatrial.verdict import canaries, doing
from seatrial.verdict.outcomes import exit_code
from seatrial.verdict.watched import sign, weight, word
from seatrial.watching.telling import ToTell

CLOCKS_KEPT = 7200
"""Of the recorder's heartbeats, which label times: two hours of them."""

News = tuple[Literal["stop", "over"], ToTell]
"""A stop that is to be told: that it is there, or that it is over."""


class Findings:
    """Fed with the record in order of time.

    Args:
        names: every target, for the exit status.
        limits: of this watch.

    Attributes:
        beat: time of the recorder's last line of all, monotonic ns; 0: none yet.
        told: every stop as last told, by its id.
    """

    def __init__(self, names: Iterable[str], limits: Limits) -> None:
        self._names = tuple(names)
        self._state = fold.start(limits)
        self._clocks: deque[Clock] = deque(maxlen=CLOCKS_KEPT)
        self._seen: set[str] = set()
        self._found_at: dict[str, int] = {}  # incarnation -> when it was first seen
        self._canaries: dict[str, canaries.Tally] = {}
        self._prices: list[Event] = []
        self.beat = 0
        self.told: dict[str, Stop] = {}

    @property
    def wall(self) -> Wall:
        return Wall(self._clocks)

    def take(self, line: Line) -> list[News]:
        """Fold one line in, and give what is to be told by it."""
        if isinstance(line, Clock) and line.w == fold.RECORDER:
            self.beat = line.t
            self._clocks.append(line)
        if name := sign(line):
            self._seen.add(name)
        if isinstance(line, Ask) and line.rung == "canary":
            self._canaries.setdefault(line.name, canaries.Tally()).take(line)
        if (
            isinstance(line, Event)
            and line.what in (Happening.FOUND, Happening.REPLACED, Happening.START)
            and line.incarnation
        ):
            self._found_at.setdefault(line.incarnation, line.at)
        if isinstance(line, Event) and line.what is Happening.PRICE:
            self._prices.append(line)
        before = self._state
        self._state, given = fold.step(before, line)
        return [*self._tell(given), *self._tell(self._changed(before)), *self._tell(self._no_more_quiet(before))]

    def finish(self, more: Iterable[Stop] = ()) -> list[News]:
        """At the end of the record: every stop that was not yet told, or not in its last form.

        Args:
            more: what is known from elsewhere than the record.
        """
        return list(self._tell([*fold.finish(self._state), *more]))

    @property
    def unseen(self) -> list[str]:
        """Targets of which nothing was ever seen."""
        return [name for name in self._names if name not in self._seen]

    def code(self) -> int:
        """0 nothing happened, 1 a stop, 10 unobserved: as ``seatrial judge`` finds of the record."""
        found = list(self.told.values())
        return exit_code(word((s for s in found if s.name == name), seen=self._proven(name)) for name in self._names)

    def _proven(self, name: str) -> bool:
        """Whether it was ever seen, and whether a canary was answered where canaries were sent."""
        return name in self._seen and not self._canaries.get(name, canaries.Tally()).unanswered

    @property
    def canaries(self) -> str:
        """How many canaries were answered, in words; of endpoints to which none was sent, that it was not tested."""
        return canaries.words(self._canaries, self._names)

    @property
    def prices(self) -> list[str]:
        """What was found out of the price of looks."""
        return list(doing.prices(self._prices))

    def _changed(self, before: State) -> Iterator[Stop]:
        """Stops that were told and have become others by the last line."""
        for name, server in self._state.servers.items():
            old = before.servers.get(name)
            if old is None or old.cases is server.cases:
                continue
            for case in server.cases:
                told = self.told.get(case.id)
                if told is not None and told.family != case.family and not case.may_answer(self._state.last):
                    yield fold.in_quiet(stop_of(case, server, self._state), self._state)

    def _no_more_quiet(self, before: State) -> Iterator[Stop]:
        """Stops of planned maintenance that last beyond it, at its end."""
        quiet = self._state.limits.quiet_until
        if not quiet or not before.last <= quiet < self._state.last:
            return
        for stop in fold.finish(self._state):
            told = self.told.get(stop.id)
            if told is not None and told.planned and not stop.planned:
                yield stop

    def _tell(self, found: Iterable[Stop]) -> Iterator[News]:
        for stop in found:
            before = self.told.get(stop.id)
            self.told[stop.id] = stop
            told = ToTell(stop, self.wall, self._state.last, self._found_at.get(stop.successor))
            if before is None or before.family != stop.family or (before.planned and not stop.planned):
                yield "stop", told
            elif before.until is None and stop.until is not None and weight(stop) == "stop":
                yield "over", told
            elif stop.restarts > max(before.restarts, 1):  # a crash loop goes on
                yield "stop", told
