"""report.md: the first screen and every case that did not pass, for a pull request, a ticket or a pager."""

from __future__ import annotations

import re

from seatrial.checks.own.word import find
from seatrial.judging.parameters import counted
from seatrial.judging.run import JudgedRun
from seatrial.records import ClientVerdict, Outcome
from seatrial.report import block, parameters
from seatrial.report.run import Report
from seatrial.report.soak import plain as soak_plain
from seatrial.report.words.diagnosis import diagnosis
from seatrial.report.words.plain import count
from seatrial.text import visible
from seatrial.verdict import clients as of_clients
from seatrial.verdict.outcomes import BECAUSE

_TOLD = (
    Outcome.FAIL,
    Outcome.WAIVED,
    Outcome.INCONCLUSIVE,
    Outcome.NOT_EXECUTED,
    Outcome.ADVISORY,
    Outcome.UNSUPPORTED,
)
_AT_LENGTH = frozenset({Outcome.FAIL, Outcome.WAIVED, Outcome.ADVISORY})


def render(report: Report, report_path: str | None = None) -> str:
    """The page. Text of a server stands only in fenced blocks and code spans: none of it is Markdown or HTML here."""
    judged, summary = report.judged, report.summary
    parts = [
        f"# {summary.worst.value}: run {visible(judged.info.id)}",
        "",
        "| endpoint | server | model | verdict |",
        "|---|---|---|---|",
    ]
    for endpoint in summary.endpoints:
        known = judged.endpoints.get(endpoint.name)
        server = f"{known.kind} {known.build}".strip() if known else "not identified"
        model = known.model if known else ""
        parts.append(f"| {code(endpoint.name)} | {code(server)} | {code(model)} | **{endpoint.word}** |")
    parts += ["", fence(block.render(summary, report_path, decided=report.decided.lines)), ""]
    parts += _clients(judged)
    for endpoint in summary.endpoints:
        if (soak := report.soak(endpoint.name)) is not None:
            parts += soak_plain.markdown(endpoint.name, soak, code)
    for outcome in _TOLD:
        parts += _section(judged, outcome)
    parts += _hanging(judged)
    parts += _joined(judged)
    parts += parameter_tables(judged)
    return "\n".join(parts).rstrip() + "\n"


def _clients(judged: JudgedRun) -> list[str]:
    """Clients by endpoints: the word, and what keeps a client from working."""
    told = {name: verdict.clients for name, verdict in judged.verdict.endpoints.items() if verdict.clients}
    if not told:
        return []
    clients = list(dict.fromkeys(client for each in told.values() for client in each))
    parts = ["## Clients", "", f"| client | {' | '.join(map(code, told))} |", f"|---{'|---' * len(told)}|"]
    for client in clients:
        cells = [_client(each[client]) if client in each else "" for each in told.values()]
        parts.append(f"| {code(client)} | {' | '.join(cells)} |")
    return [*parts, ""]


def _client(verdict: ClientVerdict) -> str:
    said = of_clients.counted(verdict).replace(verdict.verdict, f"**{verdict.verdict}**", 1)
    why = "; ".join(of_clients.deciding(verdict))
    return f"{said}; {code(why)}" if why else said


def _section(judged: JudgedRun, outcome: Outcome) -> list[str]:
    cases = [case for case in judged.cases if case.outcome is outcome and not case.because]
    if not cases:
        return []
    parts = [f"## {outcome.value} ({len(cases)})", ""]
    if outcome not in _AT_LENGTH:
        return [*parts, *(f"- {code(case.case)}: {code(case.why or 'no reason was recorded')}" for case in cases), ""]
    for case in cases:
        endpoint = judged.endpoints.get(case.endpoint)
        told = diagnosis(case, find(case.rule), judged.exchange, endpoint, judged.info.id)
        parts += [f"### {code(case.case)}", "", fence(told), ""]
    return parts


def parameter_tables(judged: JudgedRun) -> list[str]:
    """What became of each parameter, a table for each endpoint on which they were tried."""
    parts = []
    for name, lines in judged.parameters.items():
        parts += [f"## Parameters of {code(name)}", "", f"{counted(lines)}.", ""]
        parts += [f"| {' | '.join(parameters.COLUMNS)} |", f"|{'---|' * len(parameters.COLUMNS)}"]
        for cells in parameters.rows(lines):
            parts.append(f"| {' | '.join(code(cell) if cell else '' for cell in cells)} |")
        parts.append("")
    return parts


def _hanging(judged: JudgedRun) -> list[str]:
    """The cases that only the FAIL of another keeps from being judged, by the rule of that other."""
    causes: dict[str, list[str]] = {}
    for case, because in judged.verdict.because.items():
        causes.setdefault(because, []).append(case)
    if not causes:
        return []
    parts = [f"## {BECAUSE} ({sum(map(len, causes.values()))})", ""]
    for because, cases in causes.items():
        parts.append(f"- because of {code(because)}, {count(len(cases), 'case')}: {', '.join(map(code, cases))}")
    return [*parts, ""]


def _joined(judged: JudgedRun) -> list[str]:
    """The cases that other runs asked, by run."""
    parts = []
    for run, cases in judged.verdict.joined.items():
        parts += [f"## Joined from run {code(run)} ({len(cases)})", "", ", ".join(map(code, cases)), ""]
    return parts


def code(text: str) -> str:
    """A code span that nothing in the text can leave, not even in a table."""
    flat = visible(text, 300).replace("|", "\\|") if text else " "
    ticks = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}"


def fence(text: str) -> str:
    """A fenced block that nothing in the text can leave."""
    ticks = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks}text\n{text}\n{ticks}"
