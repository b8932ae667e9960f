"""A beside B: the scorecard of probes with their plots, the speeds, the claims, and what each endpoint is."""

from __future__ import annotations

from html import escape

from seatrial.checks.rules import REGISTRY
from seatrial.comparing.decision import WORSE_ALONE, broken, points, span
from seatrial.comparing.margins import FALSE_SHARE
from seatrial.records import ClaimWord, Compared, Decision, LosslessWord, OddsDrift, OddsWord, Party, Standing
from seatrial.report.decision import forest
from seatrial.text import visible

_TONES = {
    Standing.BETTER: "w-good", Standing.HOLDS: "w-good", Standing.WORSE: "w-bad", Standing.OPEN: "",
    ClaimWord.CONFIRMED: "w-good", ClaimWord.REFUTED: "w-bad", ClaimWord.UNRESOLVED: "",
    LosslessWord.SAME: "w-good", LosslessWord.LOSSY: "w-bad", LosslessWord.OPEN: "",
}  # fmt: skip
FLIPS = 12


def text(value: str, limit: int | None = None) -> str:
    """Any text as HTML that shows it."""
    return escape(visible(value, limit))


def commanded(value: str) -> str:
    """The same, a command at its end set off, and no option of it broken in two."""
    prose, word, options = value.partition("pytest suites/")
    if not word:
        return text(value, 600)
    words = " ".join(f"<span>{text(each, 300)}</span>" for each in (word + options).split())
    return f"{text(prose, 600)}<code class='command'>{words}</code>"


def held(case: str) -> str:
    """The sentence that a rule or a case of it holds a server to; nothing where the rule is not known here."""
    rule = REGISTRY.get(case.partition("[")[0])
    return f"<br><span class='soft'>{text(rule.text, 300)}</span>" if rule else ""


def section(each: Decision) -> str:
    """Every probe of both, those that block first, then the speed."""
    old, new = text(each.incumbent.name, 60), text(each.candidate.name, 60)
    key = f"&#9675; {old}, the incumbent &nbsp; &#9679; {new}, the candidate"
    plots = "The second plot holds the candidate less the incumbent, in points; shaded is worse than the margin allows"
    owed = ", dashed where answers that it owes could carry it" if any(row.silent for row in each.probes) else ""
    head = f"<section><h2>Scorecard</h2><p class='soft'>{key}<br>{plots}{owed}.</p>"
    if not each.probes:
        return f"{head}<p>No probe has an answer of both to the same question.</p>{_speed(each)}</section>"
    alone = broken(each.blockers)
    rows = "".join(_probe(row, broken_alone=row.probe in alone) for row in each.probes)
    return f"{head}{rows}{_speed(each)}{_odds(each)}</section>"


def _probe(row: Compared, *, broken_alone: bool) -> str:
    word = f'<span class="word {_TONES[row.standing]}">{row.standing}</span>'
    said = (("blocks", row.blocks), ("differs", row.q <= FALSE_SHARE), ("the candidate fails by itself", broken_alone))
    marks = ", ".join(mark for mark, holds in said if holds)
    name = f"<div><b>{text(row.probe)}</b><br>{word} <span class='soft'>{marks}</span>{held(row.probe)}</div>"
    left = (
        f"<div class='figure'>{forest.rates(row)}&#9675; {row.incumbent.good} of {row.n} &nbsp; &#9679; "
        f"{row.candidate.good} of {row.n} good</div>"
    )
    families = ", by whole families" if row.by_family else ""
    right = f"<div class='figure'>{forest.difference(row)}{points(row.difference)} ({span(row)}{families})</div>"
    return f"<div class='probe'>{name}{left}{right}<div>{_flips(row)}</div></div>"


def _flips(row: Compared) -> str:
    """How often the two part, either way; and what makes no pair."""
    told = f"{row.lost} lost, {row.gained} gained, {row.both + row.neither} alike"
    if row.self_flips is not None:
        told += f"; the incumbent against itself flips {row.self_flips[0]} of {row.self_flips[1]}"
    told += (
        f"; McNemar's p of no difference {_chance(row.p)}; {row.n} questions cannot show less than "
        f"{100 * row.smallest:.1f} points"
    )
    if row.standing is Standing.OPEN and row.high < -row.margin:
        told += f"; {WORSE_ALONE}"
    beside = "".join(f"; {number} without a pair: {escape(why)}" for why, number in row.beside.items())
    listed = "".join(
        f"<li>{'lost' if flip.lost else 'gained'} <b>{text(flip.item, 60)}</b> "
        f"{text(flip.why, 200)} <span class='soft'>{text(flip.incumbent, 40)} "
        f"{text(flip.candidate, 40)}</span></li>"
        for flip in row.flips[:FLIPS]
    )
    if not listed:
        return f"<p class='note'>{told}{beside}</p>"
    rest = len(row.flips) - FLIPS
    more = f"<li>and {rest} more, in the JSON beside this page</li>" if rest > 0 else ""
    inside = f"<summary>{told}</summary><ul class='plain'>{listed}{more}</ul>"
    return f"<details>{inside}</details><p class='note'>{beside[2:]}</p>"


def _chance(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "&lt; 0.001"


def _speed(each: Decision) -> str:
    told = each.speed
    if told is None:
        return ""
    load = "the same questions in turn, at one load" if told.same_load else "not at the same time: no ratio to rely on"
    both = f"&#9675; {told.incumbent:.1f} tok/s &nbsp; &#9679; {told.candidate:.1f} tok/s"
    ratio = f"{told.ratio:.2f} times (95 %: {told.low:.2f} to {told.high:.2f}) over {told.n} answers; {load}"
    name = "<div><b>speed of one stream</b><br><span class='soft'>beside the others of its load</span></div>"
    figures = f"<div class='figure'>{both}</div><div class='figure'>{forest.speed(told)}{ratio}</div>"
    return f"<div class='probe'>{name}{figures}</div>"


def _odds(each: Decision) -> str:
    told = each.odds
    if told is None:
        return ""
    tone = {OddsWord.KEPT: "w-good", OddsWord.DAMAGED: "w-bad"}.get(told.word, "")
    head = f'<div><b>odds of the first token</b><br><span class="word {tone}">{told.word}</span></div>'
    return f"<div class='probe'>{head}<div class='figure'>{escape(odds_told(told))}</div></div>"


def odds_told(told: OddsDrift) -> str:
    """How far the odds of two endpoints are apart, in words."""
    said = f"of one tokenizer alone: {told.n} prompts, likeliest token the same in {told.same} "
    said += f"(95 %: {100 * told.same_low:.0f} to {100 * told.same_high:.0f} %)"
    if told.nats_high is not None:
        said += f"; at least {told.nats:.4f} nats apart on average (95 %: {told.nats_low:.4f} to {told.nats_high:.4f})"
    if told.chance is not None:
        mine, its = told.again
        said += f"; one prompt {mine} and {its} times: one model comes so far apart with p {told.chance:.4f}"
    return said


def claims(each: Decision) -> str:
    """What somebody said, and what became of it."""
    if not each.claims:
        return ""
    rows = "".join(
        f'<li><span class="word {_TONES[claim.word]}">{claim.word}</span> <b>{text(claim.says, 200)}</b>'
        f"{' (must hold)' if claim.must else ''}: {escape(claim.measured)}"
        f"{f'; would resolve it: {escape(claim.resolve)}' if claim.resolve else ''}"
        f" <span class='soft'>{text(claim.source, 160)}</span></li>"
        for claim in each.claims
    )
    return f"<section><h2>Claims</h2><ul class='plain'>{rows}</ul></section>"


def lossless(each: Decision) -> str:
    """Whether the candidate is the incumbent made faster, with the first place where the two part."""
    told = each.same
    if told is None:
        return ""
    word = f'<span class="word {_TONES[told.word]}">{told.word}</span>'
    rows = [f"{word} {text(told.why, 400)}"]
    if (first := told.first) is not None:
        runs = (each.incumbent.run, each.candidate.run)
        shows = [f"seatrial show {text(run, 80)} {text(x, 40)}" for run, x in zip(runs, first.exchanges, strict=True)]
        gap = "how far ahead is not told" if first.ahead is None else f"{first.ahead:.3f} ahead of the next likely one"
        near = (
            f", a near tie (at most {told.tie:g})" if first.ahead is not None and abs(first.ahead) <= told.tie else ""
        )
        rows.append(
            f"first difference, {text(first.question)}: after {first.alike} characters alike, "
            f"<code>...{text(first.before)}</code>, the incumbent says <code>{text(repr(first.incumbent))}</code> "
            f"({gap}{near}), "
            f"the candidate <code>{text(repr(first.candidate))}</code> "
            f"<span class='soft'>{'; '.join(shows)}</span>"
        )
    rows += [
        f"{text(name, 60)}: {taken} of {drafted} drafted tokens taken ({100 * taken / drafted:.0f} %)"
        for name, (drafted, taken) in told.drafts.items()
    ]
    if told.silent:
        rows.append(f"{told.silent} questions without an answer of both")
    if told.cached:
        rows.append(f"no request is known that switches the prompt cache of {text(', '.join(told.cached), 120)} off")
    listed = "".join(f"<li>{row}</li>" for row in rows)
    return f"<section><h2>Is it the same, made faster?</h2><ul class='plain'>{listed}</ul></section>"


def identity(each: Decision) -> str:
    """What each endpoint is, side by side, and what is known of its model."""
    old, new = each.incumbent, each.candidate
    rows = []
    mine, its = ({"url": party.url, "model": party.model, **party.told} for party in (old, new))
    for label in dict.fromkeys([*mine, *its]):
        before, now = mine.get(label) or "not told", its.get(label) or "not told"
        differs = " class='differs'" if before != now else ""
        cells = f"<td data-of='incumbent'>{text(before, 240)}</td><td data-of='candidate'>{text(now, 240)}</td>"
        rows.append(f"<tr{differs}><th>{text(label, 60)}</th>{cells}</tr>")
    names = "".join(f"<th>{text(party.name, 60)}: {party.verdict}</th>" for party in (old, new))
    table = f"<table class='wide'><thead><tr><th></th>{names}</tr></thead>{''.join(rows)}</table>"
    return f"<section><h2>Who they are</h2>{table}<div class='two'>{_known(old)}{_known(new)}</div></section>"


def _known(party: Party) -> str:
    if not party.known:
        return f"<div><h3>{text(party.name, 60)}</h3><p class='note'>nothing is on file of its model</p></div>"
    rows = "".join(f"<li>{text(line, 500)}</li>" for line in party.known)
    return f"<div><h3>Known of {text(party.name, 60)}'s model</h3><ul class='plain note'>{rows}</ul></div>"
