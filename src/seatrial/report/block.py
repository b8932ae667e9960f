"""The verdict block: the last thing on the terminal, and the first thing anybody reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seatrial.report.summary import EndpointSummary, Item, Summary
from seatrial.report.words.plain import hang
from seatrial.text import harmless

WIDTH = 120
_SHORT = {"INCONCLUSIVE": "?", "NOT_EXECUTED": "-", "ADVISORY": "advisory"}


def render(summary: Summary, report_path: Path | str | None, width: int = WIDTH, decided: Sequence[str] = ()) -> str:
    """The block as plain text, without a newline at its end.

    Args:
        summary: of the run.
        report_path: where the report lies, or a sentence that says why there is none; None: not built yet.
        width: columns after which lines are continued below their text.
        decided: what was decided between endpoints, a line a candidate.
    """
    lines = [" verdict ".center(73, "=")]
    margin = max([10, *(len(endpoint.name) + 2 for endpoint in summary.endpoints)])
    for endpoint in summary.endpoints:
        lines += _endpoint(endpoint, margin, width)
    if not summary.endpoints:
        lines += hang("NOT PROVEN".ljust(margin + 2), "no endpoint was judged", width)
    for number, (text, rows) in enumerate(summary.concluded, start=1):
        lines += hang(f"  {'concluded' if number == 1 else '':<12}{number} ", text, width)
        for index, (label, told) in enumerate(rows):
            again = index > 0 and rows[index - 1][0] == label
            lines += hang(f"{'':16}{'' if again else label:<10} ", told, width)
    for case, text in summary.waived:
        lines += hang("  waived        ", f"{case} by {text}", width)
    if summary.not_tested:
        lines += hang("  not tested    ", ", ".join(f"{what} ({why})" for what, why in summary.not_tested), width)
    else:
        lines.append("  not tested    nothing was left out of the plan")
    for notice in summary.notices:
        lines += hang("  notice        ", notice, width)
    for line in decided:
        lines += hang(f"{'decision':<{margin}} ", line, width)
    lines.append(f"{'report':<{margin}} {report_path or 'not built: seatrial report ' + summary.run}")
    return harmless("\n".join(lines))


def _endpoint(endpoint: EndpointSummary, margin: int, width: int) -> list[str]:
    lines = [f"{endpoint.name:<{margin}} {endpoint.word}   {endpoint.counts_text}"]
    names = max([0, *(len(item.head) for item in endpoint.items if item.stop is None)])
    for item in endpoint.items:
        lines += _stop(item, width) if item.stop is not None else _reason(item, min(names, 44), width)
    for name, text in endpoint.figures:
        lines += hang(f"  {name:<13} ", text, width)
    return lines


def _stop(item: Item, width: int) -> list[str]:
    lines = hang(f"  {item.word:<13} ", item.text, width)
    for label, text in item.rows[1:]:
        column = 3 if label.strip().isdigit() else 19  # hypotheses stand below their cause, in reading width
        lines += hang(f"{'':16}{label:<{column}} ", text, width)
    return lines


def _reason(item: Item, names: int, width: int) -> list[str]:
    word = _SHORT.get(item.word.partition(" ")[0], item.word)
    head = f"{item.head:<{names}}   " if item.head else ""
    return hang(f"  {word:<13} {head}", item.text, width)
