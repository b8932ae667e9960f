"""The decision as one HTML file: what to do and why first, and all that it rests on below.

It loads nothing and runs nothing. Every text goes through :func:`html.escape`, whoever wrote it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from importlib.resources import files

from seatrial.comparing.decision import broken, minutes, points, shared
from seatrial.records import Decision, Decisions, Reason, Ruling
from seatrial.report.decision import score
from seatrial.report.decision.score import text

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
TONES = {Ruling.CUT_OVER: "cut", Ruling.DO_NOT: "not", Ruling.NOT_PROVEN: "open"}
SUITES = {
    "conformance": "about 5 min of a server that answers three requests a second",
    "soak": "a minute, or as long as --soak=8h says",
}
"""What a candidate must stand beside the probes, and a run may leave out; and how long each takes."""

NARROWED = ("--case", "--client", "--case and --client")
"""Why cases were left out by the operator's own choice."""

SHOWN = 40
"""Lines of a list that are shown; the JSON beside the page has all."""


def render(told: Decisions) -> str:
    """The whole page."""
    style = files("seatrial.report.decision").joinpath("decision.css").read_text(encoding="utf-8")
    words = ", ".join(f"{each.candidate.name} {each.cut}" for each in told.decisions)
    articles = "".join(_article(each, told) for each in told.decisions)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(words, 120)}</title><style>{style}</style></head><body>{articles}</body></html>\n"
    )


def do(each: Decision) -> str:
    """What is to be done, in a sentence or two."""
    old, new = each.incumbent, each.candidate
    if each.cut is Ruling.CUT_OVER:
        where = f" at {new.url}" if new.url else ""
        left = [what for what, why in new.untested if what in SUITES or why in NARROWED]
        first = f"Have {' and '.join(left)} tried too, which this run was not asked for. Then give" if left else "Give"
        kept = f"keep {old.name} until a night has passed: how to go back stands below."
        return f"{first} clients {new.name}{where}, and {kept}"
    if each.cut is Ruling.DO_NOT:
        return _do_not(each)
    if any(reason.word == "NO PAIRS" for reason in each.lacking):
        return f"Keep {old.name} until both were asked the same: {again(each)}"
    more = sum(row.more_s for row in each.probes if row.blocks)
    longer = f" with about {minutes(more)} more for each endpoint's --budget" if more else ""
    return f"Keep {old.name} until what lacks is shown: {again(each)}{longer}"


def _do_not(each: Decision) -> str:
    """What is to be done instead; what the incumbent fails as well is no reason to keep it, and is to be mended."""
    old, new = each.incumbent, each.candidate
    both = [reason for reason in each.blockers if shared(reason, old)]
    others = [reason for reason in each.blockers if reason not in both and reason.word != "LOSSY"]
    lossy = any(reason.word == "LOSSY" for reason in each.blockers)
    alike = bool(both) and not (others or lossy)
    told = [f"Keep {old.name}{', though it fails the same: to switch would mend nothing' if alike else ''}."]
    if lossy:
        told.append(
            f"{new.name} does not say what {old.name} says: take back what makes it faster (the draft, the cache's "
            "quantisation) one by one, and try again; or compare it as a candidate of its own, without --same."
        )
    if others:
        told.append(f"Mend what blocks {new.name}, and try it again: {again(each)}")
    elif both:
        told.append(f"Mend what {old.name} fails as well, and try both again: {again(each)}")
    return " ".join(told)


def again(each: Decision) -> str:
    """The command that asks both the same questions."""
    named = [(party.name, party.url.removesuffix("/v1") or "URL") for party in (each.incumbent, each.candidate)]
    same = ["--same"] if each.same is not None else []
    given = [shlex.quote(word) for word in each.candidate.narrowed]
    return " ".join(["pytest suites/behaviour", *(f"--endpoint={name}={url}" for name, url in named), *same, *given])


def _article(each: Decision, told: Decisions) -> str:
    runs = dict.fromkeys((each.incumbent.run, each.candidate.run))
    demo = " (demo)" if each.candidate.demo else ""
    parts = [
        f'<article class="{TONES[each.cut]}"><header>',
        f'<p class="brand">Seatrial decision: {text(each.candidate.name)} in place of {text(each.incumbent.name)}',
        f" &middot; {' and '.join(text(run) for run in runs)}</p>",
        f'<h1>{each.cut}{demo}</h1><p class="why">{text(each.why, 700)}</p>',
        f'<p class="do"><b>Next</b> {score.commanded(do(each))}</p></header><main>',
        _reasons("What blocks it", each.blockers, "w-bad"),
        _evidence(each),
        _reasons("What lacks", each.lacking, ""),
        _notices(told.notices),
        score.lossless(each),
        score.section(each),
        score.claims(each),
        score.identity(each),
        _cases(each),
        _untested(each),
        _list("How to go back", [score.commanded(line) for line in each.back]),
        _reckoned(told),
        "</main></article>",
    ]
    return "".join(parts)


def _reasons(title: str, reasons: Iterable[Reason], tone: str) -> str:
    rows = [
        f'<li><span class="word {tone}">{text(f"{reason.word} {reason.level}".strip())}</span> '
        f"<b>{text(reason.case.rpartition('@')[0] or reason.case, 160)}</b> {text(reason.text, 500)}"
        f"{f'; {reason.because} cases hang on it' if reason.because else ''}{score.held(reason.case)}</li>"
        for reason in reasons
    ]
    return f"<section><h2>{title}</h2><ol class='reasons'>{_cut(rows)}</ol></section>" if rows else ""


def _notices(notices: Iterable[str]) -> str:
    rows = [text(notice, 400) for notice in notices]
    return _list("Mind", rows) if rows else ""


def _evidence(each: Decision) -> str:
    if not each.evidence:
        return ""
    parts = ["<section><h2>The shortest answers behind it</h2>"]
    for number, shown in enumerate(each.evidence):
        again = f"<h3>Ask it again</h3><pre>{text(shown.curl)}</pre>" if shown.curl else ""
        parts.append(
            f"<details{' open' if not number else ''}>"
            f"<summary>{text(shown.head, 120)}: {text(shown.why, 300)}</summary>"
            f"<h3>Asked</h3><pre>{text(shown.asked)}</pre><h3>Got</h3><pre>{text(shown.got)}</pre>{again}"
            f'<p class="note">{text(shown.show)}</p></details>'
        )
    return "".join([*parts, "</section>"])


def _cases(each: Decision) -> str:
    cases = "1 case of a rule" if each.same_cases == 1 else f"{each.same_cases} cases of rules"
    head = f"<p class='soft'>{cases} came out alike on both.</p>"
    if not each.cases:
        return f"<section><h2>Rules</h2>{head}</section>"
    rows = [
        f"<tr><th>{text(flip.case, 160)} <span class='soft'>{text(flip.level)}</span></th>"
        f"<td data-of='incumbent'>{flip.incumbent}</td><td data-of='candidate'>{flip.candidate}</td>"
        f"<td>{text(flip.why, 240)}</td></tr>"
        for flip in each.cases
    ]
    heads = "<thead><tr><th>case</th><th>incumbent</th><th>candidate</th><th></th></tr></thead>"
    table = f"<table class='wide'>{heads}{_cut(rows)}</table>"
    return f"<section><h2>Rules that came out otherwise</h2>{table}{head}</section>"


def _untested(each: Decision) -> str:
    rows = [f"<b>{text(what, 160)}</b> {text(_longer(what, why), 400)}" for what, why in each.candidate.untested]
    more = [row for row in each.probes if row.more_s and row.probe not in broken(each.blockers)]
    rows += [
        f"<b>{text(row.probe)}</b> {row.n} of {row.needed} questions asked: about {minutes(row.more_s)} more"
        for row in more
    ]
    rows += [f"<b>{text(lack.case)}</b> {text(lack.text)}" for lack in each.lacking if lack.word == "NO PAIRS"]
    if not each.speed:
        rows.append("<b>speed</b> too few answers of some length on both to give a ratio")
    total = sum(row.more_s for row in more) + sum(_seconds(why) for _, why in each.candidate.untested)
    longest = f"<p class='soft'>Together about {minutes(total)} more, at the pace of this run.</p>" if total else ""
    return _list("What was not tested, and how much longer it would take", rows or ["nothing was left out"], longest)


def _longer(what: str, why: str) -> str:
    """Why something was not tested; of a suite that was left out, also what it takes."""
    takes = SUITES.get(what)
    return f"{why}: pytest suites/{what} takes {takes}" if takes else why


def _seconds(why: str) -> float:
    """How long what the budget had no room for would have taken, as the plan said it."""
    found = re.search(r"\btake about (\d{1,6}) s\b", why)
    return float(found[1]) if found else 0.0


def _reckoned(told: Decisions) -> str:
    return (
        '<section><h2>How it was reckoned</h2><p class="note">Only questions that both answered count, one by one. '
        f"The margin is {points(told.margin)[1:]}. Intervals of a difference are Tango's score intervals of pairs, "
        "95 %; where questions come of six families or more, whole families are drawn too and the wider one holds. "
        "Interval and McNemar's p are two tests: of few questions one may see what the other does not. "
        '"Worse" takes the whole interval below the margin, adjusted over all that blocks (Holm); "no worse" takes the '
        "whole of it above, also were every answer lost that the incumbent gave and the candidate did not. Differing "
        "marks hold at most a tenth of false ones (Benjamini-Hochberg on McNemar's exact test). Rates are shown with "
        "Wilson's 95 %. Answers of two servers that should be one are held against how often the incumbent differs "
        "from itself; where its token was hardly ahead of the next, a difference does not count. "
        "Where a probe ended early because it had decided, its own rate's interval is descriptive. The "
        "same figures come of the same record, on any machine: "
        "<code>seatrial compare</code>.</p></section>"
    )


def _list(title: str, rows: list[str], after: str = "") -> str:
    return (
        f"<section><h2>{title}</h2><ul class='plain'>{_cut([f'<li>{row}</li>' for row in rows])}</ul>{after}</section>"
    )


def _cut(rows: list[str]) -> str:
    more = len(rows) - SHOWN
    tag = rows[0][1:3] if rows else "li"
    cell = f"<td colspan='4'>and {more} more, in the JSON beside this page</td>" if tag == "tr" else (
        f"and {more} more, in the JSON beside this page"
    )  # fmt: skip
    return "".join(rows[:SHOWN]) + (f"<{tag}>{cell}</{tag}>" if more > 0 else "")
