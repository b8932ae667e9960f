"""Endpoints that are compared are asked in turn, a handful of items each: neither the hour nor a warm host favours one.

Only who has the turn has requests under way, so that each is asked at its own full load and none feels the others.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable


class Alternation:
    """Whose turn it is; for a thread or several of each endpoint.

    Args:
        names: of the endpoints, in the order in which they begin.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._order = deque(names)
        self._changed = threading.Condition()
        self._holder = ""  # who has taken its turn; not yet, where the turn is that of one that has not come for it

    def take(self, name: str) -> None:
        """End the turn that an endpoint has, where it has one, and wait for its next.

        Whoever calls has no request under way.
        """
        with self._changed:
            if self._holder == name and self._order[0] == name:
                self._order.rotate(-1)
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._order[0] == name)
            self._holder = name

    def leave(self, name: str) -> None:
        """An endpoint asks no more; the turn goes to the next."""
        with self._changed:
            if name in self._order:
                self._order.remove(name)
                self._changed.notify_all()
