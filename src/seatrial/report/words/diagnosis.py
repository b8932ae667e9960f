"""What is wrong with a case, in the words of somebody who has to mend the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from shlex import quote

from seatrial.checks.look import SOUND
from seatrial.checks.own.word import HOLDS
from seatrial.checks.rules import Rule
from seatrial.records import OWN_SUITE, SECOND, Endpoint, Exchange, Finding, Judged
from seatrial.report.words import curl
from seatrial.report.words.plain import count, duration, size
from seatrial.text import visible

_SUITES = {"conformance": "suites/conformance", "behaviour": "suites/behaviour", "soak": "suites/soak"}
_FINDINGS_SHOWN = 5
_EXCHANGES_SHOWN = 3
_BODY_SHOWN = 400


def diagnosis(
    judged: Judged,
    rule: Rule | None,
    exchange: Callable[[str], Exchange | None],
    endpoint: Endpoint | None,
    run: str = "latest",
) -> str:
    """The text under a case that did not pass.

    Args:
        judged: the case.
        rule: its rule; None where this version does not know it.
        exchange: an exchange of the run by its id; None where nothing was recorded.
        endpoint: who answered; None where its identity was never found.
        run: the name of the run, for the command that shows an exchange.
    """
    rows = [*_requirement(judged, rule), *_found(judged)]
    if judged.known:
        rows.append(("known", visible(judged.known)))
    if judged.waiver:
        rows.append(("waived", visible(judged.waiver)))
    rows.extend((visible(name), visible(text)) for name, text in judged.figures.items())
    named = {identity: name for name, identity in judged.exchanges.items()}
    told = [x for x in map(exchange, shown(judged)) if x is not None]
    for x in told:
        which = f"{visible(named[x.id])}: " if len(told) > 1 else ""
        if endpoint is not None:
            rows.append(("sent", curl.command(x, endpoint, _BODY_SHOWN)))
        rows.append(("got", f"{which}{answer(x)}        seatrial show {quote(run)} {x.id}"))
    rows.append(("again", again(judged, endpoint)))
    return "\n".join(f"{name:<6} {text}" for name, text in rows)


def shown(judged: Judged) -> tuple[str, ...]:
    """The ids of the exchanges that the findings told of are about, the first three of them, in the order of telling.

    Where no finding names one it is the scenario's last, and of a scenario with a faulty request the faulty one: what
    comes after it is no more than a sign of life.
    """
    named = [judged.exchanges[f.about] for f in _told(judged.findings) if f.about in judged.exchanges]
    if named:
        return tuple(dict.fromkeys(named))[:_EXCHANGES_SHOWN]
    others = [identity for name, identity in judged.exchanges.items() if name not in SOUND]
    return tuple((others or list(judged.exchanges.values()))[-1:])


def _told(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are printed, what weighs first: a violation or a refusal made the outcome, if there is one."""
    return sorted(findings, key=lambda finding: finding.kind == "no-evidence")[:_FINDINGS_SHOWN]


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
    where = _SUITES.get(judged.suite, "suites")
    if judged.suite == OWN_SUITE:  # what rules read of its exchanges, they read again when it has run again
        name = f"{HOLDS.id}[{judged.scenario}]"
        where = curl.word(judged.figures.get("test", "YOUR-TESTS").partition("::")[0])
    parts = ["pytest", where, "--case", curl.word(name)]
    if endpoint is not None and not endpoint.embedded:
        base = endpoint.url.removesuffix("/v1")
        parts.append("--endpoint=" + quote(f"{endpoint.name}={base}"))
        if endpoint.models != (endpoint.model,):
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
    consequences = dict.fromkeys(f.consequence for f in _told(judged.findings) if f.consequence)
    for finding in _told(judged.findings):
        rows.append(("found" if not rows else "", one(finding)))
    if len(judged.findings) > _FINDINGS_SHOWN:
        rows.append(("", f"and {len(judged.findings) - _FINDINGS_SHOWN} more"))
    rows.extend(("so", visible(text)) for text in consequences)
    return rows


def one(finding: Finding) -> str:
    """One finding in one line."""
    expected = f"; expected {visible(finding.expected)}" if finding.expected else ""
    return f"{visible(finding.where)}: {visible(finding.seen, 600)}{expected}"
