"""A judged run on its way to its readers: what its page, its results and its Markdown share, made once."""

from __future__ import annotations

from functools import cached_property

from seatrial.judging.run import JudgedRun
from seatrial.records import SECOND, Stop
from seatrial.report.decision.made import Made, of_run
from seatrial.report.soak.seen import Soak, soak_of
from seatrial.report.summary import Summary, summarise
from seatrial.report.timeline import draw
from seatrial.report.timeline.lanes import Series
from seatrial.report.timeline.spans import Window
from seatrial.report.words.plain import Wall

MARGIN_NS = 60 * SECOND
"""Shown before and after a stop in the timeline of that stop."""


class Report:
    """What is told of a run, and what is needed to tell it; each part is made when first asked for, and kept."""

    def __init__(self, judged: JudgedRun) -> None:
        self.judged = judged
        self._watched: dict[str, Series] = {}
        self._drawn: dict[tuple[str, Window], str] = {}
        self._soaks: dict[str, Soak | None] = {}

    @cached_property
    def wall(self) -> Wall:
        return Wall(self.judged.lines)

    @cached_property
    def decided(self) -> Made:
        """Whether to cut over from one endpoint to another."""
        return of_run(self.judged)

    @cached_property
    def end(self) -> int:
        """The time of the last line, monotonic ns; the run's start where there is none."""
        return self.judged.lines.end or self.judged.info.started_ns

    @cached_property
    def summary(self) -> Summary:
        return summarise(self.judged, self.wall, self.end)

    def soak(self, name: str) -> Soak | None:
        """The soak of one endpoint; None where none was recorded."""
        if name not in self._soaks:
            self._soaks[name] = soak_of(self.judged, name)
        return self._soaks[name]

    def timeline(self, name: str) -> str:
        """The whole run of one endpoint, as SVG; empty where nothing was recorded of it."""
        window = self._seen(name).window()
        return self._draw(name, window) if window else ""

    def around(self, stop: Stop) -> str:
        """A minute around one stop, as SVG; empty where nothing was recorded."""
        whole = self._seen(stop.name).window()
        if whole is None:
            return ""
        until = max(stop.until or 0, stop.dead_at)
        cut = whole.cut(stop.alive_at - MARGIN_NS, until + MARGIN_NS)
        return self._draw(stop.name, Window(*cut)) if cut and cut[0] < cut[1] else ""

    def _seen(self, name: str) -> Series:
        if name not in self._watched:
            self._watched[name] = Series.of(self.judged.lines, name)
        return self._watched[name]

    def _draw(self, name: str, window: Window) -> str:
        if (name, window) not in self._drawn:
            stops = [stop for stop in self.judged.stops if stop.name == name and not stop.planned]
            self._drawn[name, window] = draw.draw(name, self._seen(name), window, stops, self.wall)
        return self._drawn[name, window]
