"""The decision for a terminal, and the two files that hold it whole."""

from __future__ import annotations

from pathlib import Path

import msgspec

from seatrial.comparing.decision import points, span
from seatrial.records import Decision, Decisions, Lossless
from seatrial.report.decision import page
from seatrial.report.decision.score import odds_told
from seatrial.report.words.plain import count, hang
from seatrial.run.writer import write_atomically
from seatrial.text import harmless, visible

WIDTH = 120
PAGE, DATA = "decision.html", "decision.json"


def render(told: Decisions, width: int = WIDTH) -> str:
    """Every decision as lines of text."""
    lines: list[str] = []
    for each in told.decisions:
        lines += _decision(each, width)
    for notice in told.notices:
        lines += hang("  notice        ", notice, width)
    return harmless("\n".join(lines))


def head(each: Decision) -> str:
    """``B CUT OVER in place of A``, the word with its names."""
    return f"{visible(each.candidate.name)} {each.cut} in place of {visible(each.incumbent.name)}"


def write(told: Decisions, folder: Path) -> Path:
    """Write the page and the JSON; the path of the page.

    Raises:
        RunDirError: nothing can be written there.
    """
    write_atomically(folder / DATA, msgspec.json.format(msgspec.json.encode(told)))
    write_atomically(folder / PAGE, page.render(told).encode("utf-8", "backslashreplace"))
    return folder / PAGE


def _parted(told: Lossless) -> str:
    """What ``--same`` came to, and where the two part first."""
    drafts = "".join(
        f"; {name} takes {taken} of {drafted} drafted tokens" for name, (drafted, taken) in told.drafts.items()
    )
    if (first := told.first) is None:
        return f"{told.why}{drafts}"
    gap = "" if first.ahead is None else f", {first.ahead:.3f} ahead of its next"
    return (
        f"{told.why}; first in {first.question}, after {first.alike} characters: {first.incumbent!r}{gap}, "
        f"and {first.candidate!r}{drafts}"
    )


def _decision(each: Decision, width: int) -> list[str]:
    lines = hang(f"{each.cut}  ", visible(each.why), width)
    for reason in (*each.blockers, *each.lacking):
        named = reason.case.rpartition("@")[0] or reason.case
        lines += hang(f"  {reason.word:<13} ", visible(f"{named}   {reason.text}" if named else reason.text), width)
    for row in each.probes:
        text = (
            f"{visible(row.probe)}   {row.incumbent.good} and {row.candidate.good} of {row.n}, "
            f"{points(row.difference)} ({span(row)}); {row.lost} lost, {row.gained} gained"
        )
        lines += hang(f"  {row.standing:<13} ", text, width)
    if each.speed is not None:
        told = each.speed
        load = "" if told.same_load else ", not at the same time"
        text = f"{told.ratio:.2f} times (95 %: {told.low:.2f} to {told.high:.2f}) over {count(told.n, 'answer')}{load}"
        lines += hang("  speed         ", text, width)
    if each.odds is not None:
        lines += hang("  first token   ", f"odds {each.odds.word}; {odds_told(each.odds)}", width)
    if each.same is not None:
        lines += hang(f"  {each.same.word:<13} ", visible(_parted(each.same)), width)
    for claim in each.claims:
        needs = f"; would resolve it: {claim.resolve}" if claim.resolve else ""
        lines += hang(f"  {claim.word:<13} ", visible(f"{claim.says}: {claim.measured}{needs}"), width)
    if each.cases:
        shown = ", ".join(f"{flip.case} {flip.incumbent} -> {flip.candidate}" for flip in each.cases[:4])
        more = f" and {len(each.cases) - 4} more" if len(each.cases) > 4 else ""
        lines += hang("  rules         ", visible(f"{count(len(each.cases), 'case')} otherwise: {shown}{more}"), width)
    lines += hang("  do            ", visible(page.do(each)), width)
    return lines
