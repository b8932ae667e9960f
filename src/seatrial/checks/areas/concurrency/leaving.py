"""Cancellation: who leaves is missed, and what he had is free for others in bounded time.

Clients leave, and then as many come as could be served when nobody else was there. Where more of them are kept waiting
than then, and those that come seconds later too, the slots of who left are still held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from seatrial.checks import crowds
from seatrial.checks.answering import refused, silent
from seatrial.checks.areas.concurrency.parts import DROPPED, LEAVES_FREE, LEAVING, OTHERWISE, UNANSWERED, rate, waves
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat
from seatrial.records import LEFT, Exchange, Expect, Finding, Level

HELD = "work for nobody keeps those waiting who are there; a user who asks again waits for himself"

WORD = {
    "leaver": "in mid-stream",
    "plain": "while an answer that is no stream was made",
    "queued": "while they waited in line",
    "prefill": "while their prompt was read",
}
"""What a client was doing when it left, by the name of its request."""


def left(xs: Mapping[str, Exchange], roles: Sequence[str]) -> dict[str, Exchange]:
    return {name: x for name, x in xs.items() if crowds.role_of(name) in roles and x.error == LEFT}


@rule(
    row="conc/6",
    level=Level.MUST,
    of=LEAVING,
    answer=False,
    sampled=True,
    source="llama.cpp 24496, 13262, 11720: work goes on for who has left; vLLM test_request_cancellation",
    figures=lambda xs, _expect: rate("one in", len(left(xs, ["leaver"]))),
)
def client_that_leaves_a_stream_frees_its_slot(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """When clients leave in mid-stream, as many others are served at once as before they came."""
    yield from _freed(xs, ["leaver"])


@rule(
    row="conc/7",
    part=("without a stream", "queued", "in prefill"),
    level=Level.SHOULD,
    of=OTHERWISE,
    answer=False,
    sampled=True,
    source="llama.cpp 13262, ik_llama 1020: an answer that is no stream is made to its end for nobody",
    figures=lambda xs, _expect: rate("one in", len(left(xs, ["plain", "queued", "prefill"]))),
)
def client_that_leaves_otherwise_frees_its_slot(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """When clients leave without a stream, in the line, or while their prompt is read, as many others are served at
    once as before they came."""
    yield from _freed(xs, ["plain", "queued", "prefill"], because=(LEAVES_FREE,))


@rule(
    row="conc/9",
    level=Level.SHOULD,
    of=DROPPED,
    answer=False,
    sampled=True,
    source="llama.cpp 11414: connections that are dropped pile up until nobody is answered",
    figures=lambda xs, _expect: {"connections dropped": str(len(left(xs, ["open", "sent"])))},
)
def dropped_connections_leave_nothing_behind(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """However many connections were opened and dropped, the next request is answered."""
    good = [(name, x) for name, x in xs.items() if crowds.role_of(name) == "good"]
    if len(good) < 2 or silent(good[0][1]) or refused(good[0][1]):
        yield no_evidence("the good request", expected="an answer before", got="none", causes=UNANSWERED)
        return
    for name, x in good[1:]:
        if found := silent(x) or refused(x):
            dropped = sum(crowds.wave_of(n) < crowds.wave_of(name) for n in left(xs, ["open", "sent"]))
            so = "a few scanners, or a client with a short time-out, and nobody is served any more"
            where = f"{name}: {found.where}, after {dropped} dropped connections"
            yield violation(where, expected="an answer, as before them", got=found.got, so=so, about=name)
            return
    if not left(xs, ["open", "sent"]):
        yield no_evidence("the connections", expected="some that were dropped", got="none")


def _freed(xs: Mapping[str, Exchange], roles: Sequence[str], because: tuple[str, ...] = ()) -> Iterator[Finding]:
    """What is wrong behind the waves in which these left."""
    by_wave = waves(xs)
    first = list(by_wave.get(1, {}).values())
    spoke = [x for x in first if crowds.first_word(x) is not None]
    if not spoke:
        expected = "streams when nobody else was there"
        yield no_evidence("before: the streams", expected=expected, got="none", causes=UNANSWERED)
        return
    judged = 0
    for number, wave in by_wave.items():
        left = {name: x for name, x in wave.items() if crowds.role_of(name) in roles}
        after = by_wave.get(number + 1)
        if not left or after is None:
            continue
        if not any(x.error == LEFT or _cut(x) for x in left.values()):
            continue
        judged += 1
        later = by_wave.get(number + 2, {})
        again = list(later.values()) if any(crowds.role_of(name) == "later" for name in later) else []
        if found := _held(left, after, again, first):
            yield violation(*found[:1], expected=found[1], got=found[2], so=HELD, about=found[3], causes=because)
            return
    if not judged:
        got = ", ".join(sorted({_came(x) for name, x in xs.items() if crowds.role_of(name) in roles})) or "none"
        expected = "clients that left before the end"
        yield no_evidence(f"{roles[0]}: the answers", expected=expected, got=got, causes=UNANSWERED)


def _held(
    left: Mapping[str, Exchange], after: Mapping[str, Exchange], again: Sequence[Exchange], first: Sequence[Exchange]
) -> tuple[str, str, str, str] | None:
    """(where, expected, got, about) where slots of who left are still held."""
    waves_of = list(after.values())
    usual, now = crowds.kept(first, first), crowds.kept(waves_of, first)
    if now <= usual:
        return None
    long = crowds.waited_long(waves_of, first)
    if not long and crowds.kept(again, first) <= usual:
        return None  # it took a while, and no more
    gone = sum(x.error == LEFT for x in left.values())
    doing = WORD.get(crowds.role_of(next(iter(left))), "early")
    name = max(after, key=lambda each: (crowds.first_word(after[each]) or after[each].ended_at) - after[each].sent_at)
    waited = ((crowds.first_word(after[name]) or after[name].ended_at) - after[name].sent_at) / 1e9
    wait = f"{now} of {len(after)} were kept waiting, the longest for {waited:.1f} s"
    got = wait if long else f"{wait}; seconds later {crowds.kept(again, first)} of {len(again)} still were"
    before = "none" if not usual else f"{usual}"
    expected = f"as before: {before} of {len(first)} kept waiting"
    return f"{name}: its first word, after {gone} clients left {doing}", expected, got, name


def _cut(x: Exchange) -> bool:
    """Whether an answer was made to its cap before its client could leave: what it had is free again."""
    return any(answer.reasons == ["length"] for answer in chat.answers(x).values())


def _came(x: Exchange) -> str:
    if x.error or x.status != 200:
        return x.error or str(x.status)
    reasons = [reason for answer in chat.answers(x).values() for reason in answer.reasons]
    return f"whole, {reasons[0]!r}" if reasons else "whole"
