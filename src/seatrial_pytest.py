"""What lets ``pytest MY-TESTS --endpoint=URL`` work from any folder: the one module that pytest11 names.

It does nothing in a session that names no endpoint, and nothing in the checkout, whose conftest.py loads the plugins.
Elsewhere it loads the same modules under the same names. pytest takes a module once, and a second name for it is an
error: so no plugin of ours stands in pytest11 itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = ("--endpoint", "--seatrial-endpoint")
KEPT = "seatrial_endpoint"
"""The name that the option is kept under: a worker is handed values in place of arguments."""


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: Sequence[str]) -> None:
    """Load the plugins of the checkout that this module stands in.

    Raises:
        pytest.UsageError: another package is called ``fixtures`` here.
    """
    asked = any(argument.partition("=")[0] in OPTIONS for argument in args) or getattr(early_config.option, KEPT, None)
    if not asked or not (ROOT / "suites").is_dir() or _is_checkout(early_config.rootpath):
        return
    sys.path.insert(0, str(ROOT))  # only for the import: nothing else of ours is to be found by its name
    try:
        import fixtures

        if str(ROOT / "fixtures") not in fixtures.__path__:
            raise pytest.UsageError(f"Seatrial's fixtures cannot be loaded: {fixtures.__file__} has their name")
        for name in fixtures.PLUGINS:
            early_config.pluginmanager.import_plugin(name)
    finally:
        sys.path.remove(str(ROOT))


def _is_checkout(path: Path) -> bool:
    return (path / "src" / Path(__file__).name).is_file()
