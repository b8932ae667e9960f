"""Memory that grew before a death is told, and who may have killed for it."""

from __future__ import annotations

import pytest

from tests.trials.tried import hold, tried
from tests.trials.watch.watched import Watching, watching
from tests.trials.watch.well import well
from tests.waiting import until

GROWS = """
sys.stdin.readline()
kept = []
for _ in range(12):
    kept.append(b"x" * (40 << 20)); time.sleep(0.3)
"""
MOST = 450 << 20
"""Bytes at which it is killed."""


def used(watch: Watching) -> list[int]:
    """The memory of each sample in the record so far, bytes."""
    return [line["memory"] for line in watch.lines("sample", "a") if "memory" in line]


@pytest.mark.long
def test_memory_that_grew_before_a_death_is_told(tmp_path):
    run = tmp_path / "run"
    with well(GROWS) as server, watching(tried(), run, f"--endpoint=a={server.url}", "--canary=off", "--json") as watch:
        until(lambda: len(used(watch)) > 2, "it is sampled", 30)
        server.tell("")
        until(lambda: max(used(watch)) > MOST, "its memory is seen to grow", 30)
        server.process.kill()
        watch.until(lambda: watch.objects("verdict", "STOPPED"), "its end is told")
        watch.end()
    (stop,) = watch.objects("verdict", "STOPPED")
    hold(any("memory grew from" in text for text in stop["evidence"]), "it is told that its memory grew", stop)
    hold(any("systemd-oomd, earlyoom" in text for text in stop["hypotheses"]), "who may have killed for it", stop)
    hold(stop["cause"].startswith("UNKNOWN"), "and none of them is named as the cause", stop)
