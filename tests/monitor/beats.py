"""The recorder's own heartbeats, beside which a test holds what else it wrote: a loaded machine delays both alike.

Who is told of an end at once tells it before the next look of the record; who learns it by looking does not. So no test
needs to know how fast the machine is.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from seatrial.records import SECOND, Clock, Line
from tests.waiting import until


def beats(lines: Iterable[Line]) -> list[int]:
    """When the recorder's heart beat."""
    return [line.t for line in lines if isinstance(line, Clock) and line.w == "recorder"]


def between(found: Sequence[int], begin: int, end: int) -> int:
    """How many looks lie between two moments."""
    return len({at // (SECOND // 2) for at in found if begin < at < end})  # a look may write its clock twice


def mid_second(last_look: Callable[[], int]) -> None:
    """Wait for a moment between two looks: what a look finds is found late, and what is told at once is not.

    Args:
        last_look: when the latest was, asked again and again.
    """
    until(lambda: SECOND // 5 < time.monotonic_ns() - last_look() < SECOND // 2, "the middle of a second")


def pace(found: Sequence[int]) -> float:
    """Seconds between two looks, as most of them lie: on a loaded machine any one of them may come late."""
    return statistics.median(later - one for one, later in pairwise(found)) / SECOND
