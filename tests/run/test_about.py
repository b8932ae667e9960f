"""run.json: no secret of the command line, and the versions that may explain a result."""

from pathlib import Path

import pytest

from seatrial import __version__
from seatrial.run.about import run_info, without_secrets

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
