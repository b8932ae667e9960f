"""D: our own doing is never the server's fault, nor the server's ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.server import Golden
from tests.trials.tried import Tried, hold

ANSWERS = ("suites/behaviour", "--case", "stops/answers-end-by-themselves")


@pytest.mark.parametrize("fault", ["cut:0.5", pytest.param("reset:0.5", marks=pytest.mark.long)])
def test_what_a_server_breaks_near_the_end_of_the_budget_is_its_own_fault(tried: Tried, tmp_path: Path, fault: str):
    """The budget is shorter than ``--timeout``: each answer could have been cut by us, and none was."""
    with Golden([fault]) as golden:
        said = tried.suite(tmp_path / "run", *ANSWERS, f"--endpoint={golden.url}", "--budget=50s")
        fired = golden.truth()["fired"][fault.partition(":")[0]]
    word = said.outcomes("stops/answers-end-by-themselves")
    must = f"{fired} streams that the server broke are a FAIL"
    hold(word == ["FAIL"] and "time was up" not in said.block, must, f"{word} {said.block}")
