"""Waiting in a test: for a condition, with a deadline; or in no time, for what reads the clock."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

DEADLINE_S = 15.0
STEP_S = 0.01
"""Between two looks."""


class PassingTime:
    """Stands in for the module ``time``: it passes while somebody sleeps, and then alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def until(what: Callable[[], Any], text: str = "the condition", seconds: float = DEADLINE_S) -> Any:
    """What the condition gives once it holds.

    Raises:
        AssertionError: it does not within the deadline.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        select.select([], [], [], STEP_S)
    raise AssertionError(f"not within {seconds:.0f} s: {text}")
