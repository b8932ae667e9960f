"""Rules over a soak: every stream ends, every request is answered, and the server counted what the users received.

``expect.settings["stopped"]`` may hold intervals, ``[[from_ns, to_ns], ...]``, in which the server was down or frozen.
Rows that overlap one of them are set apart: what a stop costs is counted in the stop, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from seatrial.checks import look
from seatrial.checks.areas.soak import lasting, meanwhile, validity
from seatrial.checks.areas.soak.figures import figures
from seatrial.checks.areas.soak.parts import BEGUN, SOAK, is_no_chat, parts, why_none
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.records import SECOND, Expect, Finding, Level, LoadRow, SoakRun

CONSEQUENCE = {
    "no_terminator": "HTTP clients report success: half an answer is taken for a whole one",
    "truncated": "a client raises in the middle of an answer, or takes what it has for the whole",
    "stall": "a client waits as long as its own time-out lets it, up to hours",
    "deadline": "a client waits as long as its own time-out lets it, up to hours",
    "sse_error": "a client that looks at the status alone takes it for an answer",
    "empty": "an agent goes on with nothing",
}


@rule(row="load/1", level=Level.MUST, of=SOAK, source="OpenAPI document, stream: terminated by data: [DONE]",
      figures=figures)  # fmt: skip
def streams_terminate(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Under load, every stream that began with 200 ends with a terminator, in time and whole."""
    found = parts(run, expect)
    begun = found.judged.where(found.judged.whole("status") == 200)
    if found.slow:
        yield _slow(run, found.slow)
    if not begun:
        if not found.slow:
            yield no_evidence("the streams", expected="streams that began", got=why_none(run, expect))
        return
    broken = begun.where(begun.among("outcome", BEGUN))
    if not broken:
        yield from lasting.cut_short(run)
        yield from lasting.unsent(run)
        yield from validity.doubt(run, expect)
    for outcome, rows in _by_outcome(broken):
        yield violation(
            f"{len(rows)} of {len(begun)} streams",
            expected="an end",
            got=f"{BEGUN[outcome]} ({outcome}): {_examples(rows)}{_since(run, rows)}",
            so=CONSEQUENCE.get(outcome, "a client raises in the middle of an answer"),
            meanwhile=meanwhile.of(run, rows),
        )


@rule(row="load/2", level=Level.MUST, of=SOAK, source="OpenAPI document, createChatCompletion", figures=figures)
def requests_are_answered(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Under load, every valid request gets an answer: 200, an event stream, and words in it."""
    found = parts(run, expect)
    if not found.judged:
        yield no_evidence("the requests", expected="requests", got=why_none(run, expect))
        return
    begun = (found.judged.whole("status") == 200) & found.judged.among("outcome", BEGUN)
    unanswered = found.judged.where(~found.judged.among("outcome", {"ok"}) & ~begun)
    for outcome, rows in _by_outcome(unanswered):
        detail = next((row.detail for row in rows if row.detail), "")
        yield violation(
            f"{len(rows)} of {len(found.judged)} requests",
            expected="an answer",
            got=f"{outcome}: {_examples(rows)}{_since(run, rows)}{': ' if detail else ''}{detail}",
            so=CONSEQUENCE.get(outcome, "the user gets nothing"),
            meanwhile=meanwhile.of(run, rows),
        )
    if not unanswered:
        yield from lasting.cut_short(run)
        yield from lasting.unsent(run)
    if found.queued:
        got = f"{len(found.queued)} waited for others of ours: the server answers fewer at a time than we sent"
        yield no_evidence("the wait", expected="an answer", got=got, meanwhile=meanwhile.of(run, found.queued))
    if found.unread:
        yield _unread(run, found.unread)
    if found.busy:
        got = f"429 or 503 to {len(found.busy)} requests"
        yield no_evidence("the status", expected="an answer", got=got, meanwhile=meanwhile.of(run, found.busy))
    if not unanswered:
        yield from validity.doubt(run, expect)


@rule(row="load/5", level=Level.MUST, of=SOAK, source="OpenAPI document, model: the model used", figures=figures)
def streams_name_one_model(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Under load, streams name the model that the run's first answer named."""
    judged = parts(run, expect).judged
    sound = judged.where(judged.among("outcome", {"ok"}) & ~is_no_chat(judged))
    if judged and not sound and is_no_chat(judged).all():
        yield refusal("the streams", expected="streams", got="none was asked for: embeddings are none", optional=True)
    elif not sound:
        yield no_evidence("the streams", expected="answers that name their model", got=why_none(run, expect))
    if not sound:
        return
    said = sound.counts("named")
    first = next(iter(said))
    if len(said) > 1 or not first or set(first) != {expect.named or first[0]}:  # a night of streams says one thing
        yield from look.other_names({row.id: row.named for row in sound}, expect)


def _unread(run: SoakRun, rows: Sequence[LoadRow]) -> Finding:
    """A slot filled with a long prompt, and no token by the deadline: slow or stuck, nobody can tell."""
    longest = max(row.ended_at - row.sent_at for row in rows) / SECOND
    got = f"{len(rows)} long prompts without a token within {longest:.0f} s: a longer --request-timeout would tell"
    return no_evidence("the wait", expected="an answer", got=got, meanwhile=meanwhile.of(run, rows))


def _slow(run: SoakRun, rows: Sequence[LoadRow]) -> Finding:
    """Answers that went on, more slowly than our patience: whether they would have ended, nobody knows."""
    longest = max(row.ended_at - row.sent_at for row in rows) / SECOND
    got = f"{len(rows)} still brought tokens after {longest:.0f} s: a longer --request-timeout would tell"
    return no_evidence("the streams", expected="an end", got=got, meanwhile=meanwhile.of(run, rows))


def _by_outcome(rows: Sequence[LoadRow]) -> list[tuple[str, list[LoadRow]]]:
    ordered = sorted(rows, key=lambda row: (row.outcome, row.sent_at))
    return [(outcome, list(group)) for outcome, group in groupby(ordered, key=lambda row: row.outcome)]


def _since(run: SoakRun, rows: Sequence[LoadRow]) -> str:
    """When the first of these was sent."""
    return lasting.since(run, min(row.sent_at for row in rows))


def _examples(rows: Sequence[LoadRow], shown: int = 3) -> str:
    names = ", ".join(row.id for row in rows[:shown])
    return f"{names} ..." if len(rows) > shown else names
