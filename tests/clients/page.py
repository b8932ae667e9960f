"""The page of clients: what each sends, needs and reads, how long it waits and what it sends again, with sources."""

from __future__ import annotations

from collections.abc import Iterable

from seatrial.clients.profile import ClientTable, known


def markdown() -> str:
    """The page, as ``docs/clients.md`` holds it."""
    lines = [
        "# Clients",
        "",
        "Made from `src/seatrial/clients/*.toml` by `python -m tests.pages`; do not edit.",
        "`pytest suites/ --client=NAME` runs what is judged for a client; what it *needs* weighs as a MUST, and the",
        "exit is its verdict. `seatrial client NAME RUN` prints the settings that the results of a run support.",
        "A need with *where it is offered* may be declined: not every user of that client wants it. One with *where it",
        "is at hand* is judged where the client's own code was named: `npm install openai` in a folder of yours, and",
        "`--openai-node=FOLDER`.",
    ]
    for name, table in known().items():
        lines += ["", f"## {table.title} (`--client={name}`)", "", f"Read in {table.version}.", ""]
        lines += _table("sends", ("source",), ((each.what, each.source) for each in table.sends))
        needs = ((_what(need), _rules(need), need.so, need.source) for need in table.needs)
        lines += _table("needs", ("judged by", "else", "source"), needs)
        lines += _table("reads", ("source",), ((each.what, each.source) for each in table.reads))
        lines += _table("waits", ("seconds", "source"), ((w.what, f"{w.seconds:g}", w.source) for w in table.waits))
        lines += _table("sends again", ("times", "source"), ((r.what, str(r.times), r.source) for r in table.retries))
        lines += _context(table)
    return "\n".join(lines).rstrip() + "\n"


def _what(need) -> str:
    return need.what + ", *where it is offered*" * need.may_lack + ", *where it is at hand*" * need.at_hand


def _rules(need) -> str:
    of = f", of requests that are {' and '.join(need.of)}" if need.of else ""
    unless = f", without {', '.join(need.unless)}" if need.unless else ""
    return " ".join(f"`{rule}`" for rule in need.rules) + of + unless


def _table(first: str, others: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    told = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    if not told:
        return []
    return [f"| {' | '.join((first, *others))} |", "|---" * (1 + len(others)) + "|", *told, ""]


def _context(table: ClientTable) -> list[str]:
    room = table.context
    if room is None:
        return []
    return [f"Context: at least {room.least} tokens; {room.so} ({room.source}).", ""]
