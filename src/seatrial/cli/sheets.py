"""``seatrial csv``: the soaks of a run as sheets, for whoever wants to reckon on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.show import open_run, say
from seatrial.given.tables import shown
from seatrial.records import SoakRun
from seatrial.run.writer import RunDirError, write_atomically


def csv(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run directory, its name, or 'latest'.")] = "latest",
    *,
    out: Annotated[Path | None, typer.Option(help="The folder to write into.  [default: RUN/csv]")] = None,
) -> None:
    """Write the soaks of a run as CSV: a row a request, a minute, and a phase and workload of each endpoint.

    Units stand in the names of the columns; what nobody can tell is an empty cell.
    """
    from seatrial.report.soak.sheets import sheets  # numpy, and every rule's areas
    from seatrial.report.words.plain import Wall

    opened = open_run(run)
    lines = opened.in_time()
    soaks = {name: SoakRun.of(name, lines) for name in opened.endpoints()}
    held = {name: soak for name, soak in soaks.items() if soak.rows or soak.dropped or soak.unfinished}
    if not held:
        raise RunDirError("no soak is recorded in this run; pytest suites/soak makes one")
    folder = out or opened.path / "csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunDirError(f"cannot make {folder}: {error.strerror}; name another with --out") from error
    wall = Wall(lines)
    for soak, file in zip(held.values(), files_of(held), strict=True):
        for sheet, content in sheets(soak, wall):
            target = folder / f"{file}-{sheet}.csv"
            write_atomically(target, content)
            rows = content.count(b"\r\n") - 1
            say(f"written    {shown(target)} ({rows} rows)")


def files_of(names: Iterable[str]) -> list[str]:
    """How the files of each endpoint begin: as it is called, as far as any file may be, and no two alike."""
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        safe = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_") or f"endpoint{number}"
        found.append(safe if safe not in found else f"{safe}.{number}")
    return found
