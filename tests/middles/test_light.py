"""A light middle in front of the embedded server: what is quiet stays quiet, and its end is told at its door."""

from __future__ import annotations

from random import Random

import pytest

from tests.middles.programs import NotTried, Programs
from tests.middles.scene import Deed, act, stage

pytestmark = [pytest.mark.e2e, pytest.mark.real]
LIGHT = ("nginx", "http-proxy")
"""The first that can be had is tried: a machine without either fails."""


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """A light middle and its backend."""
    reasons = []
    folder = tmp_path_factory.mktemp("middles")
    for name in LIGHT:
        try:
            with stage(name, Programs(folder / "programs"), folder / name, Random(1), "embedded") as on:
                yield on
                return
        except NotTried as error:
            reasons.append(f"{name}: {error}")
    pytest.fail(f"no light middle can be had: {'; '.join(reasons)}", pytrace=False)


@pytest.mark.parametrize("deed", [Deed.LOADED, Deed.MIDDLE_RELOADED, Deed.MIDDLE_KILLED])
def test_a_light_middle(light, deed):
    accounts = act(light, deed, seconds=4)
    assert len(accounts) == 2
    assert [text for each in accounts for text in each.wrong] == []
