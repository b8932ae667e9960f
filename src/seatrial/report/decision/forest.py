"""Rates with their intervals on one axis, the incumbent above the candidate: plain SVG, told apart without colour.

The incumbent is a hollow ring, the candidate a filled dot. A second plot holds the difference of the two against zero
and the margin. Colours are those of the page around it, which has them light, dark and on paper.
"""

from __future__ import annotations

from html import escape

from seatrial.comparing.decision import points, span
from seatrial.records import Compared, Rate, SpeedRatio

WIDTH, LEFT, RIGHT = 300, 6, 6
HEIGHT, UPPER, LOWER, AXIS = 58, 14, 30, 44


def rates(row: Compared) -> str:
    """The rates of good answers of both, from 0 to 100 %; the axis begins higher where both lie high."""
    low = min(row.incumbent.low, row.candidate.low)
    start = 0.8 if low > 0.82 else 0.5 if low > 0.52 else 0.0
    scale = _Scale(start, 1.0)
    middle = (start + 1) / 2
    ticks = "".join(_tick(scale, at, f"{100 * at:.0f} %") for at in (start, middle, 1.0))
    told = f"incumbent {percent(row.incumbent)}, candidate {percent(row.candidate)}"
    bars = _bar(scale, row.incumbent, UPPER, hollow=True) + _bar(scale, row.candidate, LOWER, hollow=False)
    return _svg(told, ticks + bars)


def difference(row: Compared) -> str:
    """The difference with its interval, against zero and the margin; dashed how far owed answers could carry it."""
    reach = max(0.1, abs(row.low), abs(row.at_worst), abs(row.high), 1.5 * row.margin)
    scale = _Scale(-reach, reach)
    worse = f'<rect class="d-worse" x="{scale(-reach):.1f}" y="2" width="{scale(-row.margin) - scale(-reach):.1f}"'
    lines = _line(scale(0), 2, AXIS, "d-zero") + _line(scale(-row.margin), 2, AXIS, "d-margin")
    ground = f'{worse} height="{AXIS - 2}"/>{lines}'
    at = (UPPER + LOWER) / 2
    dot = f'<circle class="d-dot" cx="{scale(row.difference):.1f}" cy="{at}" r="5"/>'
    bar = f'<path class="d-bar" d="M{scale(row.low):.1f} {at}H{scale(row.high):.1f}"/>'
    if row.silent:
        bar += f'<path class="d-owed" d="M{scale(row.at_worst):.1f} {at}H{scale(row.low):.1f}"/>'
    near = scale(0) - scale(-row.margin) < 18  # one label would lie on the other
    ticks = ("" if near else _tick(scale, -row.margin, f"{-100 * row.margin:.0f}")) + _tick(scale, 0, "0")
    ticks += _tick(scale, reach, f"{100 * reach:+.0f}")
    return _svg(f"difference {points(row.difference)} ({span(row)})", ground + bar + dot + ticks)


def speed(told: SpeedRatio) -> str:
    """The ratio of speeds against 1."""
    low, high = min(0.5, told.low), max(2.0, told.high)
    scale, at = _Scale(low, high), (UPPER + LOWER) / 2
    bar = f'<path class="d-bar" d="M{scale(told.low):.1f} {at}H{scale(told.high):.1f}"/>'
    dot = f'<circle class="d-dot" cx="{scale(told.ratio):.1f}" cy="{at}" r="5"/>'
    ticks = _tick(scale, low, f"{low:.1f}") + _tick(scale, 1, "1") + _tick(scale, high, f"{high:.1f}")
    text = f"{told.ratio:.2f} times (95 %: {told.low:.2f} to {told.high:.2f})"
    return _svg(text, _line(scale(1), 2, AXIS, "d-zero") + bar + dot + ticks)


def percent(rate: Rate) -> str:
    """``93.3 % (95 %: 84.1 to 97.4 %)``."""
    value = rate.good / rate.n if rate.n else 0.0
    return f"{100 * value:.1f} % (95 %: {100 * rate.low:.1f} to {100 * rate.high:.1f} %)"


class _Scale:
    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def __call__(self, value: float) -> float:
        share = (min(max(value, self._low), self._high) - self._low) / (self._high - self._low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def _bar(scale: _Scale, rate: Rate, at: int, *, hollow: bool) -> str:
    centre = scale(rate.good / rate.n if rate.n else 0.0)
    kind = "d-ring" if hollow else "d-dot"
    return (
        f'<path class="{"d-thin" if hollow else "d-bar"}" d="M{scale(rate.low):.1f} {at}H{scale(rate.high):.1f}"/>'
        f'<circle class="{kind}" cx="{centre:.1f}" cy="{at}" r="5"/>'
    )


def _tick(scale: _Scale, value: float, text: str) -> str:
    x = scale(value)
    anchor = "start" if x < LEFT + 12 else "end" if x > WIDTH - RIGHT - 12 else "middle"
    label = f'<text x="{x:.1f}" y="{HEIGHT - 1}" text-anchor="{anchor}">{text}</text>'
    return f'<path class="d-axis" d="M{x:.1f} {AXIS}v4"/>{label}'


def _line(x: float, top: int, bottom: int, kind: str) -> str:
    return f'<path class="{kind}" d="M{x:.1f} {top}V{bottom}"/>'


def _svg(told: str, inside: str) -> str:
    return (
        f'<svg class="d-plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told)}">'
        f'<title>{escape(told)}</title><path class="d-axis" d="M{LEFT} {AXIS}H{WIDTH - RIGHT}"/>{inside}</svg>'
    )
