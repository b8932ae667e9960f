import contextlib

import pytest

from tests.monitor.processes import Server

from .watching import Supervised, Watch


@pytest.fixture
def opened():
    """Opens what is closed at the end of the test, the last first."""
    with contextlib.ExitStack() as stack:

        def add(thing):
            stack.callback(thing.close)
            return thing

        yield add


@pytest.fixture
def server(opened):
    return opened(Server())


@pytest.fixture
def supervised(opened):
    return opened(Supervised())


@pytest.fixture
def watch(opened, tmp_path):
    """Starts a watch; its record is kept in ``tmp_path / "kept"`` unless told otherwise."""

    def start(*arguments, record=tmp_path / "kept"):
        return opened(Watch(*arguments, record=record))

    return start
