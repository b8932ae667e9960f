"""Several choices, and the log probabilities of their tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from seatrial.checks import causes, look
from seatrial.checks.areas.params.parts import ALTERNATIVES, APART, CHOICES, LOGPROBS
from seatrial.checks.areas.params.sampling import VARIES
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import channels, chat, fields
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten


@rule(row="p/13", level=Level.SHOULD, of=CHOICES, optional=True, source="OpenAPI document, n")
def n_gives_n_choices(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """n choices are given for n, numbered from 0, and usage counts them all; or the request is refused."""
    if nothing := look.unreadable(x):
        yield nothing
        return
    wanted, found = chat.wanted(x), chat.answers(x)
    if sorted(found) != list(range(wanted)):
        mixed = chat.asks_for_stream(x) and next((a for a in found.values() if len(a.finishes) > 1), None)
        ignored = "n" if len(found) == 1 and not mixed else ""  # as without it
        so = "a client that samples gets fewer answers than it pays attention to, without a word"
        got = f"{len(found)}: {sorted(found)}"
        if mixed:
            got += f", and choice {mixed.index} ends {len(mixed.finishes)} times"
            so = "answers that are told under one index are joined to one, word by word"
        expected, judges = f"{wanted}, or a 400", look.by_choices(x)
        yield violation("choices", expected=expected, got=got, so=so, grave=True, causes=judges, ignores=ignored)
        return
    cap, tokens = chat.cap(x), chat.completion_tokens(x)
    cut = all(answer.reasons == ["length"] for answer in found.values())
    if cut and cap is not None and tokens is not None and tokens < wanted * (cap - 1):
        expected = f"{wanted * cap}: {wanted} choices cut at {cap}"
        so, judges = "accounts miss what was generated", (causes.CAPPED + causes.SOME,)
        yield violation("usage.completion_tokens", expected=expected, got=tokens, so=so, causes=judges)


@rule(
    row="p/30",
    level=Level.SHOULD,
    of=APART,
    optional=True,
    source="OpenAPI document, n: how many chat completion choices to generate; tt-metal issue 53077",
)
def each_choice_is_drawn_by_itself(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Choices of one request are drawn each by itself: where requests draw other words than each other, so do choices.

    A model that is sure of its words says them twice. So the choices have to be alike in each of four requests, while
    no two requests are. Of choices that are drawn that comes about once in 2,700 times at the most, whatever the odds
    of the words are, and where the temperature is heeded never.
    """
    drawn = [said for x in xs.values() if len(said := _said(x)) > 1]
    if any(len(set(said)) > 1 for said in drawn):
        return
    if len(drawn) < ENOUGH:
        judges = (GIVEN + causes.SOME,)
        got = f"{len(drawn)} of {len(xs)}"
        yield no_evidence("choices", expected=f"{ENOUGH} answers with two choices of text", got=got, causes=judges)
    elif len({said[0] for said in drawn}) < len(drawn):
        got, judges = f"one again: {shorten(drawn[0][0], 80)}", (VARIES + causes.SOME,)
        yield no_evidence("choices", expected="answers that vary", got=got, causes=judges)
    else:
        so = "a client that votes among answers, or ranks them, has one answer, and pays for each copy"
        got = f"copies in each of {len(drawn)} answers, which differ: {shorten(drawn[0][0], 60)}"
        yield violation("choices", expected="choices that differ", got=got, so=so, grave=True, ignores="n")


def _said(x: Exchange) -> list[str]:
    """What the choices of an answer say; without those that say nothing."""
    texts = (answer.reasoning + answer.content for answer in chat.answers(x).values())
    return [text for text in texts if text.strip()]


@rule(
    row="p/14",
    level=Level.SHOULD,
    of=LOGPROBS,
    optional=True,
    source="OpenAPI document, ChatCompletionTokenLogprob",
)
def logprobs_are_given(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """logprobs lists each token with its log probability, none above 0, and the tokens make up the content; or the
    request is refused."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    for answer in chat.answers(x).values():
        where = f"choice {answer.index}, logprobs"
        if answer.logprobs:
            yield from _logprobs(where, answer)
        elif answer.content:
            got = "an empty list" if answer.has_logprobs else "none"
            so = "a client that ranks or classifies by them has nothing, without a word"
            yield violation(
                where, expected="content with a token each, or a 400", got=got, so=so, grave=True, ignores="logprobs"
            )
        else:
            yield no_evidence(where, expected="an answer with text", got="an empty one")


@rule(
    row="p/15",
    level=Level.SHOULD,
    of=ALTERNATIVES,
    optional=True,
    source="OpenAPI document, top_logprobs; ChatCompletionTokenLogprob",
)
def as_many_alternatives_as_asked(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """top_logprobs lists so many tokens at each place, the likeliest first, the chosen one among them where it is as
    likely; or the request is refused."""
    if nothing := _unlisted(x):
        if nothing.causes == UNLISTED and any(answer.content for answer in chat.answers(x).values()):
            so = "a client that ranks or classifies by them has nothing, without a word"
            yield violation(
                "logprobs", expected="a list, or a 400", got="none", so=so, grave=True, causes=UNLISTED, ignores=TOP
            )
        else:
            yield nothing
        return
    wanted = fields.integer(fields.mapping(x.request_json).get("top_logprobs")) or 0
    for where, entry in _entries(x):
        listed = [fields.mapping(each) for each in fields.listing(entry.get("top_logprobs"))]
        if not listed:
            so = "a client that ranks or classifies by them has nothing, without a word"
            yield violation(where, expected=f"{wanted}, or a 400", got="none", so=so, grave=True, ignores=TOP)
            return
        given = [each.get("logprob") for each in listed]
        values = [value for value in given if _is_log_probability(value)]
        if len(listed) != wanted:
            yield violation(
                where, expected=f"{wanted} tokens", got=len(listed), so="a client reads others than it asked for"
            )
            return
        if values != given or values != sorted(values, reverse=True):
            yield violation(where, expected="log probabilities, the highest first", got=given)
            return
        chosen = entry.get("logprob")
        likely = _is_log_probability(chosen) and chosen > values[-1]
        if likely and entry.get("token") not in [each.get("token") for each in listed]:
            so = "a client that looks the token up among them does not find it"
            expected, got = f"{entry.get('token')!r} among them", [each.get("token") for each in listed]
            judges = () if entry.get("token") else UNLISTED  # a token without its text is that rule's finding
            yield violation(where, expected=expected, got=got, so=so, causes=judges)
            return


@rule(row="p/17", level=Level.MAY, of=ALTERNATIVES, optional=True, source="OpenAPI document, logprob: of each token")
def probabilities_are_probabilities(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The probabilities listed at one place add up to one at most, and a greedy answer takes the likeliest token."""
    if nothing := _unlisted(x):
        yield nothing
        return
    greedy = fields.mapping(x.request_json).get("temperature") == 0
    for where, entry in _entries(x):
        listed = [fields.mapping(each) for each in fields.listing(entry.get("top_logprobs"))]
        values = [value for each in listed if _is_log_probability(value := each.get("logprob"))]
        if not values:
            got, judge = "none", ("params/as-many-alternatives-as-asked",)
            yield no_evidence(where, expected="log probabilities", got=got, causes=judge)
            return
        summed = sum(map(math.exp, values))
        if summed > 1 + ROUNDED:
            so = "a client that weighs answers by them weighs them wrongly"
            yield violation(where, expected="probabilities that add up to 1 at most", got=f"{summed:.4f}", so=so)
            return
        chosen = entry.get("logprob")
        if greedy and _is_log_probability(chosen) and max(values) > chosen + ROUNDED:
            got = f"{entry.get('token')!r} at {chosen}, beside {max(values)}"
            yield violation(where, expected="the likeliest token, at temperature 0", got=got)
            return


ENOUGH = 4
"""Requests that have to agree: of k words that are as likely as each other, two choices are alike in all four, and the
four differ, once in 2,700 times at the most (k = 4)."""

GIVEN = "params/n-gives-n-choices"
TOP = "top_logprobs"
UNLISTED = ("params/logprobs-are-given",)
ROUNDED = 0.01
"""What printed numbers may be off by."""


def _unlisted(x: Exchange) -> Finding | None:
    """Why there is nothing to hold against what was asked for; that there are log probabilities is judged by p/14."""
    if nothing := look.unanswered(x):
        return nothing
    if any(True for _ in _entries(x)):
        return None
    return no_evidence("logprobs", expected="a list of tokens", got="none", causes=UNLISTED)


def _entries(x: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    for answer in chat.answers(x).values():
        for position, entry in enumerate(answer.logprobs):
            yield f"choice {answer.index}, logprobs.content[{position}].top_logprobs", fields.mapping(entry)


def _logprobs(where: str, answer: chat.Answer) -> Iterator[Finding]:
    for position, entry in enumerate(answer.logprobs):
        token, value = fields.mapping(entry).get("token"), fields.mapping(entry).get("logprob")
        if not isinstance(token, str):
            yield violation(f"{where}.content[{position}].token", expected="text", got=token)
            return
        if not _is_log_probability(value):
            yield violation(f"{where}.content[{position}].logprob", expected="a number, 0 at most", got=value)
            return
    joined = _joined(answer.logprobs)
    if answer.content.encode() not in joined:
        got = joined.decode("utf-8", "replace")
        so = "probabilities belong to other text than the client reads"
        yield violation(f"{where}, tokens joined", expected=answer.content, got=got, so=so)


def _is_log_probability(value: Any) -> TypeGuard[float]:
    """A number, not a boolean, not NaN; a rounding error above 0 is let pass."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value) and value <= 1e-6


def _joined(entries: list[Any]) -> bytes:
    """The tokens one after the other; by their bytes, where a token is part of a character."""
    joined = b""
    for entry in entries:
        text = channels.spelled(entry)
        joined += text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    return joined
