"""The tables of a soak in report.md."""

from __future__ import annotations

from collections.abc import Callable

from seatrial.report.soak import words
from seatrial.report.soak.seen import Soak


def markdown(name: str, soak: Soak, code: Callable[[str], str]) -> list[str]:
    """Lines of the page.

    Args:
        code: makes a text a code span that nothing in it can leave.
    """
    columns = words.columns(soak)
    parts = [f"## Soak of {code(name)}", "", f"| phase | {' | '.join(name for name, _ in columns)} |"]
    parts.append(f"|---|{'---:|' * len(columns)}")
    for line in soak.lines:
        lead = f"- {code(words.name_of(line))}" if line.workload else code(words.name_of(line))
        parts.append(f"| {lead} | {' | '.join(cell(line) for _, cell in columns)} |")
    parts += ["", words.NOTE, "", *(f"- {name}: {code(text)}" for name, text in words.answers(soak)), ""]
    if soak.detected:
        parts += ["| detector | looked at | | seen | smallest that shows |", "|---|---|---|---|---|"]
        for each in soak.detected:
            cells = [str(each.detector), each.looked_at, f"**{each.word}**", code(each.figure + words.since(each))]
            parts.append(f"| {' | '.join([*cells, each.smallest])} |")
        parts.append("")
    return parts
