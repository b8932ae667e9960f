"""D: our own doing is never the server's fault, nor the server's ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

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


def test_several_choices_are_asked_for_with_a_temperature_above_0(tried: Tried, tmp_path: Path):
    """Servers refuse n above 1 of one who wants the likeliest answer: there is only one."""

    class Reader(Golden):
        """Keeps what it was asked."""

        bodies: ClassVar[list[Any]] = []

        def _chat(self, call: Any) -> Any:
            self.bodies.append(call.body)
            return super()._chat(call)

    with Reader() as golden:
        tried.suite(tmp_path / "run", "suites/conformance/test_params.py", f"--endpoint={golden.url}", "-k", "n-gives")
    asked = [body.get("temperature", 1) for body in golden.bodies if isinstance(body.get("n"), int) and body["n"] > 1]
    must = "requests for several choices are sent, none of them greedy"
    hold(asked and all(asked), must, f"temperatures {asked}")
