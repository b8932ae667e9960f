"""F: a server that stalls must not take the evening."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.golden.server import Golden
from tests.trials.tried import Tried, hold


def _silences(path: Path) -> list[float]:
    """For how long each stream that fell silent was waited for, in order, in seconds."""
    lines = [json.loads(text) for file in path.glob("writers/*/exchanges.jsonl") for text in file.open()]
    late = [line for line in lines if line["kind"] == "received" and line.get("error") in ("idle", "deadline")]
    return [(x["ended_at"] - x["sent_at"]) / 1e9 for x in sorted(late, key=lambda x: x["sent_at"])]


@pytest.mark.long
def test_after_three_stalls_alike_the_others_are_given_five_seconds(tried: Tried, tmp_path: Path):
    began = time.monotonic()
    with Golden(["stall"]) as golden:
        said = tried.suite(tmp_path / "run", "suites/conformance", f"--endpoint={golden.url}", timeout_s=600)
    took = _silences(tmp_path / "run")
    must = "after three streams that fell silent the others are given 5 s, and the verdict says so"
    told = f"{[round(seconds) for seconds in took]} s, {time.monotonic() - began:.0f} s in all: {said.block[-900:]}"
    hold(len(took) > 3 and min(took[:3]) > 7 > max(took[3:]), must, told)
    line = r"\bafter three stalls, \d+ streams were given 5(\.0)? s\b"
    hold(re.search(line, " ".join(said.block.split())), must, told)


@pytest.mark.long
def test_judged_again_the_record_says_the_same(tried: Tried, tmp_path: Path):
    with Golden(["stall"]) as golden:
        tried.suite(tmp_path / "run", "suites/conformance/test_sse.py", f"--endpoint={golden.url}", "--timeout=8s")
    again = tried.seatrial("judge", str(tmp_path / "run"), path=tmp_path / "run")
    must = "seatrial judge says how many streams were given less time"
    hold("after three stalls" in again.out, must, again.out[-900:])
