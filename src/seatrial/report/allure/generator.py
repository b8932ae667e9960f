"""Allure 3: installed once into the user's cache, then run over staged results. The verdict is ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import platformdirs

from seatrial.report.allure.node import Node
from seatrial.text import visible

VERSION = "3.18.0"
"""As pinned, with every package it needs, in reports/package-lock.json."""

_INSTALL_S, _BUILD_S = 600, 600


class ReportError(Exception):
    """The HTML page could not be built; the message says why and what to do, in one line."""


def templates() -> Path:
    """The folder with the generator's configuration, lock file and our style: in the checkout, or in the wheel."""
    packed = Path(__file__).parents[1] / "templates"
    return packed if packed.is_dir() else Path(__file__).parents[4] / "reports"


def install(node: Node, progress: Callable[[str], None]) -> Path:
    """The generator's command file, installed by npm if it is not there yet.

    Raises:
        ReportError: npm failed, or the cache cannot be written.
    """
    home = platformdirs.user_cache_path("seatrial") / f"allure-{VERSION}"
    command = home / "node_modules" / "allure" / "cli.js"
    if command.is_file():
        return command
    progress(f"installing Allure {VERSION} from npm into {home} (53 MB, about 10 s, once)")
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=".allure-") as folder:
            fresh = Path(folder) / "allure"
            fresh.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(templates() / name, fresh / name)
            _npm(node, fresh)
            _settle(fresh, home)
    except OSError as error:
        raise ReportError(f"cannot install Allure into {home}: {error.strerror or error}") from error
    if not command.is_file():
        raise ReportError(f"npm installed no Allure into {home}; remove that folder and try again")
    progress("installed")
    return command


def _settle(fresh: Path, home: Path) -> None:
    """Move the finished installation to its place; where another process was faster, its own stays."""
    try:
        fresh.rename(home)
    except OSError:
        if (home / "node_modules").is_dir():
            return
        shutil.rmtree(home, ignore_errors=True)
        fresh.rename(home)


def _npm(node: Node, folder: Path) -> None:
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    arguments += ["--fetch-retries=1", "--fetch-timeout=60000"]
    done = _run([str(node.npm), *arguments], folder, node.environment(), _INSTALL_S, "npm")
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][:3]
        said = visible(" ".join(last), 400)
        raise ReportError(f"npm could not install Allure (exit {done.returncode}): {said}; see seatrial doctor")


def generate(node: Node, command: Path, results: Path, stage: Path, settings: dict[str, object]) -> Path:
    """Build the page over a copy of finished results, with the gate shown in it, and return its path.

    Args:
        stage: an empty folder, the generator's to write in.
        settings: what reports/allurerc.mjs reads.

    Raises:
        ReportError: no page came out.
    """
    out = stage / "out"
    (stage / "report.json").write_bytes(msgspec.json.encode({**settings, "output": str(out)}))
    shutil.copy(templates() / "allurerc.mjs", stage / "allurerc.mjs")
    kept = {name: value for name, value in node.environment().items() if not name.startswith("ALLURE_")}
    environment = {**kept, "SEATRIAL_REPORT": str(stage / "report.json"), "NO_COLOR": "1"}
    # `allure run` alone evaluates the gate, and only over results that appear while its command runs: the copy.
    arguments = ["run", "--config", str(stage / "allurerc.mjs"), "--cwd", str(stage), "--ignore-logs"]
    arguments += ["--results-dir", str(stage / "results"), "--", "cp", "-R", os.fspath(results), str(stage / "results")]
    done = _run([str(node.path), str(command), *arguments], stage, environment, _BUILD_S, "Allure")
    pages = sorted(out.rglob("index.html"))
    if not pages:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()][-3:]
        raise ReportError(f"Allure built no page (exit {done.returncode}): {visible(' '.join(said), 400)}")
    return pages[0]


def _run(
    arguments: list[str], folder: Path, environment: dict[str, str], limit_s: int, who: str
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReportError(f"{who} did not end within {limit_s} s and was ended") from error
