"""What is wrong with a case, in the words of somebody who has to mend the server."""

from __future__ import annotations

from shlex import quote

from seatrial.checks.rules import Rule
from seatrial.records import SECOND, Endpoint, Exchange, Finding, Judged
from seatrial.report.words import curl
from seatrial.report.words.plain import count, duration, size
from seatrial.text import visible

_SUITES = {"conformance": "suites/conformance", "behaviour": "suites/behaviour", "soak": "suites/soak"}
_FINDINGS_SHOWN = 5
_BODY_SHOWN = 400


def diagnosis(
    judged: Judged, rule: Rule | None, exchange: Exchange | None, endpoint: Endpoint | None, run: str = "latest"
) -> str:
    """The text under a case that did not pass.

    Args:
        judged: the case.
        rule: its rule; None where this version does not know it.
        exchange: the one to show; None for a soak, and where nothing was recorded.
        endpoint: who answered; None where its identity was never found.
        run: the name of the run, for the command that shows the exchange.
    """
    rows = [*_requirement(judged, rule), *_found(judged)]
    if judged.known:
        rows.append(("known", visible(judged.known)))
    if judged.waiver:
        rows.append(("waived", visible(judged.waiver)))
    rows.extend((visible(name), visible(text)) for name, text in judged.figures.items())
    if exchange is not None and endpoint is not None:
        rows.append(("sent", curl.command(exchange, endpoint, _BODY_SHOWN)))
    if exchange is not None:
        rows.append(("got", f"{answer(exchange)}        seatrial show {quote(run)} {exchange.id}"))
    rows.append(("again", again(judged, endpoint)))
    return "\n".join(f"{name:<6} {text}" for name, text in rows)


def shown(judged: Judged) -> str:
    """The id of the exchange a finding is about: the one it names, else the scenario's last; empty where none is."""
    for finding in judged.findings:
        name = finding.where.partition(":")[0]
        if name in judged.exchanges:
            return judged.exchanges[name]
    return list(judged.exchanges.values())[-1] if judged.exchanges else ""


def answer(exchange: Exchange) -> str:
    """An answer in half a line: status, media type, length, how and when it ended."""
    after = f"after {duration(max(exchange.ended_at - exchange.sent_at, 0) / SECOND)}"
    if exchange.status is None:
        return visible(f"no answer ({exchange.detail or exchange.error or 'nothing came'}) {after}", 200)
    head = f"{exchange.status} {visible(exchange.content_type, 60) or 'without a content type'}"
    if exchange.is_stream:
        chunks = [chunk for chunk in exchange.chunks if not chunk.done]
        end = "[DONE]" if len(chunks) < len(exchange.chunks) else "no [DONE], ended"
        body = f"{count(len(chunks), 'chunk')}, {end} {after}"
    else:
        body = f"{size(len(exchange.body))} {after}"
    return f"{head}, {body}" + (f", {visible(exchange.error)}" if exchange.error else "")


def again(judged: Judged, endpoint: Endpoint | None) -> str:
    """The command that runs this case alone."""
    name = judged.case.rpartition("@")[0] or judged.case
    parts = ["pytest", _SUITES.get(judged.suite, "suites"), "--case", curl.word(name)]
    if endpoint is not None and not endpoint.embedded:
        base = endpoint.url.removesuffix("/v1")
        parts.append("--endpoint=" + quote(f"{endpoint.name}={base}"))
        if len(endpoint.models) > 1:
            parts.append("--model=" + curl.word(endpoint.model))
    return " ".join(parts)


def _requirement(judged: Judged, rule: Rule | None) -> list[tuple[str, str]]:
    if rule is None:
        return [(judged.level or "RULE", f"{visible(judged.rule)} is not a rule of this version")]
    return [(str(rule.level), rule.text), ("", f"source: {rule.source}; row {rule.row}")]


def _found(judged: Judged) -> list[tuple[str, str]]:
    if not judged.findings:
        return [("found", visible(judged.why) or "nothing")]
    rows: list[tuple[str, str]] = []
    consequences = dict.fromkeys(f.consequence for f in judged.findings if f.consequence)
    for finding in judged.findings[:_FINDINGS_SHOWN]:
        rows.append(("found" if not rows else "", one(finding)))
    if len(judged.findings) > _FINDINGS_SHOWN:
        rows.append(("", f"and {len(judged.findings) - _FINDINGS_SHOWN} more"))
    rows.extend(("so", visible(text)) for text in consequences)
    return rows


def one(finding: Finding) -> str:
    """One finding in one line."""
    expected = f"; expected {visible(finding.expected)}" if finding.expected else ""
    return f"{visible(finding.where)}: {visible(finding.got, 400)}{expected}"
