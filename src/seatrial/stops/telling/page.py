"""The page of families and their part of the glossary: drawn from the table, never edited by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from seatrial.records import NO_STOP, STREAMS, Family
from seatrial.stops.state.families import FAMILIES, Row
from seatrial.stops.state.sights import WORK_RUNGS, Sight


def _listed(words: Iterable[Family]) -> str:
    """Families in the order of the table."""
    return ", ".join(family for family in FAMILIES if family in words)


HEAD = f"""# Families of silent stops

*Made from the table in `seatrial.stops.state.families` by `tox -e pages`. Do not edit.*

A stop is opened in one family. More evidence may make another family of it: the arrows below. Less evidence of the
same history may only be told as a weaker family, or as none: the column *falls to*. A stream that a stop
broke is counted with that stop.

- No stops: {_listed(NO_STOP)}.
- Told from streams: {_listed(STREAMS)}.
"""


def markdown() -> str:
    """The page."""
    return "\n".join([HEAD, *_diagram(), "", *_table(), "", *_rungs(), ""])


def _diagram() -> Iterator[str]:
    """What opens in which family, and what more evidence makes of it, as a Mermaid state diagram."""
    yield from ("```mermaid", "stateDiagram-v2")
    shown = [family for family in FAMILIES if family not in NO_STOP and family not in STREAMS]
    yield from (f'    state "{family}" as {_id(family)}' for family in shown)
    yield from (f"    [*] --> {_id(family)}" for family in shown)
    for family in shown:
        yield from (f"    {_id(family)} --> {_id(to)}: {why}" for to, why in FAMILIES[family].becomes.items())
    yield "```"


def _id(family: Family) -> str:
    return family.replace(" ", "_")


def _table() -> Iterator[str]:
    yield "| family | claim | opened by | over with | falls to | first told | found in |"
    yield "|---|---|---|---|---|---|---|"
    for family, row in FAMILIES.items():
        yield f"| {family} | {row.says} | {row.opens} | {row.ends} | {_falls(row)} | {row.due} | `{row.reader}` |"


def _falls(row: Row) -> str:
    of_child = [f"{family} (of a child)" for family in row.falls_of_child]
    return ", ".join([*row.falls, *of_child]) or "-"


def _rungs() -> Iterator[str]:
    """The rungs of WEDGED: one for each sight that may show it."""
    yield "## What a WEDGED may rest on"
    yield ""
    yield "| sight | first broken rung |"
    yield "|---|---|"
    yield from (f"| {Sight(word).value} | {rung} |" for word, rung in WORK_RUNGS.items())


def glossary() -> str:
    """The families as the glossary lists them."""
    said = {family: row.says.rstrip(".") for family, row in FAMILIES.items()}
    rows = (f"| `{family}` | {text[0].lower()}{text[1:]} |" for family, text in said.items())
    return "\n".join(["| word | what it says |", "|---|---|", *rows])
