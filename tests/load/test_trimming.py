"""Locust's own statistics do not grow with the hours of a load."""

from __future__ import annotations

import subprocess
import sys

from tests.load.children import ROOT

HOURS = """
import time
from locust.stats import RequestStats
from load.engine.trimming import KEPT_PAGES, KEPT_S, trim
stats, begin = RequestStats(), time.time()
for second in range(7200):
    time.time = lambda: begin + second
    for name in ("chat", "canary"):
        stats.log_request("POST", name, 100, 10)
    stats.log_error("POST", "chat", "stall")
    stats.history.append({"time": second})
    trim(stats)
for entry in (stats.total, *stats.entries.values()):
    assert len(entry.num_reqs_per_sec) <= KEPT_S + 2, len(entry.num_reqs_per_sec)
    assert len(entry.num_fail_per_sec) <= KEPT_S + 2
assert len(stats.history) == KEPT_PAGES
assert stats.history[-1] == {"time": 7199}
assert stats.total.num_requests == 14400
assert stats.total.num_failures == 7200
assert stats.total.current_rps > 0
"""


def test_what_is_counted_stays_and_its_seconds_go() -> None:
    ran = subprocess.run([sys.executable, "-c", HOURS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
