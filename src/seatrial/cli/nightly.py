"""``seatrial nightly``: one run after another, as a timer starts it night after night."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.show import say
from seatrial.text import harmless


def nightly(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The file of the job: docs/nightly.md.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Say what would be run, and stop.")] = False,
    print_unit: Annotated[
        bool, typer.Option("--print-unit", help="Print a systemd service and timer for it, and stop.")
    ] = False,
    at: Annotated[str, typer.Option(metavar="HH:MM", help="Of --print-unit: when the night begins.")] = "22:00",
) -> None:
    """Put each endpoint of a job on trial, one after the other, and say what changed since the last night.

    Exits 0 when every endpoint is ready, 1 when one is not, 4 when one could not be tried or the file is wrong, 10 when
    something is not proven.
    """
    from seatrial.nightly import child, units
    from seatrial.nightly.config import read
    from seatrial.nightly.night import JobNight  # msgspec, the watch's hook: not for --help

    if print_unit:
        say(units.systemd(read(config, to_run=False), at))
        return
    job = read(config)
    if check:
        for target in job.targets:
            words = child.words(target, job.runs / "RUN")
            say(f"{target.name:<10} {shlex.join(words[1:])}")
        say(f"{'keeps':<10} {job.keep} nights in {job.directory}")
        return
    raise typer.Exit(JobNight(job, _tell).run())


def _tell(line: str) -> None:
    """A line of a night, at once: a log is read while it goes on. A screen that hung up costs no night."""
    try:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(harmless(line).encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        return
