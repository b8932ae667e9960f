"""The thin rows below two lanes: a server's child processes, and what its upper rungs answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from seatrial.records import SECOND, Ask, Sample
from seatrial.report.timeline.spans import Span, Window, runs
from seatrial.text import visible

ROWS = 2
RUNGS = ("scheduler", "canary")
SILENCE_NS = 15 * SECOND
"""Answers so far apart are of one stretch: a canary is asked every ten seconds."""
WAITING_NS = SECOND
"""A question under way for so long is shown as waiting."""


def children(samples: Sequence[Sample], window: Window) -> list[Span]:
    """Each child process, in turn in one of the two rows and of the two tones: a successor stands out."""
    lives: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.parent is not None:
            lives[sample.incarnation].append(sample)
    spans = []
    for number, life in enumerate(lives.values()):
        cut = window.cut(life[0].t, life[-1].t)
        if cut:
            tone, text = ("first", "second")[number % 2], f"child pid {life[0].pid} of {life[0].parent}"
            spans.append(Span(*cut, tone, text, number % ROWS + 1))
    return spans


def asked(asks: Sequence[Ask], window: Window) -> tuple[list[Span], tuple[str, ...]]:
    """What the scheduler and the canary answered, a row each, and what the rows are; nothing where none was asked."""
    if not asks:
        return [], ()
    spans = []
    for row, rung in enumerate(RUNGS, start=1):
        mine = [ask for ask in asks if ask.rung == rung]
        why = next((ask.skipped for ask in reversed(mine) if ask.skipped), "")
        texts = {"good": f"{rung} answers", "odd": f"{rung} asked, no answer yet", "bad": f"{rung}: no right answer",
                 "blind": f"{rung} not asked: {visible(why, 80)}"}  # fmt: skip
        spans += runs([(ask.t, _tone(ask)) for ask in mine], window, texts, silence=SILENCE_NS, row=row)
    return spans, RUNGS


def _tone(ask: Ask) -> str:
    if ask.skipped:
        return "blind"
    if not ask.ended_at:
        return "odd" if ask.t - ask.asked_at >= WAITING_NS and not ask.first_at else "good" if ask.first_at else ""
    return "good" if ask.outcome == "ok" and ask.right is not False else "bad"
