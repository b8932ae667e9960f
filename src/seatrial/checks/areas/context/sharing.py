"""What requests share of a context's memory: a turn has what the one before it left, and a crowd does no harm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look
from seatrial.checks.answering import refused, silent
from seatrial.checks.areas.context.parts import CROWD, TURNS, told_reused
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat
from seatrial.records import BUSY, Exchange, Expect, Finding, Level


@rule(
    row="ctx/8",
    level=Level.MAY,
    of=TURNS,
    source="OpenAPI document, cached_tokens; llama.cpp: timings.cache_n, --cache-prompt",
    figures=lambda xs, _expect: {n: f"{told_reused(x)} of {chat.prompt_tokens(x)} tokens known" for n, x in xs.items()},
)
def second_turn_reuses_its_prefix(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Of a prompt that begins with the one before it, at least half of that one is not worked on again."""
    if not {"first", "second"} <= xs.keys():
        yield no_evidence("the recording", expected="two turns", got=", ".join(xs))
        return
    before, whole = (chat.prompt_tokens(xs[name]) for name in ("first", "second"))
    told = told_reused(xs["second"])
    where = "second: tokens known from the first turn"
    if before is None or whole is None:
        judges = (causes.USAGE + causes.SOME,)
        yield no_evidence("usage.prompt_tokens", expected="a count", got=None, about="second", causes=judges)
    elif told is None:
        expected = "usage.prompt_tokens_details.cached_tokens, or timings.cache_n"
        yield refusal(where, expected=expected, got="neither", optional=True)
    elif not 0 <= told <= whole:
        so = "savings are counted that there are none of"
        expected, by = f"0 to {whole}, all of the prompt", (*causes.PROMPTS, *causes.ROLES)
        yield violation(where, expected=expected, got=told, so=so, about="second", causes=by)
    elif told < before // 2:
        so = "each turn of a conversation waits for all turns before it to be read again"
        yield violation(where, expected=f"at least {before // 2} of {before}", got=told, so=so, about="second")


@rule(
    row="ctx/9",
    level=Level.MUST,
    of=CROWD,
    answer=False,
    sampled=True,
    source="llama.cpp 23652, unsloth PR 9392: one request too many ends all",
)
def each_request_of_a_crowd_has_its_answer(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """With all slots full, each request is answered to its end, or refused by itself: with a 4xx, or a 503."""
    answered = 0
    for name, x in xs.items():
        if not x.error and (x.status in BUSY or look.is_refusal(x)):
            continue
        if found := silent(x) or refused(x):
            so = "one user's request costs the others theirs"
            where = f"{name}: {found.where}, {len(xs)} requests at a time"
            expected = "an answer of its own, or a refusal"
            yield violation(where, expected=expected, got=found.got, so=so, grave=found.grave, about=name)
            return
        answered += 1
    if not answered:
        got = ", ".join(f"{x.status}" for x in xs.values()) or "none"
        yield no_evidence("the answers", expected="at least one", got=got)
