"""The tests leave no process behind: what they start bears a mark in its environment, and is looked for at the end."""

from __future__ import annotations

import os
import select
import signal
import time
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

MARK = "SEATRIAL_TESTS"
PATIENCE_S = 5.0
"""How long what was told to end may take."""


settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")  # how fast a machine is fails no test, and a test that held yesterday holds today


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # workers have it from the controller
        os.environ[MARK] = uuid.uuid4().hex
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what is begun with nohup inherits an ignored one, and obeys it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files whose few tests take minutes come first: a worker that began one at the end would work on alone."""
    items.sort(key=lambda item: item.get_closest_marker("early") is None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where a process of the tests lives on, the tests have failed."""
    if hasattr(session.config, "workerinput"):
        return
    end = time.monotonic() + PATIENCE_S
    for pid in marked(os.environ[MARK]):
        _await_end(pid, end)
    left = marked(os.environ[MARK])
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for pid, command in left.items():
        if reporter is not None:
            reporter.write_line(f"ERROR: process {pid} of the tests lives on: {command}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _await_end(pid: int, end: float) -> None:
    """Wait until a process has ended, and no longer than to ``end`` (monotonic, s)."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:  # it has ended meanwhile
        return
    select.select([handle], [], [], max(0.0, end - time.monotonic()))
    os.close(handle)


def marked(mark: str) -> dict[int, str]:
    """Pid and command line of each process but this one whose environment bears the mark."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) != os.getpid() and f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                )
        except OSError:  # it has ended, or is another user's
            continue
    return found
