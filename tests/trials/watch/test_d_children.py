"""A server of many processes does not fill the disk: of its children the record holds a bounded part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trials.tried import hold, tried
from tests.trials.watch.watched import watching
from tests.trials.watch.well import well
from tests.waiting import until

MANY = 120
CHILDREN = """
children = [subprocess.Popen(["sleep", "120"]) for _ in range(int(sys.argv[2]))]
"""


def samples(run: Path) -> list[dict[str, int]]:
    """The samples in the record so far."""
    path = run / "watch" / "samples.jsonl"
    text = path.read_bytes() if path.is_file() else b""
    lines = [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]
    return [line for line in lines if line.get("kind") == "sample"]


@pytest.mark.long
def test_many_children_are_looked_at_in_turn(tmp_path):
    run = tmp_path / "run"
    options = ("--canary=off", "--json")
    with well(CHILDREN, str(MANY)) as server, watching(tried(), run, f"--endpoint=a={server.url}", *options) as watch:
        until(lambda: len({line["pid"] for line in samples(run)}) > MANY, "every process is seen", 40)
        until(lambda: sum("parent" not in line for line in samples(run)) >= 7, "some seconds have passed", 40)
        watch.end()
    all_seen = max(at for pid in {line["pid"] for line in samples(run)}
                   for at in [min(line["t"] for line in samples(run) if line["pid"] == pid)])  # fmt: skip
    later = [line for line in samples(run) if line["t"] > all_seen]
    seconds = sum("parent" not in line for line in later)
    written = len(later) - seconds
    hold(seconds > 2, "it goes on for some seconds", seconds)
    hold(written <= 20 * (seconds + 1), "at most 20 samples of children a second", f"{written} in {seconds} s")
    hold("looked at each second" in watch.out, "and that is said", watch.out[-2000:])
