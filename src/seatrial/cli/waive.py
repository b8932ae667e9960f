"""``seatrial waive``: the operator's own word on a case, written where ``--waive`` reads it."""

from __future__ import annotations

import datetime
import getpass
from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.show import open_run, say
from seatrial.given.waivers import Waiver, add, nearest
from seatrial.run.writer import RunDirError


def waive(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="The run that shows the case: a path, its name or 'latest'.")
    ],
    case: Annotated[str, typer.Argument(metavar="CASE", help="rule, rule[scenario] or rule[scenario]@NAME.")],
    *,
    why: Annotated[str, typer.Option(help="The reason, as the report will print it.")],
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day it holds.")],
    who: Annotated[str | None, typer.Option(help="Who takes the responsibility.  [default: your login name]")] = None,
    file: Annotated[Path, typer.Option(help="The waiver file; made if it is not there.")] = Path("waive.toml"),
) -> None:
    """Waive a failing case: in later runs with --waive=FILE its FAIL counts as WAIVED and is listed as such."""
    waiver = Waiver(case=case, who=_given(who or _login(), "--who"), why=_given(why, "--why"), until=_day(until))
    planned = [line.case for line in open_run(run).planned()]
    if not any(waiver.covers(name) for name in planned):
        raise RunDirError(f"no case of this run is called {case}{nearest(case, planned)}")
    add(file, waiver)
    say(f"written    {file}: {case} is waived by {waiver.who} until {waiver.until}")
    say(f"use it     pytest suites/ --waive={file}")


def _given(text: str, option: str) -> str:
    if not text.strip():
        raise RunDirError(f"{option} is empty: say it in a few words")
    return text.strip()


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise RunDirError("your login has no name here: give one with --who") from error


def _day(text: str) -> datetime.date:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError as error:
        raise RunDirError(f"--until={text} is no day: say YYYY-MM-DD") from error
    if day < datetime.datetime.now(tz=datetime.UTC).date():
        raise RunDirError(f"--until={text} is in the past: the waiver would not hold for a single run")
    return day
