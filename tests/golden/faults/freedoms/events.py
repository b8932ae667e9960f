"""What the format of event streams leaves open: lines that are not data, and how data is written."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator

from tests.golden.items import DONE, Item, Raw, event
from tests.golden.registry import Shot, freedom, streaming

LINES, BEFORE, BESIDE, ENDS = 30, 36, 40, 50
"""Turns: data is written in lines, other lines are put before and beside them, and line ends are chosen."""


def _written(items: Iterator[Item], shot: Shot, change: Callable[[bytes], bytes]) -> Iterator[Item]:
    """With each event changed as it stands in the stream."""
    for item in items:
        if isinstance(item, (dict, Raw)):
            shot.fire()
            yield Raw(change(event(item)))
        else:
            yield item


@freedom(
    "line-ends-of-each-kind",
    of="line ends",
    source="WHATWG HTML 9.2.5: CR LF, LF or CR",
    stage="events",
    when=streaming,
    turn=ENDS,
)
def line_ends_of_each_kind(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Events end their lines in turn with LF, CR LF and CR."""
    ends = itertools.cycle((b"\n", b"\r\n", b"\r"))
    return _written(items, shot, lambda data: data.replace(b"\n", next(ends)))


@freedom(
    "comments-within-events",
    of="comments",
    source="WHATWG HTML 9.2.6: a line that starts with a colon is ignored",
    stage="events",
    when=streaming,
    turn=BESIDE,
)
def comments_within_events(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Comments stand among the lines of an event, an empty one too."""
    return _written(items, shot, lambda data: b":\n" + data.replace(b"\n\n", b"\n: data: no event\n\n"))


@freedom(
    "fields-nobody-knows",
    of="other fields",
    source="WHATWG HTML 9.2.6: otherwise, the field is ignored",
    stage="events",
    when=streaming,
    turn=BESIDE,
)
def fields_nobody_knows(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Events have a field that the format does not name, and one without a value."""
    return _written(items, shot, lambda data: b"x-engine: 1\nkeep\n" + data)


@freedom(
    "blank-lines-between-events",
    of="lines between events",
    source="WHATWG HTML 9.2.6: without data nothing is dispatched",
    stage="events",
    when=streaming,
    turn=BESIDE,
)
def blank_lines_between_events(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """More than one blank line stands between events."""
    return _written(items, shot, lambda data: data + b"\n\n")


@freedom(
    "times-to-retry",
    of="retry",
    source="WHATWG HTML 9.2.6: the field retry",
    stage="events",
    when=streaming,
    turn=BEFORE,
)
def times_to_retry(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Events say when to connect again."""
    return _written(items, shot, lambda data: b"retry: 3000\n" + data)


@freedom(
    "data-over-lines",
    of="JSON text",
    source="WHATWG HTML 9.2.6: data lines are joined by LF",
    stage="events",
    when=streaming,
    turn=LINES,
)
def data_over_lines(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The JSON of an event is laid out over several data lines."""
    for item in items:
        if isinstance(item, dict):
            shot.fire()
            lines = json.dumps(item, indent=1, ensure_ascii=False).split("\n")
            yield Raw(b"".join(b"data: %b\n" % line.encode("utf-8", "replace") for line in lines) + b"\n")
        else:
            yield item


@freedom(
    "done-without-a-space",
    of="space after the terminator",
    source="WHATWG HTML 9.2.6: one space after the colon is removed, if there is one",
    stage="events",
    when=streaming,
    turn=LINES,
)
def done_without_a_space(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """No space stands before [DONE], and one before the others."""
    for item in items:
        if item is DONE:
            shot.fire()
            yield Raw(b"data:[DONE]\n\n")
        else:
            yield item
