"""C: transport faults count, on any status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.golden.server import Golden
from tests.trials.tried import Tried, hold

MODELS = "suites/conformance/test_models.py"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("refusal-a-byte-short", r"content-length says (\d+) bytes, (\d+) came"),
        ("refusal-longer", r"content-length says (\d+) bytes and as many came, 9 bytes after the end"),
        pytest.param("refusal-reset", r"content-length says (\d+) bytes, 0 came", marks=pytest.mark.long),
        pytest.param(
            "refusal-without-last-chunk",
            r"the last chunk is missing after chunks of (\d+) bytes",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "length-beside-chunks", r"Content-Length: (\d+), and chunks of (\d+) bytes", marks=pytest.mark.long
        ),
        pytest.param("refusal-gzip-cut", r"the gzip body is cut: (\d+) bytes came", marks=pytest.mark.long),
    ],
    ids=["short", "longer", "reset", "without-last-chunk", "length-beside-chunks", "gzip-cut"],
)
def test_a_body_that_is_not_what_its_head_announces_is_told_with_both_counts(
    tried: Tried, tmp_path: Path, fault: str, told: str
):
    """Exchanges were recorded as cut, and the verdict was READY."""
    with Golden(faults=(fault,)) as golden:
        said = tried.suite(tmp_path / "run", MODELS, f"--endpoint={golden.url}")
    verdicts = [endpoint["verdict"] for endpoint in said.verdict["endpoints"].values()]
    text = " ".join(reason["text"] for reason in said.reasons)
    must = f"NOT READY, by a reason that says what was announced and what came: {told}"
    hold(said.code == 1 and re.search(told, text), must, f"{verdicts}: {text or said.block}")
    again = tried.seatrial("judge", str(said.path))
    hold(again.code == 1 and re.search(told, " ".join(again.out.split())), "offline the same", again.out)
