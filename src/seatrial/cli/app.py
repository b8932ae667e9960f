"""The command ``seatrial``: reads what a run recorded. The trial itself is ``pytest suites/``.

Wrong usage is one line that starts with ERROR and exit 4. So is a fault of Seatrial's own, which names its place: a
traceback would end with exit 1, and that is a verdict.
"""

from __future__ import annotations

import errno
import inspect
import io
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from seatrial.cli.client import client
from seatrial.cli.compare import compare
from seatrial.cli.doctor import doctor
from seatrial.cli.history import history
from seatrial.cli.nightly import nightly
from seatrial.cli.parameters import parameters
from seatrial.cli.sheets import csv
from seatrial.cli.show import open_run, say, show
from seatrial.cli.waive import waive
from seatrial.cli.watch import CONTEXT, watch
from seatrial.given.tables import shown
from seatrial.records import Verdict
from seatrial.run import files
from seatrial.run.directory import RunDir
from seatrial.run.lines import BAD
from seatrial.run.writer import RunDirError, write_atomically
from seatrial.text import docstring, shorten, visible
from seatrial.verdict.outcomes import EXIT_USAGE

app = typer.Typer(
    help="Reads recorded trials of OpenAI-compatible servers. To put a server on trial: pytest suites/ --endpoint=URL",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _command(function: Callable[..., None], **settings: Any) -> Callable[..., None]:
    """Make a function a command, whose docstring is its help, under ``python -OO`` too."""
    return app.command(help=docstring(function), **settings)(function)


_command(show)
_command(waive)
_command(client)
_command(compare)
_command(doctor)
_command(history)
_command(nightly)
_command(parameters)
_command(csv)
_command(watch, context_settings=CONTEXT)

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="A run directory, the name of one in reports/runs, or 'latest'.")
]


@_command
def judge(
    run: Run = "latest",
    *,
    write: Annotated[bool, typer.Option("--write", help="Write verdict-rejudged.json beside verdict.json.")] = False,
) -> None:
    """Judge a recorded run again, without its servers, and print the verdict.

    Exits 0 when every endpoint is ready, 1 when one is not, 10 when that is not proven, 4 on wrong usage.
    """
    from seatrial.judging.run import judge as judge_run  # loads every rule and the openai SDK: a second
    from seatrial.report.block import render
    from seatrial.report.run import Report

    opened = open_run(run)
    judged = judge_run(opened)
    page = opened.path / "report.html"
    report_there = page.is_file() and not page.is_symlink()
    told = Report(judged)
    say(render(told.summary, shown(page) if report_there else None, decided=told.decided.lines))
    if write:
        target = opened.path / "verdict-rejudged.json"
        write_atomically(target, msgspec.json.format(msgspec.json.encode(judged.verdict)))
        say(f"written    {shown(target)}")
    raise typer.Exit(judged.verdict.exit)


@_command
def report(
    run: Run = "latest",
    *,
    out: Annotated[Path | None, typer.Option(help="The HTML file to write.  [default: RUN/report.html]")] = None,
    alluredir: Annotated[
        Path | None, typer.Option(help="Where the Allure results go.  [default: RUN/allure-results]")
    ] = None,
) -> None:
    """Write report.md, the Allure results and report.html of a run.

    The first time, Allure is installed from npm into the user's cache (53 MB, about 10 s); it needs Node 22 or newer.
    """
    from seatrial.judging.run import judge as judge_run
    from seatrial.report.allure.html import ReportError, write_report
    from seatrial.report.run import Report

    opened = open_run(run)
    judged = judge_run(opened)
    if _differs(opened, judged.verdict):
        say("notice     verdict.json tells other outcomes than the record does now: the report follows the record")
    try:
        for line in write_report(Report(judged), out=out, results=alluredir, progress=_progress).lines:
            say(line)
    except ReportError as error:
        raise RunDirError(str(error)) from error


@_command
def cases(
    *,
    markdown: Annotated[Path | None, typer.Option(help="Write the list as a Markdown page to this file.")] = None,
    check: Annotated[Path | None, typer.Option(help="Exit 1 if this Markdown page is not the current list.")] = None,
) -> None:
    """List every rule with its level, source and catalogue row, and the rows that have no rule yet."""
    from seatrial.checks import catalogue  # loads every rule

    page = catalogue.markdown()
    if check is not None:
        try:
            current = check.read_text(encoding="utf-8") == page
        except (OSError, UnicodeDecodeError) as error:
            raise RunDirError(f"cannot read {check}: {error}") from error
        say(f"{check} is {'current' if current else f'out of date: seatrial cases --markdown {check}'}")
        raise typer.Exit(0 if current else 1)
    if markdown is not None:
        write_atomically(markdown, page.encode("utf-8"))
        say(f"written    {markdown}")
        return
    sys.stdout.write(page)


def schema(of: type[msgspec.Struct] = Verdict) -> bytes:
    """The JSON Schema of verdict.json, or of latest.json, as published in ``*.schema.json`` of the package."""
    made = msgspec.json.schema(of)
    for part in made["$defs"].values():
        if "description" in part:  # a docstring, which msgspec dedents from 0.23 on
            part["description"] = inspect.cleandoc(part["description"])
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command and exit; the console script's entry. What a terminal cannot show stands as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run_command(sys.argv[1:] if argv is None else argv))


def run_command(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    from seatrial.given.errors import ConfigError

    command = typer.main.get_command(app)
    try:
        return int(command.main(list(argv) or ["--help"], prog_name="seatrial", standalone_mode=False) or 0)
    except typer.Exit as wanted:
        return wanted.exit_code
    except typer.TyperException as error:
        return _refuse(error.format_message())
    except (RunDirError, ConfigError, typer.Abort) as error:
        return _refuse("interrupted" if isinstance(error, typer.Abort) else str(error))
    except BrokenPipeError:  # the reader of our pipe has gone: nothing is left to say
        sys.stdout = None
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no verdict
        return _refuse(_fault(error))


def _differs(run: RunDir, verdict: Verdict) -> bool:
    """Whether a verdict was written before and says something else; an unreadable one does."""
    try:
        return msgspec.json.decode(files.read(run.path, "verdict.json"), type=Verdict).outcomes != verdict.outcomes
    except files.MissingError:
        return False
    except (files.UnfitError, *BAD):
        return True


def _refuse(message: str) -> int:
    typer.echo(f"ERROR: {visible(message)}", err=True)
    return EXIT_USAGE


def _fault(error: Exception) -> str:
    """What went wrong where nothing was foreseen; a name that is too long is of whoever named it."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return f"no file system takes the name {shorten(str(error.filename))}"
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" at {Path(place[0].filename).name}:{place[0].lineno}" if place else ""
    return f"Seatrial itself fell over{where}: {type(error).__name__}: {shorten(str(error))}; please report it"


def _progress(text: str) -> None:
    typer.echo(text, err=True)
