"""What a program reads of a stop: its signal by name, and public reports only where they are of the same shape."""

from __future__ import annotations

import random
import signal

from tests.faults.processes import Golden
from tests.trials.tried import hold
from tests.trials.watch.watched import watching

SOON_S = 15.0


def test_a_signal_is_told_by_name_and_no_report_of_a_log_where_none_was_read(tried, tmp_path):
    server = Golden(tmp_path, random.Random())
    named = (f"--endpoint=a=http://127.0.0.1:{server.port}", "--canary=off", "--json")
    try:
        with watching(tried, tmp_path / "record", *named) as watch:
            watch.seen_well("a")
            server.send(signal.SIGKILL)
            server.reap()
            watch.until(lambda: watch.objects("kind", "stop"), "the stop is told", SOON_S)
            said = watch.objects("kind", "stop")[0]
            hold(said["signal"] == "SIGKILL", "the signal is told by its name", said["signal"])
            hold(said["alike"] == [], "no report of how a log ends, for none was read", said["alike"])
    finally:
        server.close()
