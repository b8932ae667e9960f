"""The measures of a timeline's picture, and where a moment stands in it."""

from __future__ import annotations

from seatrial.report.timeline.spans import Window

WIDTH, LEFT, RIGHT, TOP = 1100, 104, 24, 52
LANE, PAD = 44, 8


class Scale:
    """From monotonic ns to a place on the one time axis."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._per_ns = (WIDTH - LEFT - RIGHT) / (window.end - window.start)

    def x(self, at: int) -> float:
        """Where a moment stands."""
        return LEFT + (at - self.window.start) * self._per_ns

    def box(self, start: int, end: int, least: float = 1.5) -> tuple[float, float]:
        """Left edge and width, never too thin to be seen."""
        left = self.x(start)
        return left, max(self.x(end) - left, least)
