"""Opening a run by name, and ``seatrial show``: one exchange, byte for byte, harmless to look at."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from seatrial.records import SECOND, Exchange, Received, Sent
from seatrial.report.words import curl as curl_line
from seatrial.report.words.diagnosis import answer
from seatrial.report.words.plain import count, duration, size
from seatrial.run.directory import RunDir, located
from seatrial.run.writer import RunDirError
from seatrial.text import harmless, visible
from seatrial.wire.decoding.assemble import assemble

RUNS = Path("reports/runs")


def open_run(name: str) -> RunDir:
    """The run that a user means by a path, by a name in reports/runs, or by ``latest``.

    Raises:
        RunDirError: there is none.
    """
    path = located(name, RUNS)
    if path is None:
        latest = "no run is recorded in reports/runs yet; pytest suites/ makes one" if name == "latest" else ""
        raise RunDirError(latest or f"{name} is neither a run directory nor a run in {RUNS}")
    return RunDir.open(path)


def say(text: str) -> None:
    """Print a text of ours; what a terminal would obey, or lacks, stands there as an escape."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(harmless(text).encode(encoding, "backslashreplace").decode(encoding) + "\n")


def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run directory, its name, or 'latest'.")],
    exchange: Annotated[str, typer.Argument(metavar="ID", help="The exchange, as a diagnosis names it: gw0-118.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The answer's bytes as received, to a file or a pipe.")] = False,
    curl: Annotated[bool, typer.Option("--curl", help="Only the whole curl line that sends it again.")] = False,
) -> None:
    """Show one recorded exchange: what was sent, and each read of the answer with its time since sending."""
    opened = open_run(run)
    line = _find(opened, exchange)
    request, response, wrong = opened.exchange_of(line)
    if wrong and (raw or curl):
        raise RunDirError(f"exchange {exchange} is damaged: {wrong}")
    if raw:
        _raw(response)
        return
    view = assemble(line, request, response)
    endpoint = opened.endpoints().get(line.endpoint)
    if curl:
        if endpoint is None:
            raise RunDirError(f"the run holds no endpoint {line.endpoint}: its address is not known")
        say(curl_line.command(view, endpoint))
        return
    told = opened.damage.told() if wrong else ()
    say("\n".join(_lines(line, request, response, view, wrong, told)))


def _find(run: RunDir, name: str) -> Received:
    """The line of an answered exchange.

    Raises:
        RunDirError: it was never sent, or never answered.
    """
    sent = False
    for line in run.lines("writers/**/exchanges.jsonl"):
        if isinstance(line, Received) and line.id == name:
            return line
        sent = sent or (isinstance(line, Sent) and line.id == name)
    if sent:
        raise RunDirError(
            f"exchange {visible(name, 80)} was sent and never ended: its process died with the request in flight"
        )
    told = run.damage.told()
    lost = f"; {told[0]}" if told else ""
    raise RunDirError(f"the run holds no exchange {name}; ids look like gw0-118, and the report names them{lost}")


def _raw(response: bytes) -> None:
    if sys.stdout.isatty():
        raise RunDirError(
            "--raw on a terminal would let the server's bytes drive it: send it to a file or through a pipe"
        )
    sys.stdout.buffer.write(response)
    sys.stdout.buffer.flush()


def _lines(
    line: Received, request: bytes, response: bytes, view: Exchange, wrong: str, told: Iterable[str]
) -> list[str]:
    where = f"{line.id}  {line.endpoint}  scenario {line.scenario}  generation {line.generation}"
    where += f"  asked in run {line.of_run}" if line.of_run else ""
    shown = [visible(where)]
    if wrong:
        shown.append(f"damaged   {wrong}: what follows is not what was recorded")
        shown += [visible(each.replace("damaged: ", "damaged   ", 1)) for each in told]
    shown.append(f"sent      {size(len(request))}")
    shown += _text(request, ">")
    shown.append(f"received  {size(len(response))} in {count(len(line.frames), 'read')}: {answer(view)}")
    if line.dropped:
        shown.append("          not stored: the byte budget of the run was used up, or --keep-bytes=failures")
    offset = 0
    for at, length in line.frames:
        shown.append(f"  +{(at - line.sent_at) / SECOND:.4f} s  {size(length)}")
        shown += _text(response[offset : offset + length], "<")
        offset += length
    if view.header("content-encoding"):
        shown.append(f"decoded   {size(len(view.body))}")
        shown += _text(view.body, "=")
    ended = duration(max(line.ended_at - line.sent_at, 0) / SECOND)
    shown.append(visible(f"ended     after {ended}" + (f": {line.error} {line.detail}" if line.error else "")))
    return shown


def _text(content: bytes, mark: str) -> list[str]:
    """Lines of a text with escapes made visible; their ends, where other than LF, are visible as well."""
    text = content.decode("utf-8", "backslashreplace")
    rows = text.split("\n")
    if rows[-1] == "":
        rows.pop()
    return [f"    {mark} {visible(row.removesuffix(chr(13)))}" for row in rows]
