"""The timeline of an endpoint as SVG: one time axis, seven lanes or nine, stops, gaps and phases through all of them.

Plain SVG without a script, a font, a link or a style that reaches outside: it stands in the HTML page, in an Allure
attachment and in a file alike. The palette is Okabe and Ito's, which the colour-blind can tell apart; where a colour
means something, a height or a pattern says it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from seatrial.records import NO_STOP, SECOND, Stop
from seatrial.report.timeline import curves
from seatrial.report.timeline.lanes import Series, gaps, lanes, marks
from seatrial.report.timeline.scale import LANE, LEFT, PAD, RIGHT, TOP, WIDTH, Scale
from seatrial.report.timeline.spans import Band, Lane, Mark, Span, Window
from seatrial.report.timeline.waits import bands
from seatrial.report.words.plain import Wall, duration
from seatrial.report.words.stops import step
from seatrial.text import visible

THIN, THIN_TOPS = 7, (26, 35)
"""Height of a thin row, and where below the top of its lane each stands; the lane's own spans end above them."""

TONES = {
    "first": "#0072B2",
    "second": "#56B4E9",
    "frozen": "#CC79A7",
    "good": "#009E73",
    "odd": "#E69F00",
    "bad": "#D55E00",
    "blind": "#999999",
}
_OPEN = (
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" class="st-timeline" font-family="system-ui, sans-serif"'
    ' font-size="11"'
)
_HATCH = (
    '<defs><pattern id="{}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="3" height="7" fill="#999999" fill-opacity="0.45"/></pattern></defs>'
)
MEANS = {
    "first": "a process, blue and light blue in turn",
    "frozen": "stopped by a signal",
    "good": "answers, listens",
    "odd": "answers an error, or has not answered yet",
    "bad": "no answer or a wrong one, no LISTEN socket",
    "blind": "not asked, or not observable",
}
"""What a colour says, in the legend; what it says of one lane stands in the tooltip of each span."""

KEY, GLYPH = 16, 5.2
"""Height of a row of the legend, and the width of a letter in it."""

HEIGHTS = {"good": 1.0, "odd": 0.6, "bad": 0.3, "blind": 0.3}
"""Share of the lane's height by tone, so that a state can be read without its colour."""


def draw(name: str, seen: Series, window: Window, stops: Sequence[Stop], wall: Wall) -> str:
    """The SVG of one endpoint in a window that has a length: silent stops through all lanes, the others as marks."""
    silent = [stop for stop in stops if stop.silent]
    rows = lanes(seen, window, silent)
    bottom = TOP + len(rows) * LANE
    title = escape(f"Timeline of {visible(name)}, {duration((window.end - window.start) / SECOND)}")
    scale = Scale(window)
    # One page holds several timelines, and a pattern inside a closed one is not there for the others.
    hatch = "st-gap-" + hashlib.md5(f"{name} {window}".encode(), usedforsecurity=False).hexdigest()[:8]
    blind = gaps(seen, window)
    key, height = _legend(rows, bottom + 32, hatch if blind else "", stopped=bool(silent))
    parts = [
        f'{_OPEN} viewBox="0 0 {WIDTH} {bottom + 34 + height}" aria-label="{title}"><title>{title}</title>',
        _HATCH.format(hatch),
        f'<rect class="st-ground" width="{WIDTH}" height="{bottom + 34 + height}" fill="#ffffff"/>',
    ]
    parts.extend(_bands(bands(seen.phases, window), scale, bottom))
    for index, lane in enumerate(rows):
        parts.extend(_lane(lane, TOP + index * LANE, scale))
    parts.extend(_axis(scale, wall, bottom))
    parts.extend(_over(silent, blind, hatch, scale, bottom))
    parts.extend(_marks([*marks(seen, window), *_told(stops, window)], scale, bottom))
    return "".join([*parts, key, "</svg>"])


def _legend(rows: Sequence[Lane], top: float, hatch: str, *, stopped: bool) -> tuple[str, int]:
    """What each colour that is seen means, and the height of that. ``hatch``: the pattern of gaps; empty: none."""
    seen = {"first" if span.tone == "second" else span.tone for lane in rows for span in lane.spans}
    shown = [(TONES[tone], 1.0, text) for tone, text in MEANS.items() if tone in seen]
    shown += [(f"url(#{hatch})", 1.0, "nobody looked")] if hatch else []
    shown += [(TONES["bad"], 0.35, "through all lanes: a silent stop")] if stopped else []
    parts: list[str] = []
    x, row = float(LEFT), 0
    for fill, opacity, text in shown:
        width = 26 + len(text) * GLYPH
        if x > LEFT and x + width > WIDTH - RIGHT:
            x, row = float(LEFT), row + 1
        y = top + row * KEY
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="10" height="10" rx="2" fill="{fill}" fill-opacity="{opacity}"/>'
            f'<text class="st-soft" x="{x + 14:.1f}" y="{y + 9}" font-size="9.5" fill="#666666">{escape(text)}</text>'
        )
        x += width
    return f'<g class="st-legend">{"".join(parts)}</g>', (row + 1) * KEY if parts else 0


def _lane(lane: Lane, top: float, scale: Scale) -> Iterator[str]:
    base = THIN_TOPS[0] - 3 if lane.below else LANE - PAD
    middle = (
        base - (7 if lane.below else 10)
        if lane.spans
        else LANE / 2 + (-2 if lane.curve or lane.upper or lane.bars else 4)
    )
    yield (
        f'<line class="st-rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{top + LANE}" y2="{top + LANE}" stroke="#dddddd"/>'
        f'<text class="st-ink" x="{LEFT - 10}" y="{top + middle}" text-anchor="end"'
        f' fill="#222222">{escape(lane.name)}</text>'
    )
    for name, below in zip(lane.below, THIN_TOPS, strict=False):
        yield (
            f'<text class="st-soft" x="{LEFT - 10}" y="{top + below + THIN}" text-anchor="end" font-size="9.5"'
            f' fill="#666666">{escape(name)}</text>'
        )
    if lane.spans:
        yield from (_span(span, top, base, scale) for span in lane.spans)
    elif lane.curve or lane.upper:
        yield from curves.curve(lane, top, scale)
    elif lane.bars:
        yield from curves.bars(lane, top, scale)
    else:
        yield (
            f'<text class="st-soft" x="{LEFT + 8}" y="{top + LANE / 2 + 4}" fill="#666666" font-style="italic">'
            f"{escape(lane.why)}</text>"
        )


def _span(span: Span, top: float, base: float, scale: Scale) -> str:
    """One span; ``base`` is where the lane's own spans stand, below its top."""
    left, width = scale.box(span.start, span.end)
    whole, base = (THIN, THIN_TOPS[span.row - 1] + THIN) if span.row else (base - PAD, base)
    height = whole * HEIGHTS.get(span.tone, 1.0)
    y = top + base - height
    label = ""
    if span.tone in {"first", "second"} and width > 60 and not span.row:
        ink = "#ffffff" if span.tone == "first" else "#000000"
        label = f'<text x="{left + 6:.1f}" y="{top + base - whole / 2 + 4}" fill="{ink}">{escape(span.text)}</text>'
    return (
        f'<rect x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" '
        f'fill="{TONES[span.tone]}"><title>{escape(span.text)}</title></rect>{label}'
    )


def _bands(found: Sequence[Band], scale: Scale, bottom: float) -> Iterator[str]:
    """The phases: every other one shaded, a line where each begins, its name above where there is room for it."""
    for band in found:
        left, width = scale.box(band.start, band.end)
        shade = 0.10 if band.number % 2 else 0.0
        yield (
            f'<rect x="{left:.1f}" y="{TOP - 14}" width="{width:.1f}" height="{bottom - TOP + 14}" fill="#888888" '
            f'fill-opacity="{shade}"><title>{escape(band.text)}</title></rect>'
            f'<line class="st-rule" x1="{left:.1f}" x2="{left:.1f}" y1="{TOP - 14}" y2="{bottom}" stroke="#aaaaaa"/>'
        )
        if len(band.text) * GLYPH + 4 <= width:
            yield (
                f'<text class="st-soft" x="{left + width / 2:.1f}" y="{TOP - 4}" text-anchor="middle" font-size="10"'
                f' fill="#444444">{escape(band.text)}</text>'
            )


def _axis(scale: Scale, wall: Wall, bottom: float) -> Iterator[str]:
    span = scale.window.end - scale.window.start
    for n in range(7):
        at = scale.window.start + span * n // 6
        x = scale.x(at)
        anchor = "start" if n == 0 else "end" if n == 6 else "middle"
        label = wall.label(at) if span < 60 * SECOND else wall.label(at).partition(".")[0]
        yield (
            f'<line class="st-rule" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom + 4}" stroke="#eeeeee"/>'
            f'<text class="st-soft" x="{x:.1f}" y="{bottom + 18}" text-anchor="{anchor}" fill="#444444">'
            f"{escape(label)}</text>"
        )
    yield f'<text class="st-soft" x="{LEFT - 10}" y="{bottom + 18}" text-anchor="end" fill="#444444">UTC</text>'


def _over(stops: Sequence[Stop], blind: tuple[Span, ...], hatch: str, scale: Scale, bottom: float) -> Iterator[str]:
    """Gaps of observation and stops, over all lanes."""
    for span in blind:
        left, width = scale.box(span.start, span.end)
        yield (
            f'<rect x="{left:.1f}" y="{TOP}" width="{width:.1f}" height="{bottom - TOP}" fill="url(#{hatch})">'
            f"<title>{escape(span.text)}</title></rect>"
        )
    for stop in stops:
        cut = scale.window.cut(stop.alive_at, stop.until or stop.dead_at)
        if cut is None:
            continue
        left, width = scale.box(*cut, least=2.5)
        anchor, shift = ("end", -4.0) if left > WIDTH * 0.75 else ("start", width + 4)
        yield (
            f'<rect x="{left:.1f}" y="{TOP - 16}" width="{width:.1f}" height="{bottom - TOP + 16}" fill="#D55E00" '
            f'fill-opacity="0.35" stroke="#D55E00"><title>silent stop: {escape(stop.family)}</title></rect>'
            f'<text x="{left + shift:.1f}" y="{TOP - 18}" text-anchor="{anchor}" fill="#D55E00" font-weight="bold">'
            f"{escape(stop.family)}</text>"
        )


def _told(stops: Sequence[Stop], window: Window) -> list[Mark]:
    """What is no silent stop and yet happened at a moment: a step of the clock, a family told from traffic."""
    found = []
    for stop in stops:
        if stop.family == "CLOCK STEPPED":
            found.append(Mark(stop.dead_at, f"clock stepped {step(stop)}"))
        elif stop.family == "LOG STORM":
            found.append(Mark(stop.dead_at, "log storm"))
        elif not stop.silent and not stop.planned and stop.family not in NO_STOP:
            found.append(Mark(stop.dead_at, stop.family))
    return [mark for mark in found if window.start <= mark.at <= window.end]


def _marks(found: Sequence[Mark], scale: Scale, bottom: float) -> Iterator[str]:
    last = -1e9
    for mark in sorted(found, key=lambda mark: mark.at):
        x = scale.x(mark.at)
        yield (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 28}" y2="{bottom}" stroke="#888888" stroke-dasharray="3 3">'
            f"<title>{escape(mark.text)}</title></line>"
        )
        if x - last > 80:  # labels that would run into each other are left to the tooltip
            anchor = "end" if x > WIDTH - 110 else "start"
            yield (
                f'<text class="st-soft" x="{x:.1f}" y="{TOP - 34}" text-anchor="{anchor}" fill="#444444">'
                f"{escape(mark.text)}</text>"
            )
            last = x
