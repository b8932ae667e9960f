"""K: other pytest plugins beside us: one owns a name of ours, one shuffles, one takes the terminal over."""

from __future__ import annotations

import json

import pytest

from tests.golden.server import Golden
from tests.trials.tried import hold

OWNER = """
def pytest_addoption(parser):
    group = parser.getgroup("neighbour")
    group.addoption("--timeout", type=float, default=None)
    group.addoption("--profile", action="store_true")
"""

SHUFFLER = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.reverse()
"""

REPORTER = """
import pytest

class Curt:
    def pytest_runtest_logreport(self, report):
        print(report.outcome[0], end="")

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(Curt(), "terminalreporter")
"""


@pytest.fixture(scope="module")
def golden():
    with Golden() as server:
        yield server


def beside(tried, golden, tmp_path, code, *arguments):
    """A run with a plugin of that code beside us."""
    (tmp_path / "neighbour.py").write_text(code)
    path = f"{tried.root / 'src'}:{tried.root}:{tmp_path}"
    return tried.suite(
        tmp_path / "run", "suites/conformance", "-p", "neighbour", f"--endpoint={golden.url}", *arguments,
        env={"PYTHONPATH": path}, timeout_s=120,
    )  # fmt: skip


CASE = "--case=models/list-has-its-shape"


def test_a_plugin_that_owns_a_name_of_ours_is_lived_with(tried, golden, tmp_path):
    said = beside(tried, golden, tmp_path, OWNER, CASE, "--timeout=30", "--profile")
    hold(
        said.code in {0, 10},
        "a plugin that owns --timeout and --profile costs no run",
        f"exit {said.code}: {said.out[-500:]}",
    )
    told = "--timeout is another plugin's option here: Seatrial's is --request-timeout"
    hold(told in said.out, f"one line says: {told}", said.out[:1500])


def test_a_plugin_that_shuffles_puts_no_heavy_request_before_a_polite_one(tried, golden, tmp_path):
    rules = ("--case=models/list-has-its-shape", "--case=errors/client-fault-is-never-5xx")
    said = beside(tried, golden, tmp_path, SHUFFLER, *rules)
    plan = [json.loads(line) for line in (said.path / "planned.jsonl").open()]
    hazards = [line.get("hazard", 0) for line in plan]
    assert len(set(hazards)) > 1
    hold(hazards == sorted(hazards), "what is polite is sent first, whatever another plugin shuffles", hazards)


def test_a_plugin_that_takes_the_terminal_over_costs_no_verdict(tried, golden, tmp_path):
    said = beside(tried, golden, tmp_path, REPORTER, CASE)
    hold("= verdict =" in said.out and said.code in {0, 10}, "the verdict is printed all the same", said.out[-700:])
