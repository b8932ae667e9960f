"""The first screen of report.html, above Allure's own page: verdict, reasons, figures, what was not tested.

Every text goes through :func:`html.escape`, whoever wrote it; links lead to ``#<id>`` of a case in the same file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from seatrial.judging.run import JudgedRun
from seatrial.records import ClientVerdict, Outcome, Ready
from seatrial.report import parameters
from seatrial.report.allure.results import stop_name
from seatrial.report.decision import plain
from seatrial.report.run import Report
from seatrial.report.soak import page as soak_page
from seatrial.report.summary import EndpointSummary, Item, Summary
from seatrial.text import visible
from seatrial.verdict import clients as of_clients
from seatrial.verdict.outcomes import BECAUSE

_TONE = {Ready.READY: "ready", Ready.NOT_PROVEN: "open", Ready.NOT_READY: "broken"}
_MEANS = {
    Ready.READY: "Everything that was tried holds; nothing stopped.",
    Ready.NOT_READY: "Something a client relies on is broken, or the server went quiet.",
    Ready.NOT_PROVEN: "Nothing was seen to fail, but not everything could be judged.",
}
_LINKS = 12

# A link opens its case in Allure's page below; this brings that page into view. It touches no text of a server.
_SCRIPT = (
    "<script>(()=>{const open=()=>{const app=document.getElementById('app');"
    "if(app&&location.hash.length>2)app.scrollIntoView({behavior:'smooth'})};"
    "document.getElementById('seatrial').addEventListener('click',e=>{const a=e.target.closest('a[data-case]');"
    "if(!a)return;e.preventDefault();location.hash=a.getAttribute('data-case');open()});addEventListener('load',open)})()</script>"
)


def section(report: Report, ids: Mapping[str, str]) -> str:
    """The section's HTML.

    Args:
        ids: Allure's id of each result, by the full name of its case or stop.
    """
    summary = report.summary
    many = len(summary.endpoints) > 1
    parts = [
        f'<section id="seatrial" class="st st-{_TONE[summary.worst]}">',
        _head(report.judged, summary),
        _decided(report),
        '<div class="st-body">',
        '<div class="st-main">',
        _clients(report.judged),
        *(_endpoint(report, endpoint, ids, named=many) for endpoint in _worst_first(summary)),
        _concluded(summary),
        "</div>",
        _run_wide(summary, ids),
        "</div>",
        '<p class="st-below"><a href="#app" data-case="/">Every case, with its evidence, stands below</a></p>',
        f"</section>{_SCRIPT}",
    ]
    return "".join(parts)


def _worst_first(summary: Summary) -> list[EndpointSummary]:
    return sorted(summary.endpoints, key=lambda endpoint: list(_TONE).index(endpoint.verdict), reverse=True)


def _head(judged: JudgedRun, summary: Summary) -> str:
    demo = all(endpoint.demo for endpoint in summary.endpoints) and summary.endpoints
    word = f"{summary.worst.value}{' (demo)' if demo else ''}"
    about = " &middot; ".join(_server(judged, endpoint) for endpoint in summary.endpoints)
    started = escape(judged.info.started.replace("T", " ").partition(".")[0].partition("+")[0].removesuffix("Z"))
    return (
        f'<header class="st-head"><p class="st-brand">Seatrial {escape(visible(judged.info.id))}'
        f" <span>{started} UTC</span></p>"
        f"<h1>{escape(word)}</h1><p>{_MEANS[summary.worst]}</p>"
        f'<p class="st-about">{about or "no endpoint was judged"}</p></header>'
    )


def _decided(report: Report) -> str:
    """What was decided between endpoints, with a link to the page beside this one."""
    lines = report.decided.lines
    if not lines:
        return ""
    link = f"<a href='{plain.PAGE}'>the decision, with all that it rests on</a>" if report.decided.told else ""
    listed = "".join(f"<p><b>{escape(line)}</b></p>" for line in lines)
    return f"<div class='st-decided'><h3>Decision</h3>{listed}<p>{link}</p></div>"


def _server(judged: JudgedRun, endpoint: EndpointSummary) -> str:
    known = judged.endpoints.get(endpoint.name)
    if known is None:
        return f"<b>{escape(visible(endpoint.name))}</b> not identified"
    told = " ".join(visible(text, 80) for text in (known.kind, known.build, known.model) if text)
    return f"<b>{escape(visible(endpoint.name))}</b> {escape(told)} <code>{escape(visible(known.url, 120))}</code>"


def _endpoint(report: Report, endpoint: EndpointSummary, ids: Mapping[str, str], *, named: bool) -> str:
    parts = [f'<article class="st-endpoint st-{_TONE[endpoint.verdict]}">']
    if named:
        parts.append(f"<h2>{escape(visible(endpoint.name))} <strong>{escape(endpoint.word)}</strong></h2>")
    parts.append(_counts(endpoint))
    if endpoint.items:
        parts.append(
            f"<h3>Why</h3><ol class='st-reasons'>{''.join(_item(item, ids, report) for item in endpoint.items)}</ol>"
        )
    soak = report.soak(endpoint.name)
    told = soak.told if soak is not None else frozenset()
    parts.append("<h3>Figures</h3><dl class='st-figures'>")
    parts.extend(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in endpoint.figures if name not in told
    )
    parts.append("</dl>")
    if soak is not None:
        parts.append(soak_page.html(soak, lambda text, case: _link(text, ids.get(case, ""))))
    if lines := report.judged.parameters.get(endpoint.name):
        parts.append(parameters.html(lines))
    drawn = report.timeline(endpoint.name)
    if drawn:
        opened = " open" if endpoint.silent_stops or not named else ""
        parts.append(f"<details class='st-time'{opened}><summary>Timeline of the run</summary>{drawn}</details>")
    return "".join([*parts, "</article>"])


def _counts(endpoint: EndpointSummary) -> str:
    words = Outcome if endpoint.tested else ()
    chips = [_chip(word.value, endpoint.counts.get(word.value, 0), word.value.lower()) for word in words]
    if endpoint.because:
        chips.append(_chip(BECAUSE, endpoint.because, "inconclusive"))
    chips.append(_chip("silent stops", endpoint.silent_stops, "fail" if endpoint.silent_stops else "none"))
    return f"<ul class='st-counts'>{''.join(chips)}</ul>"


def _chip(word: str, number: int, tone: str) -> str:
    zero = " st-zero" if not number else ""
    return f"<li class='st-c-{tone}{zero}'><b>{number}</b> {escape(word)}</li>"


def _item(item: Item, ids: Mapping[str, str], report: Report) -> str:
    tone = "stop" if item.stop else item.word.partition(" ")[0].lower()
    badge = f"<span class='st-word st-w-{escape(tone)}'>{escape(item.word)}</span>"
    if item.stop is not None:
        rows = "".join(f"<dt>{escape(label.strip())}</dt><dd>{escape(text)}</dd>" for label, text in item.rows[1:])
        link = _link("its log, requests and timeline", ids.get(stop_name(item.stop), ""))
        drawn = report.around(item.stop)
        around = f"<details class='st-time'><summary>The minute around it</summary>{drawn}</details>" if drawn else ""
        return f"<li>{badge} <b>{escape(item.text)}</b> {link}<dl class='st-stop'>{rows}</dl>{around}</li>"
    head = _link(item.head, ids.get(item.cases[0], "") if item.cases else "") if item.head else ""
    return f"<li>{badge} {head} <span class='st-said'>{escape(item.text)}</span>{_links(item.cases, ids)}</li>"


def _links(cases: tuple[str, ...], ids: Mapping[str, str]) -> str:
    """A link to each case behind a reason, where there are several."""
    if len(cases) < 2:
        return ""
    shown = [_link(case.rpartition("@")[0] or case, ids.get(case, "")) for case in cases[:_LINKS]]
    if len(cases) > _LINKS:
        shown.append(f"and {len(cases) - _LINKS} more below")
    return f"<details class='st-cases'><summary>{len(cases)} cases</summary>{', '.join(shown)}</details>"


def _link(text: str, key: str) -> str:
    shown = escape(visible(text, 120))
    return f'<a href="#{escape(key)}" data-case="{escape(key)}">{shown}</a>' if key else f"<b>{shown}</b>"


def _concluded(summary: Summary) -> str:
    """What follows from a watch kept by hand, each statement with its arithmetic behind a click."""
    if not summary.concluded:
        return ""
    items = []
    for text, rows in summary.concluded:
        listed = "".join(f"<dt>{escape(label)}</dt><dd>{escape(told)}</dd>" for label, told in rows)
        items.append(f"<li><b>{escape(text)}</b><details open><summary>How it is reckoned</summary>"
                     f"<dl class='st-stop'>{listed}</dl></details></li>")  # fmt: skip
    return f"<article class='st-endpoint'><h2>What follows from the note</h2><ol>{''.join(items)}</ol></article>"


def _clients(judged: JudgedRun) -> str:
    """Clients by endpoints: the word, and behind it what keeps a client from working."""
    told = {name: verdict.clients for name, verdict in judged.verdict.endpoints.items() if verdict.clients}
    if not told:
        return ""
    head = "".join(f"<th>{escape(visible(name))}</th>" for name in told)
    rows = []
    for client in dict.fromkeys(client for each in told.values() for client in each):
        cells = "".join(
            f"<td>{_client(each[client])}</td>" if client in each else "<td></td>" for each in told.values()
        )
        rows.append(f"<tr><th>{escape(client)}</th>{cells}</tr>")
    table = f"<table class='st-table st-clients'><tr><th>client</th>{head}</tr>{''.join(rows)}</table>"
    return f"<article class='st-endpoint'><h3>Clients</h3>{table}</article>"


def _client(verdict: ClientVerdict) -> str:
    said, why = (
        escape(of_clients.counted(verdict)),
        [escape(visible(each, 400)) for each in of_clients.deciding(verdict)],
    )
    listed = "".join(f"<li>{each}</li>" for each in why)
    return f"<details><summary>{said}; {why[0]}</summary><ul>{listed}</ul></details>" if why else said


def _run_wide(summary: Summary, ids: Mapping[str, str]) -> str:
    waived = [f"{_link(case, ids.get(case, ''))} by {escape(text)}" for case, text in summary.waived]
    untested = [f"<b>{escape(what)}</b> {escape(why)}" for what, why in summary.not_tested]
    return (
        "<aside class='st-aside'>"
        + _list("Not tested", untested, "Nothing was left out of the plan.")
        + _list("Waived", waived, "No failure was waived.")
        + (_list("Notices", [escape(notice) for notice in summary.notices], "") if summary.notices else "")
        + "</aside>"
    )


def _list(title: str, rows: Iterable[str], nothing: str) -> str:
    listed = list(rows)
    body = f"<ul>{''.join(f'<li>{row}</li>' for row in listed)}</ul>" if listed else f"<p>{nothing}</p>"
    return f"<div><h3>{title}</h3>{body}</div>"
