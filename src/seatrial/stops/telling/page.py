"""The page of families, as docs/families.md holds it: drawn from the table, never edited by hand.

``python -m seatrial.stops.telling.page docs/families.md`` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from seatrial.records import NO_STOP, STREAMS, Family
from seatrial.stops.state.families import FAMILIES, Row
from seatrial.stops.state.sights import WORK_RUNGS, Sight

HEAD = """# Families of silent stops

*Made from the table in `seatrial.stops.state.families` by
`python -m seatrial.stops.telling.page docs/families.md`. Do not edit.*

A stop is opened in one family. More evidence may make another family of it: the arrows below. Less evidence of the
same history may only be told as a weaker family, or as none: the column *falls to*. UNOBSERVED and CLOCK STEPPED are
no stops. The last four families are told from streams; a stream that a stop broke is counted with that stop.
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
    return ", ".join(row.falls) or "-"


def _rungs() -> Iterator[str]:
    """The rungs of WEDGED: one for each sight that may show it."""
    yield "## What a WEDGED may rest on"
    yield ""
    yield "| sight | first broken rung |"
    yield "|---|---|"
    yield from (f"| {Sight(word).value} | {rung} |" for word, rung in WORK_RUNGS.items())


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
