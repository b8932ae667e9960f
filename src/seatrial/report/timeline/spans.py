"""What a timeline is made of: a window of time, and spans, curves and marks in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.stops.fold import GAP_NS

COLUMNS = 500


@dataclass(frozen=True)
class Span:
    """A coloured stretch of a lane: a tone of the palette and a word for who hovers over it.

    ``row``: 0 is the lane itself, 1 and 2 are thin rows below it.
    """

    start: int
    end: int
    tone: str
    text: str
    row: int = 0


@dataclass(frozen=True)
class Mark:
    """Something at one moment, drawn through all lanes."""

    at: int
    text: str


@dataclass(frozen=True)
class Band:
    """A phase: a stretch through all lanes, every other one of them shaded."""

    start: int
    end: int
    text: str
    number: int


@dataclass(frozen=True)
class Bar:
    """Counts of one bin: a filled part, and an outlined one on top of it."""

    start: int
    end: int
    filled: int
    outlined: int


@dataclass(frozen=True)
class Lane:
    """One lane: spans, or a curve of (time, value) with its unit and what it is of, or bars, or why there is none.

    ``upper`` is a second curve, dashed, above the first; where it lies ``beyond`` what is known, a triangle says so.
    Points further ``apart`` than this are not joined; 0: all are.
    """

    name: str
    spans: tuple[Span, ...] = ()
    curve: tuple[tuple[int, float], ...] = ()
    upper: tuple[tuple[int, float], ...] = ()
    beyond: tuple[int, ...] = ()
    apart: int = 0
    bars: tuple[Bar, ...] = ()
    unit: str = ""
    note: str = ""
    below: tuple[str, ...] = ()  # what the thin rows are, from the upper one on
    why: str = ""


@dataclass(frozen=True)
class Window:
    """The stretch of monotonic time a timeline shows."""

    start: int
    end: int

    def cut(self, start: int, end: int) -> tuple[int, int] | None:
        first, last = max(start, self.start), min(end, self.end)
        return (first, last) if first <= last else None

    @property
    def step(self) -> int:
        return max((self.end - self.start) // COLUMNS, 1)

    def column(self, at: int) -> int:
        return (at - self.start) // self.step


def runs(
    points: Sequence[tuple[int, str]],
    window: Window,
    texts: Mapping[str, str],
    *,
    silence: int = GAP_NS,
    row: int = 0,
) -> list[Span]:
    """Neighbouring points of one tone as one span; a longer silence ends it, and so does a point without a tone."""
    spans: list[Span] = []
    for at, tone in points:
        if not window.start <= at <= window.end:
            continue
        last = spans[-1] if spans else None
        if last and last.tone == tone and last.end + silence >= at:
            spans[-1] = Span(last.start, at, tone, last.text, row)
        else:
            spans.append(Span(at, at, tone, texts.get(tone, tone), row))
    return [span for span in spans if span.tone]
