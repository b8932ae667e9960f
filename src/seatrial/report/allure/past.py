"""Allure's own history of earlier runs: kept from night to night where a nightly job has made a folder for it.

A run has one where a folder ``allure-history`` stands beside its directory: a file of JSON lines for each set of
endpoints. Allure works on a copy; what it adds is taken over once the page is there, the first time that a run's is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from seatrial.run import files
from seatrial.run.writer import RunDirError, write_atomically

FOLDER = "allure-history"
STAGED = "history.jsonl"
MOST_BYTES = 64 * 1024 * 1024
NIGHTS = 30
"""Points of history that a page shows."""


def kept(run: Path, endpoints: Sequence[str]) -> Path | None:
    """The file of history of a run; None where none is kept beside it."""
    folder = run.resolve().parent / FOLDER
    if not folder.is_dir() or folder.is_symlink() or not endpoints:
        return None
    name = "+".join(re.sub(r"[^A-Za-z0-9._-]", "-", endpoint) for endpoint in sorted(endpoints))[:120]
    return folder / f"{name}.jsonl"


def staged(file: Path | None, stage: Path) -> dict[str, object]:
    """Put a copy of the history where Allure reads it; what its configuration is told. None is no trouble."""
    if file is None:
        return {}
    try:
        content = files.read(file.parent, file.name, MOST_BYTES)
    except files.UnfitError:  # missing, or too long, or no file: it begins anew
        content = b""
    (stage / STAGED).write_bytes(content)
    return {"history": str(stage / STAGED), "nights": NIGHTS}


def keep(file: Path | None, stage: Path, *, first: bool) -> None:
    """Take over what Allure added, once for a run. That it cannot be written costs no report."""
    if file is None or not first:
        return
    try:
        lines = files.read(stage, STAGED, 2 * MOST_BYTES).splitlines(keepends=True)
        write_atomically(file, b"".join(lines[-NIGHTS:]))
    except (files.UnfitError, RunDirError):
        return
