"""J: the verdict is computed, written and said before any report, plugin or foreign file can fail."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from tests.golden.server import Golden
from tests.trials.servers import Small, listed, serving
from tests.trials.tried import hold
from tests.waiting import until

CASE = "--case=models/list-has-its-shape"


@pytest.fixture(scope="module")
def golden():
    with Golden() as server:
        yield server


def verdict_stands(said):
    """It is on the terminal and in its file, and its exit code is the run's."""
    hold("= verdict =" in said.out, "the verdict is printed", said.out[-600:])
    hold(said.verdict["exit"] == said.code != 1, "the verdict's exit code is the run's", said.code)


def test_a_junit_file_that_cannot_be_written_costs_no_verdict(tried, golden, tmp_path):
    (tmp_path / "file").write_text("")
    said = tried.suite(
        tmp_path / "run", "suites/conformance", CASE, f"--endpoint={golden.url}",
        f"--junitxml={tmp_path}/file/junit.xml", timeout_s=90,
    )  # fmt: skip
    verdict_stands(said)
    hold("junit.xml" in said.out and "Traceback" not in said.out, "one line says what failed", said.out[-600:])


def test_a_plugin_that_fails_at_the_end_costs_no_verdict(tried, golden, tmp_path):
    (tmp_path / "foreign.py").write_text("def pytest_sessionfinish():\n    raise RuntimeError('not mine')\n")
    said = tried.suite(
        tmp_path / "run", "suites/conformance", CASE, f"--endpoint={golden.url}", "-p", "foreign",
        env={"PYTHONPATH": f"{tried.root / 'src'}:{tried.root}:{tmp_path}"}, timeout_s=90,
    )  # fmt: skip
    verdict_stands(said)
    hold("not mine" in said.out, "what the plugin raised is told", said.out[-600:])


OBSTACLE = """
from pathlib import Path

def pytest_runtest_logstart():
    for name in ("report.html", "report.md"):
        (Path({path!r}) / name).mkdir(exist_ok=True)
"""
"""Puts a folder where each report is to be, once the run has its directory and before anything is reported."""


def test_a_report_that_cannot_be_written_costs_no_verdict(tried, golden, tmp_path):
    path = tmp_path / "run"
    (tmp_path / "obstacle.py").write_text(OBSTACLE.format(path=str(path)))
    said = tried.suite(
        path, "suites/conformance", CASE, f"--endpoint={golden.url}", "-p", "obstacle",
        env={"PYTHONPATH": f"{tried.root / 'src'}:{tried.root}:{tmp_path}"}, timeout_s=90,
    )  # fmt: skip
    assert (path / "report.html").is_dir()
    assert (path / "report.md").is_dir()
    verdict_stands(said)
    told = [line for line in said.out.splitlines() if "report.html: Is a directory" in line]
    hold(len(told) == 1 and "Traceback" not in said.out, "one line says what failed", said.out[-600:])


def interrupted(tried, path, number, again):
    """A soak that gets a signal once rows come; ``again`` of what it has left says when it gets SIGINT, or not."""
    with Golden(token_ms=5) as golden:
        process = tried.start(
            "-m", "pytest", "suites/soak", "--soak=8h", f"--endpoint=g={golden.url}", f"--run-dir={path}"
        )
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
        reader.start()
        try:
            until(lambda: list((path / "load").glob("*.jsonl")) and " in flight" in "".join(said), "a soak", 60)
            process.send_signal(number)
            if again:
                until(lambda: not (path / "keeper.address").exists() or process.poll() is not None, "the end", 60)
                process.send_signal(signal.SIGINT)
            process.wait(60)
        finally:
            process.kill()
            process.wait()
        reader.join(10)
    return "".join(said)


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "again"), [(signal.SIGINT, True), (signal.SIGHUP, False)], ids=["ctrl-c", "hang-up"]
)
def test_a_signal_costs_no_verdict(tried, tmp_path, number, again):
    out = interrupted(tried, tmp_path / "run", number, again)
    path = tmp_path / "run" / "verdict.json"
    hold(path.is_file(), "verdict.json is written", out[-600:])
    hold("= verdict =" in out, "the verdict is printed", out[-600:])


class Nothing(Small):
    """Answers each chat with a body of NULs."""

    size = 24_000_000

    def get(self):
        self.answer(200 if self.path.endswith("/models") else 404, listed("m"))

    def post(self):
        self.answer(200, b"{}" if b"2 + 3" in self.asked_for() else b"\0" * self.size)


@pytest.mark.long
def test_a_report_takes_time_for_what_it_shows(tried, tmp_path):
    with serving(Nothing) as url:
        said = tried.suite(tmp_path / "run", "suites/conformance", "--case=chat/usage-adds-up", f"--endpoint={url}")
    began = time.monotonic()
    judged = tried.seatrial("judge", str(tmp_path / "run"), path=tmp_path / "run", timeout_s=280)
    judging = time.monotonic() - began
    page = tmp_path / "run" / "report.md"
    page.unlink()
    began = time.monotonic()
    reported = tried.seatrial("report", str(tmp_path / "run"), path=tmp_path / "run", timeout_s=280)
    reporting = time.monotonic() - began
    told = f"judged in {judging:.0f} s, reported in {reporting:.0f} s: {judged.out[-200:]}"
    hold(reporting < 2 * judging + 30, "a report of long bodies takes little longer than to judge them", told)
    codes = (said.code, judged.code, reported.code)
    hold(codes == (10, 10, 0) and page.is_file(), "the run proves nothing, judged again too, and is reported", codes)
