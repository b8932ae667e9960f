"""How much of the catalogue a run asked of an endpoint, and what it left: a line of the first screen. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from seatrial.records import Judged, Outcome

ASKED = frozenset(Outcome) - {Outcome.NOT_EXECUTED}


@dataclass(frozen=True)
class Catalogue:
    """What may be asked: the area's name on a screen of each row, in order, and the row of each rule by its id."""

    rows: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)


def line(cases: Sequence[Judged], catalogue: Catalogue) -> str:
    """Rows and areas that were asked, that did not apply, and that were not asked; empty without a catalogue.

    A row was asked where a case of one of its rules was executed. It did not apply where all of these were declined.
    """
    words: dict[str, set[Outcome]] = {}
    for case in cases:
        row = catalogue.rules.get(case.rule, "")
        if row in catalogue.rows and case.outcome in ASKED:
            words.setdefault(row, set()).add(case.outcome)
    if not catalogue.rows or not cases:
        return ""
    declined = {row for row, found in words.items() if found == {Outcome.UNSUPPORTED}}
    total = Counter(catalogue.rows.values())
    asked = Counter(catalogue.rows[row] for row in words if row not in declined)
    parts = [f"rows: {asked.total()} of {total.total()} asked"]
    if not words:
        return parts[0]
    if asked:
        parts[0] += f" ({', '.join(f'{name} {asked[name]} of {n}' for name, n in total.items() if asked[name])})"
    parts.append(f"did not apply: {_counted(Counter(catalogue.rows[row] for row in declined))}")
    left = [name for name in total if not asked[name] and not any(catalogue.rows[row] == name for row in declined)]
    all_of = f", among them all of {', '.join(left)}" if left else ""
    parts.append(f"not asked: {total.total() - len(words)}{all_of}")
    return "; ".join(parts)


def _counted(rows: Mapping[str, int]) -> str:
    return f"{sum(rows.values())} ({', '.join(rows)})" if rows else "0"
