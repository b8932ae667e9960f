"""docs/pairs.md: what each pair came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from seatrial.records import Compared
from tests.pairs.compared import Came
from tests.pairs.parts import OPTIONS, PAIRS, Shown

HEAD = """\
# Real pairs

Made by `tox -e pairs -- --page`; do not edit. Servers of one model of which it is known whether they differ, held
against each other by `pytest suites/behaviour --endpoint=... --endpoint=...`, and again by `seatrial compare`."""

TITLES = {
    "chatml": "ChatML beside the plain template, on the embedded model",
    "kv": "A cache of keys and values in four bits beside sixteen, on llama-server",
    "aa": "A server beside its like",
}
TABLE = "| seed | own verdicts | decision | probes | pairs, the fewest and the most | flips | margin | speed | names |"


class Part(NamedTuple):
    """A part of the proof."""

    name: str
    budget: str
    came: Sequence[Came]
    shown: Sequence[Shown]


def markdown(told: Sequence[Part]) -> str:
    """The page."""
    lines = [HEAD]
    for part in told:
        lines += ["", f"## {TITLES[part.name]}", "", _how(part), ""]
        lines += [f"- {'so' if shown.holds else '**NOT SO**'}: {_plain(shown.text)}" for shown in part.shown]
        if part.name == "aa" and part.came:
            lines += ["", *_reached(part.came)]
        lines += ["", TABLE, f"|{'---|' * (TABLE.count('|') - 1)}", *map(_row, part.came)]
    return "\n".join(lines) + "\n"


def _how(part: Part) -> str:
    servers = ", ".join(f"{name}: {kind}" for name, (kind, _) in PAIRS[part.name].items())
    asked = " ".join((*OPTIONS[part.name], f"--budget={part.budget}"))
    many = f"{len(part.came)} comparison{'' if len(part.came) == 1 else 's'}"
    return f"`{asked}`, or twice that budget where it had no room for a probe of one of the two; {many}; {servers}."


def _row(came: Came) -> str:
    sizes = [row.n for row in came.rows]
    speed = came.decision.speed
    cells = (
        str(came.seed),
        ", ".join(f"{name} {word}" for name, word in came.ready.items()),
        str(came.decision.cut),
        str(len(sizes)),
        f"{sum(sizes)}: {min(sizes)} to {max(sizes)}" if sizes else "none",
        str(sum(row.lost + row.gained for row in came.rows)),
        f"{100 * min(row.smallest for row in came.rows):.0f} to {100 * max(row.smallest for row in came.rows):.0f}"
        if sizes
        else "",
        f"{speed.ratio:.2f} ({speed.low:.2f} to {speed.high:.2f})" if speed else "",
        _plain("; ".join([*came.named(), *(f"listed: {each}" for each in came.listed())]) or "nothing"),
    )
    return f"| {' | '.join(cells)} |"


def _reached(all_of: Sequence[Came]) -> Iterator[str]:
    """Of each probe how many pairs it had, and what difference they could have shown."""
    by_probe: dict[str, list[Compared]] = {}
    for row in (row for came in all_of for row in came.rows):
        by_probe.setdefault(row.probe, []).append(row)
    yield "| probe | comparisons | pairs, median | good answers | flips | smallest margin that shows |"
    yield "|---|---|---|---|---|---|"
    for probe, rows in sorted(by_probe.items(), key=lambda each: -len(each[1])):
        n = sum(row.n for row in rows)
        good = sum(row.incumbent.good + row.candidate.good for row in rows) / (2 * n)
        flips = sum(row.lost + row.gained for row in rows) / n
        seen = median(row.smallest for row in rows)
        pairs = f"{median(row.n for row in rows):.0f}"
        cells = (probe, len(rows), pairs, f"{100 * good:.0f} %", f"{100 * flips:.0f} %", f"{100 * seen:.0f} points")
        yield f"| {' | '.join(map(str, cells))} |"


def _plain(text: str) -> str:
    """Text of a decision in a table: one line, no bar, no mark-up, no tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("`", "'")
