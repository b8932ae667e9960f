"""What run.json says of a run: when and on which boot it began, with what arguments, and by which versions."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from seatrial import __version__
from seatrial.records import RunInfo
from seatrial.run.clocks import boot_id

MOST_SUITES = 16
"""More suites than any run asks for: run.json may have been edited since."""


def run_info(
    name: str,
    *,
    arguments: Sequence[str],
    packages: Iterable[str] = (),
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> RunInfo:
    """The content of run.json for a run that begins now.

    Args:
        arguments: the command line, already without secrets.
        packages: distributions whose versions may explain a result, beside Python, the kernel and Seatrial.
        options: the settings that a verdict depends on, read again by whoever judges the run later.
    """
    return RunInfo(
        id=name,
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        started_ns=time.monotonic_ns(),
        boot_id=boot_id(),
        arguments=tuple(arguments),
        versions=versions(packages),
        seed=seed,
        options=dict(options or {}),
    )


def asked_for(options: Mapping[str, Any]) -> dict[str, str]:
    """The suites that a run was asked for, and why one of them did not run; none where its run.json does not say."""
    said = options.get("asked")
    if not isinstance(said, dict):
        return {}
    return {str(suite): why if isinstance(why, str) else "" for suite, why in list(said.items())[:MOST_SUITES]}


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions by name: of Python, of the kernel, of Seatrial, and of those packages that are installed."""
    found = {"python": sys.version.split()[0], "kernel": platform.release(), "seatrial": __version__}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def without_secrets(arguments: Iterable[object], valued: Collection[str]) -> tuple[str, ...]:
    """The arguments of a command line; of the options ``valued``, whose value may hold a secret, the name alone."""
    kept: list[str] = []
    hide = False
    for given in arguments:
        argument = str(given).encode("utf-8", "backslashreplace").decode()  # a name of bytes that are no UTF-8
        name, eq, _ = argument.partition("=")
        kept.append("***" if hide else f"{name}=***" if name in valued and eq else argument)
        hide = not hide and argument in valued
    return tuple(kept)
