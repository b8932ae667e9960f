"""A log storm is a notice with its rate and onset: no stop, and the exit code is unchanged."""

from __future__ import annotations

import pytest

from tests.trials.tried import hold, tried
from tests.trials.watch.watched import watching
from tests.trials.watch.well import well

STORMS = """
rate = int(sys.stdin.readline())
with open(sys.argv[2], "a", buffering=1) as log:
    for n in range(14 * 10):
        log.write("slot 0: the prompt is read again\\n" * (rate // 10)); time.sleep(0.1)
"""
"""It writes a log for 14 s, so many lines a second as it is told by a line."""


@pytest.mark.long
def test_a_log_storm_is_a_notice(tmp_path):
    log = tmp_path / "server.log"
    log.write_text("begin\n")
    options = ("--canary=off", "--json", f"--log=a={log}")
    with (
        well(STORMS, str(log)) as server,
        watching(tried(), tmp_path / "run", f"--endpoint=a={server.url}", *options) as watch,
    ):
        watch.seen_well("a")
        server.tell("4000")
        watch.until(lambda: watch.objects("kind", "notice"), "the storm is told", 25)
        said = watch.end()
    told = watch.objects()
    hold([each["verdict"] for each in told] == ["LOG STORM"], "one notice", told)
    rate = int(told[0]["evidence"][0].split(" ")[0].replace(",", ""))
    hold(2000 < rate < 6000, "with about its rate", told)
    hold(said.code == 0, "a notice changes no exit code", said.code)
