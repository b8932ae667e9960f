"""K: arguments are refused in one line, or do what they say, in whatever environment they are given."""

from __future__ import annotations

import json
import os

import pytest

from tests.golden.server import Golden
from tests.trials.servers import Small, listed, serving
from tests.trials.tried import hold


def first(*values):
    """The first in every run, the others in the long one."""
    return [values[0], *(pytest.param(each, marks=pytest.mark.long) for each in values[1:])]


QUICK = ("suites/conformance", "-q", "--case=models/list-has-its-shape")


@pytest.fixture(scope="module")
def golden():
    with Golden() as server:
        yield server


class Counting(Small):
    """Counts who asks, and lists models by a pattern, as gateways do."""

    asked: list[str]
    names = ("*",)

    def get(self):
        self.asked.append(self.path)
        self.answer(200 if self.path.endswith("/models") else 404, listed(*self.names))

    def post(self):
        self.asked.append(self.path)
        message = {"role": "assistant", "content": "5"}
        model = json.loads(self.asked_for()).get("model")
        self.answer(200, {"model": model, "choices": [{"index": 0, "message": message}]})


@pytest.fixture
def gateway():
    handler = type("Gateway", (Counting,), {"asked": []})
    with serving(handler) as handler.url:
        yield handler


def refused(said, must, words):
    """One line and exit 4; nothing is left behind."""
    lines = [line for line in said.out.splitlines() if words in line]
    hold(said.code == 4 and lines and "Traceback" not in said.out, must, f"exit {said.code}: {said.out[-700:]}")
    hold(
        not said.path.exists(),
        f"{must}, and no run is begun",
        sorted(said.path.glob("*")) if said.path.exists() else "",
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a": "\\ud800"}', id="surrogate"),
        pytest.param('{"a": NaN}', id="nan", marks=pytest.mark.long),
        pytest.param('{"a": 1e999}', id="infinite", marks=pytest.mark.long),
        pytest.param('{"a": ' + "[" * 50_000 + "]" * 50_000 + "}", id="brackets"),
    ],
)
def test_an_extra_body_that_no_json_can_send_is_refused(tried, golden, tmp_path, text):
    said = tried.suite(tmp_path / "run", *QUICK, f"--endpoint={golden.url}", f"--extra-body={text}", timeout_s=60)
    refused(said, "--extra-body that cannot be sent is refused in one line, exit 4", "--extra-body")


def test_a_run_directory_whose_name_is_no_utf_8_is_refused(tried, golden, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/r\xff")
    said = tried.suite(tmp_path / name, *QUICK, f"--endpoint={golden.url}", timeout_s=60)
    refused(said, "a --run-dir that is no UTF-8 is refused in one line, exit 4", "--run-dir")


@pytest.mark.parametrize(
    "name", first("Transfer-Encoding", "Connection", "Expect", "Content-Length", "Trailer", "Upgrade")
)
def test_a_header_that_frames_the_request_is_refused(tried, golden, tmp_path, name):
    value = {"Content-Length": "5", "Expect": "100-continue"}.get(name, "chunked")
    said = tried.suite(tmp_path / "run", *QUICK, f"--endpoint={golden.url}", f"--header={name}: {value}", timeout_s=60)
    refused(said, f"--header {name} is refused in one line that names it, exit 4", f"--header {name}")


def test_a_gateway_that_lists_a_pattern_takes_any_model(tried, gateway, tmp_path):
    said = tried.suite(tmp_path / "run", *QUICK, f"--endpoint={gateway.url}", "--model=openai/gpt-9", timeout_s=60)
    hold(
        said.code in {0, 1, 10},
        "a model that a listed pattern stands for is taken",
        f"exit {said.code}: {said.out[-500:]}",
    )


def test_a_gateway_that_lists_a_pattern_wants_a_name(tried, gateway, tmp_path):
    said = tried.suite(tmp_path / "run", *QUICK, f"--endpoint={gateway.url}", timeout_s=60)
    refused(said, "where patterns alone are listed, one line says to name a model, exit 4", "--model")


@pytest.mark.parametrize("option", first("--fixtures", "--markers", "--setup-plan", "--setup-only"))
def test_what_lists_sends_nothing(tried, gateway, tmp_path, option):
    said = tried.suite(
        tmp_path / "run", "suites/conformance", option, f"--endpoint={gateway.url}", "--model=*", timeout_s=60
    )
    hold(not gateway.asked, f"pytest {option} sends nothing", gateway.asked)
    hold(
        said.code == 0 and not said.path.exists(),
        f"pytest {option} lists and ends well",
        f"exit {said.code}: {said.out[-500:]}",
    )


def test_the_bare_command_prints_its_help(tried):
    said = tried.seatrial()
    hold(
        said.code == 0 and "Usage" in said.out,
        "bare seatrial prints its help, exit 0",
        f"exit {said.code}: {said.out[:200]}",
    )


@pytest.mark.long
def test_python_without_docstrings_judges_alike(tried, golden, tmp_path):
    asked = (*QUICK, f"--endpoint={golden.url}")
    plain = tried.suite(tmp_path / "plain", *asked, timeout_s=60)
    assert plain.code in {0, 10}
    said = tried.suite(tmp_path / "run", *asked, env={"PYTHONOPTIMIZE": "2"}, timeout_s=60)
    alike = said.code == plain.code and said.verdict["outcomes"] == plain.verdict["outcomes"]
    must = f"under PYTHONOPTIMIZE=2 a run is judged as under none, exit {plain.code}"
    hold(alike, must, f"exit {said.code}: {said.out[-700:]}")
    listed = tried.seatrial("cases", env={"PYTHONOPTIMIZE": "2"}).out
    hold(
        "The first chunk of a choice carries" in listed, "each rule keeps its text under PYTHONOPTIMIZE=2", listed[:500]
    )


def test_an_ascii_terminal_reads_lines_as_lines(tried, gateway, tmp_path):
    gateway.names = ("模型-é",)
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    case = "--case=sse/done-comes-once-and-last"
    said = tried.suite(
        tmp_path / "run", "suites/conformance", case, f"--endpoint=g={gateway.url}", env=ascii_only, timeout_s=60
    )
    hold("\\u6a21" in said.out and "UnicodeEncodeError" not in said.out, "what ASCII lacks is escaped", said.out[-500:])
    spoilt = [line for line in said.out.splitlines() if "\\n" in line]
    hold(not spoilt, "on an ASCII terminal lines stay lines", spoilt[:2])
