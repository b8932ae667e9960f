"""Requests that leave at the same time, and one among them whose body is slow to come.

The slow one (:attr:`~seatrial.records.Request.held`) goes first, and keeps back the last byte of its body until the
others have been answered, so that an honest server costs no time at all; one that reads a request at a time is found
after :data:`HELD_S`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from seatrial.records import Request

HELD_S = 5.0
"""How long the last byte of a slow body is kept back at the most."""

Held = Callable[[], None] | None
"""What is called before the last byte of a body leaves."""

T = TypeVar("T")


def _take(signals: threading.Semaphore, count: int) -> None:
    """Wait for so many signals, but not for ever."""
    until = time.monotonic() + HELD_S
    for _ in range(count):
        if not signals.acquire(timeout=max(0.0, until - time.monotonic())):
            return


def all_at_once(requests: Mapping[str, Request], one: Callable[[str, Held], T]) -> dict[str, T]:
    """What came of each request, all sent at the same time; those beside a slow one once it is on its way.

    Args:
        one: sends the request of a name.
    """
    begun, answered = threading.Semaphore(0), threading.Semaphore(0)
    slow = sum(request.held for request in requests.values())

    def wait() -> None:
        begun.release()
        _take(answered, len(requests) - slow)

    def send(name: str) -> T:
        if requests[name].held:
            return one(name, wait)
        _take(begun, slow)
        try:
            return one(name, None)
        finally:
            answered.release()

    with ThreadPoolExecutor(len(requests)) as pool:
        return dict(zip(requests, pool.map(send, requests), strict=True))
