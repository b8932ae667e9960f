"""What trials share: the tree on trial, and a mark on each failure that says whether the trial itself made it."""

from __future__ import annotations

import signal
from collections.abc import Generator

import pytest

from tests.trials.tried import Tried, Wrong, tried


def pytest_configure() -> None:
    """A shell's job in the background ignores Ctrl-C, and so would each run that is started from there."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(name="tried")
def _tried() -> Tried:
    return tried()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance(Wrong):
        report.user_properties.append(("wrong", str(call.excinfo.value)))
    return report
