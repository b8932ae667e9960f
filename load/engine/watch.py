"""One look at all streams now and then, for those that have waited too long: a timer for each read costs as much."""

from __future__ import annotations

from dataclasses import replace

import gevent

from seatrial.wire.transports.load import LoadTarget
from seatrial.wire.transports.tap import Watchman

LOOK_S = 0.05
"""A wait may last so much longer than its limit."""


def watched(target: LoadTarget) -> LoadTarget:
    """The same target, whose waits are ended by a greenlet that lives as long as the process."""
    watchman = Watchman()
    gevent.spawn(_look, watchman)
    return replace(target, watchman=watchman)


def _look(watchman: Watchman) -> None:
    while True:
        gevent.sleep(LOOK_S)
        watchman.look()
