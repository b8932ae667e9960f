"""The shortest answers that stand behind a decision, each with what was asked and how to ask it again."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.behaviour.answers import read
from seatrial.behaviour.transcript import shown
from seatrial.judging.run import JudgedRun
from seatrial.reading.fields import listing, mapping
from seatrial.records import Decision, Endpoint, Exchange, FailingAnswer, Judged, Reason
from seatrial.report.words.curl import command
from seatrial.report.words.diagnosis import answer
from seatrial.text import visible

MOST = 6
"""Answers shown of one candidate; the report has the others."""
EACH = 2
"""Of one blocking probe."""
ASKED, GOT, CURL = 600, 900, 6_000


def shortest(decision: Decision, judged: JudgedRun, endpoint: Endpoint | None) -> tuple[FailingAnswer, ...]:
    """The candidate's shortest failing answers: of its verdict's reasons, then of questions that the incumbent
    answers and it does not."""
    found: dict[str, FailingAnswer] = {}
    for head, why, name in [*_of_reasons(decision, judged), *_of_probes(decision, judged)]:
        x = judged.exchange(name)
        if x is not None and name not in found and len(found) < MOST:
            found[name] = _told(head, why, x, judged.info.id, endpoint)
    return tuple(found.values())


def _of_reasons(decision: Decision, judged: JudgedRun) -> Iterator[tuple[str, str, str]]:
    cases = {case.case: case for case in judged.cases}
    for reason in decision.blockers:
        case = cases.get(reason.case) or next((cases[name] for name in reason.cases if name in cases), None)
        if case is not None and (name := _exchange(case)):
            yield case.rule, _why(case, reason), name


def _of_probes(decision: Decision, judged: JudgedRun) -> Iterator[tuple[str, str, str]]:
    for row in decision.probes:
        lost = [(name, flip) for flip in row.flips if flip.lost and (name := flip.candidate)]
        sized = [(len(shown(read(x))), name, flip) for name, flip in lost if (x := judged.exchange(name)) is not None]
        for _, name, flip in sorted(sized, key=lambda each: each[:2])[:EACH]:
            yield row.probe, f"{flip.item}: {flip.why}; the incumbent answers it well", name


def _exchange(case: Judged) -> str:
    """The exchange that a failing case is about."""
    about = next((f.about for f in case.findings if f.about in case.exchanges), "")
    return case.exchanges.get(about) or next(iter(case.exchanges.values()), "")


def _why(case: Judged, reason: Reason) -> str:
    finding = next(iter(case.findings), None)
    return f"{finding.where}: {finding.seen}" if finding else reason.text


def _told(head: str, why: str, x: Exchange, run: str, endpoint: Endpoint | None) -> FailingAnswer:
    return FailingAnswer(
        head=visible(head),
        why=visible(why, 400),
        asked=_asked(x),
        got=f"{answer(x)}: {shown(read(x), GOT)}",
        curl=command(x, endpoint, CURL) if endpoint is not None else "",
        show=f"seatrial show {run} {x.id}",
    )


def _asked(x: Exchange) -> str:
    """The last message that was sent, and how many there were; the request's line where it was no chat."""
    said = [mapping(each).get("content") for each in listing(mapping(x.request_json).get("messages"))]
    texts = [text for text in said if isinstance(text, str)]
    if not texts:
        return visible(f"{x.method} {x.path}", ASKED)
    return visible(f"the last of {len(texts)} messages: {texts[-1]}" if len(texts) > 1 else texts[-1], ASKED)
