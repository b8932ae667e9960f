"""The official SDK for Node, installed once into the user's cache by npm, for the tests of what it reads."""

from __future__ import annotations

import atexit
import functools
import subprocess
import tempfile
from pathlib import Path

import platformdirs

from seatrial.report.allure.node import find_node
from seatrial.trial.nodejs import PACKAGE, NodeSdk, itself

VERSION = "7.59.0"
INSTALL_S = 120


@functools.cache
def folder() -> Path:
    """A folder with the SDK.

    Raises:
        NodeError: there is no Node.
        CalledProcessError: npm cannot install the SDK.
    """
    home = platformdirs.user_cache_path("seatrial") / f"openai-node-{VERSION}"
    if not (home / PACKAGE).is_file():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=".openai-node-") as fresh:
            node = find_node()
            command = [str(node.npm), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
            subprocess.run([*command, f"openai@{VERSION}"], cwd=fresh, env=node.environment(), check=True,
                           capture_output=True, timeout=INSTALL_S, stdin=subprocess.DEVNULL)  # fmt: skip
            _settle(Path(fresh), home)
    return home


@functools.cache
def sdk() -> NodeSdk:
    """The SDK, for as long as this process lives."""
    opened = NodeSdk(folder(), itself())
    atexit.register(opened.close)
    return opened


def _settle(fresh: Path, home: Path) -> None:
    """Put the packages in their place; where another process was faster, its own stay."""
    home.mkdir(exist_ok=True)
    try:
        (fresh / "node_modules").rename(home / "node_modules")
    except OSError:
        if not (home / PACKAGE).is_file():
            raise
