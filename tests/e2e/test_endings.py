"""Endings of a soak, a share of those that ``python -m tests.endings`` acts out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endings.endings import tried

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", ["pytest-killed", "server-killed-abort"])
def test_what_was_written_stands_and_the_verdict_says_which_ending_it_was(name: str, tmp_path: Path) -> None:
    found, wrong = tried(name, tmp_path)
    assert not wrong, found.out
