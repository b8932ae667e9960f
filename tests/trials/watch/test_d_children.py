"""A server of many processes does not fill the disk: of its children the record holds a bounded part."""

from __future__ import annotations

import pytest

from tests.trials.tried import hold, tried
from tests.trials.watch.watched import watching
from tests.trials.watch.well import well
from tests.waiting import until

MANY = 120
CHILDREN = """
children = [subprocess.Popen(["sleep", "120"]) for _ in range(int(sys.argv[2]))]
"""


@pytest.mark.long
def test_many_children_are_looked_at_in_turn(tmp_path):
    run = tmp_path / "run"
    options = ("--canary=off", "--json")
    with well(CHILDREN, str(MANY)) as server, watching(tried(), run, f"--endpoint=a={server.url}", *options) as watch:
        until(lambda: len({line["pid"] for line in watch.lines("sample", "a")}) > MANY, "every process is seen", 40)
        passed = "some seconds have passed"
        until(lambda: sum("parent" not in line for line in watch.lines("sample", "a")) >= 7, passed, 40)
        watch.end()
    samples = watch.lines("sample", "a")
    first: dict[int, int] = {}
    for line in samples:
        first.setdefault(line["pid"], line["t"])
    later = [line for line in samples if line["t"] > max(first.values())]
    seconds = sum("parent" not in line for line in later)
    written = len(later) - seconds
    hold(seconds > 2, "it goes on for some seconds", seconds)
    hold(written <= 20 * (seconds + 1), "at most 20 samples of children a second", f"{written} in {seconds} s")
    hold("looked at each second" in watch.out, "and that is said", watch.out[-2000:])
