"""``seatrial parameters``: what became of each parameter of the specification, on each endpoint of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.show import open_run, say
from seatrial.run.writer import RunDirError, write_atomically


def parameters(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run directory, its name, or 'latest'.")] = "latest",
    *,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables as Markdown to this file.")] = None,
) -> None:
    """List each parameter of chats and embeddings: honoured, refused, ignored, inert or not told apart.

    Each line says by what it was told, and by which exchange; seatrial show prints that.
    """
    from seatrial.judging.run import judge  # loads every rule and the openai SDK: a second
    from seatrial.report.markdown import parameter_tables
    from seatrial.report.parameters import plain

    judged = judge(open_run(run))
    if not judged.parameters:
        raise RunDirError("no case of this run tells of a parameter; pytest suites/conformance has them")
    if markdown is not None:
        write_atomically(markdown, "\n".join(parameter_tables(judged)).encode("utf-8"))
        say(f"written    {markdown}")
        return
    for name, lines in judged.parameters.items():
        say("\n".join(plain(name, lines)))
