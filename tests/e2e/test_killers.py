"""A request that ends the server: one stop, its suspects, and on the embedded server the one that does it again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.e2e.driving import ROOT, suite
from tests.ending import ending
from tests.waiting import until

pytestmark = pytest.mark.e2e

SOME = tuple(f"suites/conformance/test_{area}.py" for area in ("params", "errors", "sse"))
"""A third of the cases, and those of the request that kills among them."""


@pytest.fixture
def mortal():
    """A golden server, in a process of its own, that dies of a cap that is no number."""
    command = [sys.executable, "-m", "tests.golden", "--port", "0", "--fault", "dies-on-wrong-type"]
    with ending(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)) as process:
        url = until(process.stdout.readline, "the golden server's URL", 20).strip()
        yield url, process


def test_what_a_request_ends_is_one_stop_and_the_rest_is_inconclusive_at_once(mortal, tmp_path):
    url, process = mortal
    ran = suite(tmp_path / "run", *SOME, "-n2", f"--endpoint=golden={url}")
    process.wait(10)
    assert ran.code == 1, ran.out
    (stop,) = ran.verdict["stops"]
    assert stop["family"] == "STOPPED"
    assert stop["sent"]
    counts = ran.verdict["endpoints"]["golden"]["counts"]
    assert counts["silent_stops"] == 1
    assert counts["FAIL"] == 0
    assert counts["INCONCLUSIVE"] > 0
    assert counts["NOT_EXECUTED"] == 0


def test_a_server_that_dies_of_the_first_case_is_a_stop_with_its_exit_status(mortal, tmp_path):
    """The run is over a second later, and the recorder has to have looked before it began."""
    url, _ = mortal
    ran = suite(
        tmp_path / "run", "suites/conformance", "--case=params/wrong-types-are-refused", f"--endpoint=golden={url}"
    )
    assert ran.code == 1, ran.out
    (stop,) = ran.verdict["stops"]
    assert (stop["family"], stop["code"]) == ("STOPPED", 139)
    assert "no chat was answered" not in ran.out


def test_the_same_outcomes_alone_and_in_parallel_and_shuffled(tmp_path):
    from tests.golden.server import Golden  # in this process: nobody dies here

    with Golden() as golden:
        ways = {"alone": [], "shuffled": ["-n4", "--shuffle=7"]}
        found = {
            name: suite(tmp_path / name, *SOME, f"--endpoint=golden={golden.url}", *more).verdict
            for name, more in ways.items()
        }
    assert found["alone"]["exit"] == 0
    assert found["alone"]["outcomes"] == found["shuffled"]["outcomes"]


def test_a_key_that_is_echoed_reaches_no_file(tmp_path):
    import base64

    from tests.golden.server import Golden

    key = "sk-Th1sKeyMustNeverBeWritten.0815/4711"
    with Golden(faults=("echo-key",), key=key) as golden:
        options = (f"--endpoint=golden={golden.url}", "--api-key-env=K", "--soak=5s")
        ran = suite(tmp_path / "run", *SOME, "suites/conformance/operating", "suites/soak", *options, env={"K": key})
    needles = [key.encode(), base64.b64encode(key.encode()).rstrip(b"=")[:-1]]
    holding = [p for p in ran.path.rglob("*") if p.is_file() and any(n in p.read_bytes() for n in needles)]
    assert holding == []
    assert not any(n.decode() in ran.out for n in needles)
    assert ran.code in {0, 1, 10}, ran.out
    assert ran.verdict["outcomes"]
