"""Marks: words that stand in one request alone, so that another's answer that holds one has it from there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from seatrial.records import Marked

FIRST = (
    "amber", "brisk", "calm", "dusty", "eager", "faint", "grand", "hazel", "ivory", "jolly", "keen", "lunar",
    "mellow", "noble", "olive", "plain", "quiet", "rapid", "silver", "tidy", "urban", "vivid", "warm", "young",
    "bold", "crisp", "deep", "early", "fresh", "green", "humble", "inner",
)  # fmt: skip
SECOND = (
    "anchor", "bridge", "candle", "dragon", "engine", "falcon", "garden", "harbor", "island", "jacket", "kettle",
    "ladder", "marble", "needle", "orchid", "pepper", "quartz", "rocket", "saddle", "temple", "turtle", "valley",
    "walnut", "yellow", "zephyr", "button", "copper", "dinner", "feather", "goblet", "hammer", "lantern",
)  # fmt: skip

MARK = re.compile(rf"\b(?:{'|'.join(FIRST)})-((?:{'|'.join(SECOND)})-\d{{4}})\b")
PLACE = "{mark}"


def made(seed: str, of: str) -> str:
    """The mark of what is named, in a run that is told apart from others by its seed: ``amber-falcon-0127``."""
    drawn = int.from_bytes(hashlib.sha256(f"{seed}\0{of}".encode()).digest()[:8])
    drawn, one = divmod(drawn, len(FIRST))
    drawn, other = divmod(drawn, len(SECOND))
    return f"{FIRST[one]}-{SECOND[other]}-{drawn % 10_000:04}"


def unmarked(_of: str) -> str:
    """What stands in the place of a mark where nobody gives one."""
    return ""


def put(value: Any, mark: Callable[[str], str]) -> Any:
    """A body with marks in their places; ``mark`` gives one by what it is of: empty means the request itself."""
    if isinstance(value, Marked):
        return value.text.replace(PLACE, mark(value.of))
    if isinstance(value, dict):
        return {key: put(each, mark) for key, each in value.items()}
    if isinstance(value, list):
        return [put(each, mark) for each in value]
    return value


def found(text: str) -> frozenset[str]:
    """What tells the marks of a text apart: their second words with their numbers.

    An answer may hold that part alone, where its beginning was another's.
    """
    return frozenset(MARK.findall(text))
