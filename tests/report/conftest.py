"""The two runs most tests here look at, made once."""

from __future__ import annotations

import pytest

from seatrial.judging.run import JudgedRun
from tests.report import sample


@pytest.fixture(scope="session")
def sunk(tmp_path_factory) -> JudgedRun:
    return sample.sunk(tmp_path_factory.mktemp("sunk") / "20261124T210000Z-7c1e")


@pytest.fixture(scope="session")
def calm(tmp_path_factory) -> JudgedRun:
    return sample.calm(tmp_path_factory.mktemp("calm") / "20261124T210000Z-7c1e")
