"""Several tests at once: the chance that any of them calls falsely is held, however they hang together (Holm 1979)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

_Name = TypeVar("_Name", bound=Hashable)


def holm(chances: Mapping[_Name, float]) -> dict[_Name, float]:
    """The p of each test, made as large as it must be among so many: one below a level holds at that level."""
    adjusted: dict[_Name, float] = {}
    largest = 0.0
    for rank, (name, p) in enumerate(sorted(chances.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, p * (len(chances) - rank)))
        adjusted[name] = largest
    return adjusted
