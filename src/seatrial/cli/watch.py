"""``seatrial watch``: that a server went quiet, when, and why, told as it happens."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from seatrial.given import words
from seatrial.given.access import Access
from seatrial.given.errors import ConfigError
from seatrial.records import SECOND
from seatrial.run.about import without_secrets
from seatrial.run.writer import RunDirError
from seatrial.stops.fold import Limits
from seatrial.watching import settings as wanted

LIMITS = Limits()
VALUED = ("--header", "--on-stop")
"""Options whose value may hold a secret; run.json keeps their names only."""
CONTEXT = {"allow_interspersed_args": False}
"""What stands behind the first word that is no option belongs to the command."""


def _limit(name: str, text: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(metavar="DURATION", help=f"{text}  [default: {_default(name)}]")
    return found


def _default(name: str) -> str:
    seconds = getattr(LIMITS, name) / SECOND
    return f"{seconds / 3600:g}h" if seconds >= 3600 else f"{seconds:g}s"


def watch(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND ...]",
            help="A command to start and to watch, under the name 'command'. It gets no input, its output passes "
            "through, and it ends with the watch.",
            show_default=False,
        ),
    ] = None,
    *,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]URL",
            help="A server's base URL, as http://host:8080; repeatable. It need not answer yet.",
            show_default=False,
        ),
    ] = None,
    pid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PID",
            help="The process of the endpoint of that name, or, without one, a process without a port; repeatable.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE",
            help="The log of a target: its last lines are read when something breaks. Repeatable.",
            show_default=False,
        ),
    ] = None,
    behind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GATEWAY=ENDPOINT",
            help="One endpoint stands in front of another: what fails through the first alone is the gateway's fault.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line on standard output, and nothing else there.")
    ] = False,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="DURATION",
            help="How long to watch, as 30s, 10m or 8h.  [default: until Ctrl-C or SIGTERM]",
            show_default=False,
        ),
    ] = None,
    canary: Annotated[
        str,
        typer.Option(
            metavar="DURATION|off",
            help="Between two canaries: chats of one token that ask the whole way. off: nothing is asked of the "
            "engine, which is then not observed.",
        ),
    ] = "10s",
    model: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Model that the canary asks for.  [default: the only one, or the one loaded]",
            show_default=False,
        ),
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(metavar="VAR", help="Environment variable that holds the API key.", show_default=False)
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="'NAME: VALUE'", help="Header of every request; repeatable.", show_default=False),
    ] = None,
    ca: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Certificates to trust, PEM.  [default: the system's]", show_default=False),
    ] = None,
    scrape: Annotated[
        bool,
        typer.Option(
            "--scrape",
            help="Read /metrics of llama.cpp too: each reading resets gauges that a dashboard of yours may show.",
        ),
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the record there, about 90 MB a day and target, for 'seatrial judge DIR'.  [default: not kept]",
            show_default=False,
        ),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Keep the state there for other monitors, written anew each second: JSON, or a Prometheus textfile "
            "where FILE ends in .prom.  [default: none]",
            show_default=False,
        ),
    ] = None,
    on_stop: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Run it at each stop, without a shell, for at most 30 s: facts in SEATRIAL_NAME, SEATRIAL_VERDICT, "
            "SEATRIAL_CAUSE, SEATRIAL_TEXT and others, and all of it as JSON on its input.  [default: none]",
            show_default=False,
        ),
    ] = None,
    quiet_until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Planned maintenance: what happens and is over by then is told as planned, and is no stop. A clock's "
            "time of here (14:30), a date with it (2026-11-28T14:30), or a duration from now (45m).  [default: none]",
            show_default=False,
        ),
    ] = None,
    frozen: Annotated[str | None, _limit("frozen", "Stopped by a signal for so long is FROZEN.")] = None,
    still: Annotated[str | None, _limit("still", "Held by a freezer for so long is FROZEN.")] = None,
    wedged: Annotated[str | None, _limit("wedged", "Work waits and the process idles: WEDGED.")] = None,
    wedged_silent: Annotated[
        str | None, _limit("wedged_silent", "The same, and its scheduler does not answer.")
    ] = None,
    wedged_unseen: Annotated[
        str | None, _limit("wedged_unseen", "Work waits, and nothing of the process is seen.")
    ] = None,
    busy: Annotated[str | None, _limit("busy", "Work waits, and the process is busy.")] = None,
    stall: Annotated[str | None, _limit("stall", "No token in a stream that had begun: STREAM STALL.")] = None,
) -> None:
    """Watch servers, and say when one stops, freezes, is replaced, goes deaf or wedges, and why.

    On a terminal, a screen; else one line a stop. Exits 0 when nothing happened, 1 after a stop, 10 when something
    was not observed, 4 on wrong usage. Ctrl-C ends it in order.
    """
    limits = {"frozen": frozen, "still": still, "wedged": wedged, "wedged_silent": wedged_silent,
              "wedged_unseen": wedged_unseen, "busy": busy, "stall": stall}  # fmt: skip
    settings = wanted.check(
        wanted.WatchSettings(
            endpoints=words.endpoints(endpoint or ()),
            pids=wanted.pids(pid or ()),
            logs=wanted.logs(log or ()),
            behind=wanted.behind(behind or ()),
            command=tuple(command or ()),
            json=json,
            for_s=None if for_ is None else words.duration("--for", for_),
            canary_s=wanted.canary(canary),
            model=model,
            access=Access(
                key_env=words.key_variable(api_key_env),
                headers=words.headers(header or ()),
                ca=words.certificates(ca),
            ),
            scrape=scrape,
            limits=msgspec.structs.replace(_limits(limits), quiet_until=wanted.quiet_until(quiet_until)),
            record=record,
            status=wanted.status(status),
            on_stop=wanted.command("--on-stop", on_stop),
            arguments=_arguments(sys.argv[1:], command or []),
        )
    )
    from seatrial.watching.session import WatchSession  # rich and the transports: not for --help

    try:
        code = WatchSession(settings).run()
    except RunDirError as error:
        raise ConfigError(str(error).replace("--run-dir", "--record")) from error
    raise typer.Exit(code)


def _limits(given_ones: dict[str, str | None]) -> Limits:
    changed = {
        name: round(words.duration(f"--{name.replace('_', '-')}", text) * SECOND)
        for name, text in given_ones.items()
        if text is not None
    }
    return msgspec.structs.replace(LIMITS, **changed)


def _arguments(arguments: list[str], command: list[str]) -> tuple[str, ...]:
    """Our own arguments; of the command its name alone, for what follows it may hold anything."""
    return (*without_secrets(arguments[: len(arguments) - len(command)], VALUED), *command[:1])
