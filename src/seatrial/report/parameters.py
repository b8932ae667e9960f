"""What became of each parameter, as a table: for a terminal, for report.md and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from seatrial.judging.parameters import Told, counted
from seatrial.report.words.plain import hang
from seatrial.text import visible

COLUMNS = ("parameter", "route", "word", "told by", "exchange")
WIDTH = 120


def plain(name: str, lines: Sequence[Told]) -> list[str]:
    """The table of one endpoint in lines of a terminal; its counts come first."""
    told = [f"{visible(name)}   {visible(counted(lines))}"]
    wide = max(len(line.name) for line in lines) + 2
    for line in lines:
        head = f"  {line.route:<11}{line.name:<{wide}}{_word(line):<16} "
        told += hang(
            head, " ".join(filter(None, (visible(line.how), f"[{line.exchange}]" if line.exchange else ""))), WIDTH
        )
    return told


def cells(line: Told) -> tuple[str, ...]:
    """The columns of one line."""
    return line.name, line.route, _word(line), visible(line.how), line.exchange


def html(lines: Sequence[Told]) -> str:
    """The table as HTML, folded."""
    head = "".join(f"<th>{column}</th>" for column in COLUMNS)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells(line))}</tr>" for line in lines)
    table = f"<table class='st-table'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<details class='st-time'><summary>Parameters, one by one</summary>{table}</details>"


def rows(lines: Sequence[Told]) -> Iterator[tuple[str, ...]]:
    """The table's rows."""
    return map(cells, lines)


def _word(line: Told) -> str:
    return f"{line.fate} {line.weight}".strip()
