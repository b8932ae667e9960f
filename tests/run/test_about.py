"""run.json: no secret of the command line, and the versions that may explain a result."""

from pathlib import Path

import pytest

from seatrial import __version__
from seatrial.run.about import MOST_SUITES, asked_for, run_info, without_secrets

VALUED = ("--header", "--extra-body")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["--header", "X: secret", "suites"], ["--header", "***", "suites"]),
        (["--header=X: secret=1", Path("suites")], ["--header=***", "suites"]),
        (["--header", "--header", "suites"], ["--header", "***", "suites"]),
        (["--model=m", "--", "--extra-body"], ["--model=m", "--", "--extra-body"]),
    ],
)
def test_values_that_may_be_secret_are_not_kept(given, kept):
    assert without_secrets(given, VALUED) == tuple(kept)


def test_versions_are_those_of_what_is_installed():
    info = run_info("r", arguments=["a"], packages=("msgspec", "no-such-package"), seed=3, options={"strict": True})
    assert list(info.versions) == ["python", "kernel", "seatrial", "msgspec"]
    assert info.versions["seatrial"] == __version__
    assert (info.id, info.arguments, info.seed, info.options) == ("r", ("a",), 3, {"strict": True})


def test_the_suites_that_were_asked_for_are_read_whatever_run_json_holds():
    assert asked_for({"asked": {"soak": "", "behaviour": "too little"}}) == {"soak": "", "behaviour": "too little"}
    assert asked_for({}) == asked_for({"asked": 5}) == asked_for({"asked": ["soak"]}) == {}
    assert asked_for({"asked": {"soak": [5]}}) == {"soak": ""}
    assert len(asked_for({"asked": {str(n): "" for n in range(999)}})) == MOST_SUITES
