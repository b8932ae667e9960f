"""Prometheus text, format 0.0.4: its samples, and the lines that are none; nothing is raised."""

from __future__ import annotations

import re
from collections.abc import Iterator

LINE = re.compile(r'(?m)^([A-Za-z_:][\w:]*)(?:\{(?:[^"}\n]|"(?:[^"\\\n]|\\.)*")*\})?[ \t]+(\S+)')
"""A sample: its name, its labels, whose quoted values may hold anything, and its value."""

TYPE = re.compile(r"(?m)^#[ \t]+TYPE[ \t]+(\S+)[ \t]+counter\b")

LONGEST = 4_000_000
"""Bytes of a page that are read."""


def samples(body: bytes) -> Iterator[tuple[str, str]]:
    """Name and value of every sample, a series each, as they stand there."""
    for match in LINE.finditer(body.decode("utf-8", "replace")):
        yield match[1], match[2]


def misfits(body: bytes) -> Iterator[str]:
    """The lines that are neither empty, nor a comment, nor a sample with a number."""
    for line in body[:LONGEST].decode("utf-8", "replace").splitlines():
        found = LINE.match(line)
        if line.strip() and not line.startswith("#") and (found is None or number(found[2]) is None):
            yield line


def totals(body: bytes) -> dict[str, float]:
    """The sums over all series of each name that the page calls a counter."""
    text = body[:LONGEST].decode("utf-8", "replace")
    counters, found = {match[1] for match in TYPE.finditer(text)}, dict[str, float]()
    for name, value in samples(body[:LONGEST]):
        told = number(value)
        if name in counters and told is not None:
            found[name] = found.get(name, 0.0) + told
    return found


def number(text: str) -> float | None:
    """A value as the format writes it, ``NaN`` and ``+Inf`` among them; None: it is none."""
    try:
        return float(text)
    except ValueError:
        return None
