"""``seatrial compare``: recorded runs held against each other, and whether to cut over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.show import open_run, say
from seatrial.given.errors import ConfigError
from seatrial.given.tables import shown
from seatrial.run.writer import RunDirError

if TYPE_CHECKING:
    from seatrial.judging.run import JudgedRun
    from seatrial.report.decision.sides import Contender


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN[@NAME]...", help="Runs, each with one of its endpoints or all of them."),
    ],
    *,
    baseline: Annotated[str, typer.Option(metavar="NAME", help="The incumbent.  [default: the first endpoint]")] = "",
    claims: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file of claims to confirm or refute.")
    ] = None,
    margin: Annotated[
        float, typer.Option(metavar="POINTS", help="How many points a candidate may be worse in what blocks.")
    ] = 5.0,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write decision.html and decision.json there.")
    ] = None,
) -> None:
    """Hold candidates against the incumbent, question by question, and say whether to cut over.

    The first endpoint is the incumbent, each further one is decided against it. Exits 0 CUT OVER, 1 DO NOT, 10 NOT
    PROVEN, 4 on wrong usage; of several candidates the worst.
    """
    from seatrial.given.said import claims as given  # judging loads every rule: a second
    from seatrial.report.decision import plain
    from seatrial.report.decision.made import probes
    from seatrial.report.decision.sides import decisions

    if not 0 < margin < 100:
        raise ConfigError(f"--margin={margin:g} is no number of points between 0 and 100")
    listed = _ordered(_all(runs), baseline)
    said = given.read(claims, probes()) if claims is not None else ()
    if claims is not None:
        given.about(said, [each.name for each in listed], claims)
    told = decisions(listed, said, margin / 100)
    page = plain.write(told, _made(out)) if out is not None else None  # before it is said: a decision is told once
    say(plain.render(told))
    if page is not None:
        say(f"decision   {shown(page)}")
    raise typer.Exit(told.exit)


def _made(out: Path) -> Path:
    """The folder, there by now."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunDirError(f"cannot write into {out}: {error.strerror}; name another folder with --out") from error
    return out


def _all(runs: list[str]) -> list[Contender]:
    """The endpoints that were named, in their order; each run is judged once."""
    from seatrial.judging.run import judge
    from seatrial.report.decision.sides import Contender, contenders

    judged: dict[Path, JudgedRun] = {}
    found: list[Contender] = []
    for given in runs:
        run, name = _split(given)
        opened = open_run(run)
        path = opened.path.resolve()
        if path not in judged:
            judged[path] = judge(opened)
        every = contenders(judged[path])
        chosen = [each for each in every if not name or each.name == name]
        if not chosen:
            raise ConfigError(f"{run} has no endpoint {name}; it has {', '.join(e.name for e in every) or 'none'}")
        found += [Contender(each.judged, each.name) for each in chosen if each not in found]
    return found


def _split(given: str) -> tuple[str, str]:
    """``RUN@NAME`` as run and endpoint; a path that has an @ in it and is there is a run."""
    run, at, name = given.rpartition("@")
    return (given, "") if not at or Path(given).is_dir() else (run, name)


def _ordered(listed: list[Contender], baseline: str) -> list[Contender]:
    first = next((each for each in listed if each.name == baseline), None)
    if not baseline:
        return listed
    if first is None:
        raise ConfigError(f"--baseline={baseline} is no endpoint here; they are {', '.join(e.name for e in listed)}")
    return [first, *(each for each in listed if each is not first)]
