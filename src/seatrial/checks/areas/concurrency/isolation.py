"""Isolation: what one client asks, and how, stays with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from seatrial.checks import causes, crowds
from seatrial.checks.answering import refused, silent
from seatrial.checks.areas.concurrency.parts import (
    APART,
    BEFORE,
    BOUND,
    MARKED,
    UNANSWERED,
    UNLIKE,
    nothing_shown,
    owned,
    rate,
    said,
    seen,
    shown,
    strangers,
    waves,
)
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import bound, chat, fields, marks
from seatrial.records import Exchange, Expect, Finding, Level

CROSSED = "one user reads what another wrote, or is answered what another asked"

OPENING = 12
"""Characters by which an answer is known: batches change late digits, and rarely that early."""

CAPS = (causes.MAX_TOKENS + causes.SOME, causes.CAPPED + causes.SOME)


@rule(
    row="conc/1",
    level=Level.MUST,
    of=MARKED,
    answer=False,
    sampled=True,
    source="mlx-lm 965, llama.rn 258: answers crossed between requests in flight",
    figures=lambda xs, _expect: seen(xs),
)
def no_answer_holds_anothers_secret(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No answer holds a word that stands in another request alone, of those that are under way at the same time."""
    for name, mark, other in strangers(xs):
        expected, got = f"nothing that {other} alone was told", f"{mark}, of {other}"
        yield violation(f"{name}: the answer", expected=expected, got=got, so=CROSSED, about=name)
        return
    if not shown(xs):
        yield nothing_shown(xs)


@rule(
    row="conc/2",
    part=("after a client left", "over a shared prefix", "in a second turn, after a pause"),
    level=Level.MUST,
    of=BEFORE,
    answer=False,
    sampled=True,
    source="llama.cpp 27148: a prompt cache hands out another conversation; ATLAS 87",
    figures=lambda xs, _expect: seen(xs),
)
def no_answer_holds_what_came_before_it(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No answer holds a word of an earlier request that is not its own: of who left, of one with the same beginning, or
    of one that had the slot before."""
    for name, mark, other in strangers(xs):
        ago = crowds.wave_of(name) - crowds.wave_of(other)
        when = f"sent {ago} waves before" if ago else "sent at the same time"
        expected, got = f"nothing that {other} alone was told", f"{mark}, of {other}, {when}"
        judge = (APART + causes.SOME,)
        yield violation(f"{name}: the answer", expected=expected, got=got, so=CROSSED, about=name, causes=judge)
        return
    behind = {name: x for name, x in xs.items() if crowds.wave_of(name) > 1}
    if not shown(behind):
        yield nothing_shown(behind)


@rule(
    row="conc/3",
    level=Level.MUST,
    of=BOUND,
    answer=False,
    sampled=True,
    source="vLLM 4070: the grammar of one request binds another",
    figures=lambda xs, _expect: rate("one crossed in", len(shown(xs))),
)
def schemas_stay_with_their_request(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Beside others an answer is bound to its own schema, and one without a schema is bound to none."""
    own = owned(xs)
    for name, mark, other in strangers(xs):
        what = "the schema of another" if own[name] else "a schema, and was given none"
        so = "a program reads fields that it never asked for" if own[name] else "talk comes as JSON that nobody wants"
        expected = "its own schema" if own[name] else "no schema"
        judge = (APART + causes.SOME,)
        got = f"{mark}, which stands in the schema of {other} alone: bound to {what}"
        yield violation(f"{name}: the answer", expected=expected, got=got, so=so, about=name, causes=judge)
        return
    for name, x in xs.items():
        if own[name] and not (silent(x) or refused(x)) and not _is_bound(x):
            so = "a program that parses the answer fails, and only when others are there"
            got = next(iter(chat.answers(x).values())).content if chat.answers(x) else "no choice"
            judges = (*causes.BOUND, APART + causes.SOME)
            expected = "an object of its own schema, as beside nobody"
            yield violation(f"{name}: content", expected=expected, got=got, so=so, about=name, causes=judges)
            return
    if not shown(xs):
        yield nothing_shown(xs)


@rule(
    row="conc/4",
    part=("caps", "greed"),
    level=Level.MAY,
    of=UNLIKE,
    answer=False,
    sampled=True,
    source="vLLM 23138, 51187: greedy answers change beside others",
)
def sampling_stays_with_its_request(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Beside others of other settings an answer keeps its own cap, and a greedy one begins as it does alone."""
    for name, x in xs.items():
        told, cap = chat.completion_tokens(x), chat.cap(x)
        if told is not None and cap is not None and told > cap:
            so = "whoever pays by the token pays for another's settings"
            yield violation(f"{name}: tokens", expected=f"{cap}", got=told, so=so, about=name, causes=CAPS)
            return
    by_wave = waves(xs)
    alone = [_opening(x) for number in (1, 2) for x in by_wave.get(number, {}).values()]
    beside = {n: _opening(x) for n, x in xs.items() if crowds.wave_of(n) > 2 and crowds.role_of(n) == "cold"}
    heard = {name: opening for name, opening in beside.items() if opening}
    if not heard or len(alone) < 2 or not all(alone):
        yield no_evidence("the greedy answers", expected="alone, and beside others", got="none", causes=UNANSWERED)
    elif len(set(alone)) > 1:
        got = f"{alone[0]!r} and {alone[1]!r}"
        yield refusal("greedy, alone", expected="the same answer twice", got=got, optional=True)
    elif alone[0] not in heard.values():
        name, got = next(iter(heard.items()))
        so = "what was tried alone is not what users get"
        expected = f"{alone[0]!r}, as alone, in one of {len(heard)} at least"
        yield violation(f"{name}: content", expected=expected, got=repr(got), so=so, about=name)


def _opening(x: Exchange) -> str:
    """How an answer begins; empty where there is none."""
    return said_first(x)[:OPENING]


def said_first(x: Exchange) -> str:
    """The content of the first choice."""
    return next((answer.content for answer in chat.answers(x).values()), "")


def _is_bound(x: Exchange) -> bool:
    """Whether an answer is an object with a mark of its own schema, or the beginning of one that its cap has cut."""
    wanted = marks.found(json.dumps(bound.schema(x), default=str))
    content = said_first(x)
    try:
        held = json.loads(content)
    except (ValueError, RecursionError):
        cut = any(answer.reasons == ["length"] for answer in chat.answers(x).values())
        return cut and (not content.strip() or content.lstrip().startswith("{"))
    return bool(fields.mapping(held)) and any(mark in said(x) for mark in wanted)
