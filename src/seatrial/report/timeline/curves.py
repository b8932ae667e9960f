"""Curves and bars of a lane, from zero to the greatest value, which is written beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from seatrial.report.timeline.scale import LANE, LEFT, PAD, RIGHT, WIDTH, Scale
from seatrial.report.timeline.spans import Lane

HEIGHT = LANE - 2 * PAD
FILLED, OUTLINED, UPPER, CURVE = "#D55E00", "#E69F00", "#D55E00", "#0072B2"

Points = Sequence[tuple[int, float]]


def curve(lane: Lane, top: float, scale: Scale) -> Iterator[str]:
    """A curve over its filled area, and a second one above it, dashed."""
    most = max(value for _, value in (*lane.curve, *lane.upper))
    base = top + LANE - PAD
    for points in _pieces(lane.curve, lane.apart):
        placed = _placed(points, most, base, scale)
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
        yield (
            f'<path class="st-area" d="M{placed[0][0]:.1f} {base} L{path} L{placed[-1][0]:.1f} {base}Z"'
            f' fill="{CURVE}" fill-opacity="0.18"/>'
            f'<path class="st-curve" d="M{path}" fill="none" stroke="{CURVE}" stroke-width="1.5"/>'
        )
    for points in _pieces(lane.upper, lane.apart):
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in _placed(points, most, base, scale))
        yield (
            f'<path class="st-upper" d="M{path}" fill="none" stroke="{UPPER}" stroke-width="1.3"'
            ' stroke-dasharray="4 2"/>'
        )
    for at in lane.beyond:
        x, y = scale.x(at), top + PAD
        yield f'<path class="st-beyond" d="M{x - 3:.1f} {y} L{x + 3:.1f} {y} L{x:.1f} {y - 5}Z" fill="{UPPER}"/>'
    yield from _beside(lane, most, top)


def bars(lane: Lane, top: float, scale: Scale) -> Iterator[str]:
    """A bar for each bin that has something: a filled part, and an outlined one on top of it."""
    most = max(bar.filled + bar.outlined for bar in lane.bars)
    base = top + LANE - PAD
    for bar in lane.bars:
        left, width = scale.box(bar.start, bar.end, least=2.0)
        filled, outlined = (count / most * HEIGHT for count in (bar.filled, bar.outlined))
        told = f"<title>{bar.filled} went wrong, {bar.outlined} dropped</title>"
        yield (
            f'<rect x="{left:.1f}" y="{base - filled:.1f}" width="{width:.1f}" height="{filled:.1f}" fill="{FILLED}"'
            f' fill-opacity="0.9">{told}</rect>'
        )
        if outlined:
            yield (
                f'<rect x="{left:.1f}" y="{base - filled - outlined:.1f}" width="{width:.1f}" height="{outlined:.1f}"'
                f' fill="none" stroke="{OUTLINED}">{told}</rect>'
            )
    yield from _beside(lane, most, top)


def _pieces(points: Points, apart: int) -> Iterator[Points]:
    """The points in runs, none of which reaches over a gap. A point alone is drawn twice, to be seen."""
    start = 0
    for index in range(1, len(points) + 1):
        if index == len(points) or (apart and points[index][0] - points[index - 1][0] > apart):
            piece = points[start:index]
            yield piece if len(piece) > 1 else [*piece, *[(at + apart // 4, value) for at, value in piece]]
            start = index


def _placed(points: Points, most: float, base: float, scale: Scale) -> list[tuple[float, float]]:
    return [(scale.x(at), base - (value / most if most else 0) * HEIGHT) for at, value in points]


def _beside(lane: Lane, most: float, top: float) -> Iterator[str]:
    """The greatest value, and what the lane is of."""
    yield (
        f'<text class="st-soft" x="{LEFT - 10}" y="{top + LANE / 2 + 11}" text-anchor="end" font-size="9.5"'
        f' fill="#666666">{escape(f"to {most:.3g} {lane.unit}")}</text>'
    )
    if lane.note:
        yield (
            f'<text class="st-soft" x="{WIDTH - RIGHT - 4}" y="{top + PAD}" text-anchor="end" font-size="9.5"'
            f' fill="#666666">{escape(lane.note)}</text>'
        )
