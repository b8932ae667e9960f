"""The example records in the docstrings of the readers are found as the family they are written for."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from seatrial.records import LINES, Clock, Line, Sample
from seatrial.stops import fold
from seatrial.stops.fold import Limits
from seatrial.stops.state.families import FAMILIES
from tests.stops.simulation import S

EXAMPLE = re.compile(r"An example, told as ([A-Z -]+[A-Z])\b.*::\n\n((?: {4}\{.*\n)+)")
LINES_EACH = 6
AFTER_S = 150
"""So long after an example the recorder watches on: a stall of streams is told only when no stop explains it."""
VARIANTS = {"EMPTY": ("TRUNCATED", "empty"), "FAILED IN-BAND": ("TRUNCATED", "sse_error")}
"""Families whose example is that of another, with another outcome."""


def examples() -> Iterator[tuple[str, str, list[str]]]:
    for reader in dict.fromkeys(row.reader for row in FAMILIES.values()):
        module = importlib.import_module(f"seatrial.stops.{reader}")
        for family, block in EXAMPLE.findall(module.__doc__ or ""):
            yield family, reader, block.splitlines()


FOUND = {family: (reader, lines) for family, reader, lines in examples()}
NAMES = [*FOUND, *VARIANTS]


def whole(text: str) -> Line:
    """A shortened line with what every such line has."""
    fields: dict[str, Any] = {name: _exact(value) for name, value in json.loads(text).items()}
    kind, t = fields["kind"], fields["t"]
    common: dict[str, Any] = {"v": 2, "w": "recorder", "n": 1}
    more: dict[str, dict[str, Any]] = {
        "event": {"at": t},
        "sent": {"scenario": "soak/closed", "method": "POST"},
        "load": {"intended_at": fields.get("sent_at"), "first_at": fields.get("last_at"), "deltas": 1},
    }
    line: Line = msgspec.convert({**common, **more.get(kind, {}), **fields}, LINES)
    return line


def _exact(value: Any) -> Any:
    return int(value) if isinstance(value, float) else value


def completed(lines: list[Line], *, idle: bool) -> list[Line]:
    """The lines between heartbeats; ``idle``: with samples of a process that uses no CPU time."""
    if any(isinstance(line, Clock) for line in lines):
        return lines
    whole = list(lines)
    for second in range(1, lines[-1].t // S + AFTER_S):
        t = second * S + S // 2
        whole.append(Clock(v=2, w="recorder", n=second, t=t, wall_ns=t + 1000 * S, boot_ns=t, raw_ns=t))
        if idle:
            whole.append(Sample(v=2, w="recorder", n=second, t=t - 1, name="a", pid=7, incarnation="i-7", state="S",
                                cpu_ns=5 * S, switches=second))  # fmt: skip
    return sorted(whole, key=lambda line: line.t)


@pytest.mark.parametrize("family", NAMES)
def test_an_example_is_told_as_its_family(family):
    source, outcome = VARIANTS.get(family, (family, ""))
    lines = [text.replace('"truncated"', f'"{outcome}"') if outcome else text for text in FOUND[source][1]]
    limits = Limits(wedged_silent=3 * S) if family == "WEDGED" else Limits()
    found = fold.fold(completed([whole(text) for text in lines], idle=family == "WEDGED"), limits)
    assert [stop.family for stop in found] == [family]


def test_every_family_has_an_example_in_the_module_that_finds_it():
    assert set(NAMES) == set(FAMILIES)
    for family, (reader, lines) in FOUND.items():
        assert FAMILIES[family].reader == reader  # type: ignore[index]
        assert len(lines) == LINES_EACH
