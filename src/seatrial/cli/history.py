"""``seatrial history``: night after night, what broke, what healed, and where the figures go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.show import RUNS, say
from seatrial.given.errors import ConfigError
from seatrial.given.tables import shown


def history(
    endpoint: Annotated[str, typer.Argument(metavar="[ENDPOINT]", help="Only this one.", show_default=False)] = "",
    *,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="The folder of the runs.")] = RUNS,
    config: Annotated[
        Path | None, typer.Option(metavar="CONFIG.toml", help="The runs of this nightly job.", show_default=False)
    ] = None,
    nights: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="The last so many.")] = 30,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, and nothing else.")] = False,
) -> None:
    """List the nights of each endpoint: verdict, stops, figures, what changed; and the trends of the figures.

    Runs are read as they were judged. A trend is told over eight nights of one model and one load, with its interval.
    """
    from seatrial.nightly.config import read  # not for --help
    from seatrial.report.history.lines import as_json, render
    from seatrial.report.history.reading import nights as read_nights

    folder = read(config, to_run=False).runs if config is not None else runs
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {shown(folder)}; name the folder of the runs with --runs or --config")
    found = read_nights(folder, endpoint, nights)
    if not found:
        every = ", ".join(sorted(read_nights(folder, "", 1))[:10])
        which = f"no run of {endpoint}; there are {every}" if endpoint and every else "no run"
        raise ConfigError(f"{shown(folder)} holds {which}")
    if json:
        sys.stdout.write(as_json(found).decode("utf-8") + "\n")
        return
    for line in render(found):
        say(line)
