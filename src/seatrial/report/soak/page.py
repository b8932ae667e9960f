"""The tables of a soak in report.html. Every text is escaped, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from seatrial.report.soak import words
from seatrial.report.soak.seen import Soak

Link = Callable[[str, str], str]
"""(text, name of a case) to HTML."""


def html(soak: Soak, link: Link) -> str:
    """Both tables: figures by phase and workload, and a line a detector."""
    return _figures(soak) + _detected(soak, link)


def _figures(soak: Soak) -> str:
    columns = words.columns(soak)
    head = "".join(f"<th>{escape(name)}</th>" for name, _ in columns)
    rows = []
    for line in soak.lines:
        cells = "".join(f"<td>{escape(cell(line))}</td>" for _, cell in columns)
        tone = " class='st-part'" if line.workload else ""
        rows.append(f"<tr{tone}><th scope='row'>{escape(words.name_of(line))}</th>{cells}</tr>")
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in words.answers(soak))
    return (
        "<h3>Soak by phase and workload</h3><div class='st-wide'><table class='st-table st-numbers'>"
        f"<tr><th>phase</th>{head}</tr>{''.join(rows)}</table></div><p class='st-note'>{escape(words.NOTE)}</p>"
        f"<dl class='st-figures'>{told}</dl>"
    )


def _detected(soak: Soak, link: Link) -> str:
    if not soak.detected:
        return ""
    rows = []
    for each in soak.detected:
        outcome = (
            f" <span class='st-w-{each.outcome.value.lower()}'>{each.outcome.value}</span>" if each.outcome else ""
        )
        name = link(str(each.detector), each.case)
        rows.append(
            f"<tr class='st-d-{'found' if each.word == 'found' else 'other'}'><th scope='row'>{name}</th>"
            f"<td>{escape(each.looked_at)}</td><td><b>{escape(each.word)}</b>{outcome}</td>"
            f"<td>{escape(each.figure + words.since(each))}</td><td>{escape(each.smallest)}</td></tr>"
        )
    return (
        "<h3>What gets worse</h3><div class='st-wide'><table class='st-table st-seen'>"
        "<tr><th>detector</th><th>looked at</th><th></th><th>seen</th><th>smallest that shows</th></tr>"
        f"{''.join(rows)}</table></div>"
    )
