"""What Locust keeps of every second for good, cut to what somebody still looks at: a load may run for days.

Each name of its statistics holds how many requests ended in each second since the start, and a history grows by a page
every five seconds. Neither is read by us: figures come from the rows.
"""

from __future__ import annotations

import time
from typing import Any

import gevent

KEPT_S = 60
"""Locust's own current rate is of the last twelve seconds."""
KEPT_PAGES = 720
"""An hour of its charts."""
EVERY_S = 60.0


def trim(stats: Any) -> None:
    """Forget what is older: of one ``RequestStats``."""
    oldest = int(time.time()) - KEPT_S
    for entry in (stats.total, *stats.entries.values()):
        for seconds in (entry.num_reqs_per_sec, entry.num_fail_per_sec):
            for second in [second for second in seconds if second < oldest]:
                del seconds[second]
    del stats.history[:-KEPT_PAGES]


def keep_trim(stats: Any) -> None:
    """Do so for as long as the load runs."""
    while True:
        gevent.sleep(EVERY_S)
        trim(stats)
