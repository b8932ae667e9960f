"""The length of the context: what is too long is refused, nothing is cut in silence, what fits is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from seatrial.checks import answering, causes, look
from seatrial.checks.answering import refused
from seatrial.checks.areas.context.parts import (
    BEYOND,
    EDGE,
    FEWEST,
    LENGTHS,
    READ,
    TRUNCATED,
    is_read_whole,
    words,
)
from seatrial.checks.findings import about, no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat
from seatrial.records import Exchange, Expect, Finding, Level

FORGOTTEN = "the beginning is gone, the system's instructions with it, and the answer looks like any other"

NAMED = re.compile(
    r"\b(?:context(?: (?:length|size|window|limit))?|n_ctx|max_model_len)[\"']?(?: is| of)?[ :=]{0,2}\(?(\d{3,8})\b"
)
"""How a refusal names the context."""


@rule(row="ctx/1", level=Level.MUST, of=BEYOND, answer=False, source="OpenAI: context_length_exceeded; llama.cpp 19774")
def prompt_beyond_the_context_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A prompt of more tokens than the context has is refused with a 4xx."""
    if is_read_whole(x):
        expected = f"a prompt that is longer than the context of {expect.context} tokens"
        got = f"{chat.prompt_tokens(x)} tokens, all of them read: the context is longer than announced"
        yield refusal("the prompt", expected=expected, got=got, optional=True)
        return
    for finding in look.not_refused(x):
        cut = x.status == 200 and not refused(x)
        so = "a client cannot tell that its prompt was not read"
        yield violation(
            finding.where,
            expected=f"a 4xx: {words(x)} words, and a context of {expect.context} tokens",
            got=finding.got,
            so=so if x.status == 200 else "",
            causes=(*finding.causes, *((TRUNCATED + causes.SOME,) if cut else ())),
        )


@rule(row="ctx/1", level=Level.MUST, of=LENGTHS, answer=False, source="llama.cpp 19774: 400 or 500, by the way it ends")
def text_of_any_length_is_answered_or_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A text of any length is answered, or refused with a 4xx."""
    if x.status != 200 and not look.is_refusal(x):
        so = "a client asks again for what can never be answered"
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        yield violation("the status", expected=f"200 or a 4xx: {words(x)} words", got=got, so=so)


@rule(
    row="ctx/2",
    level=Level.MUST,
    of=READ,
    answer=False,
    sampled=True,
    source="Open Responses, truncation: disabled fails; Ollama 4967, 14259, 17427: the front is cut with 200",
)
def nothing_is_cut_in_silence(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A prompt is read whole, or refused: usage counts tokens for all of its words, and for all that a longer one has
    more."""
    asked = look.bad(xs)
    if unheard := [about(name, found) for name, x in asked.items() if (found := answering.unheard(x))]:
        yield from unheard
        return
    counts: dict[str, int] = {}
    uncounted = (causes.USAGE + causes.SOME,)
    for name, x in asked.items():
        tokens = chat.prompt_tokens(x)
        if x.status != 200:
            continue
        if tokens is None:
            got, judges = chat.usage(x), (*uncounted, *((REFUSED + causes.SOME,) if refused(x) else ()))
            yield no_evidence("usage.prompt_tokens", expected="a count", got=got, about=name, causes=judges)
            continue
        counts[name] = tokens
        if tokens < FEWEST * words(x):
            where, so = f"{name}: usage.prompt_tokens", FORGOTTEN
            expected = f"about {words(x)} or more, a token a word, or a 4xx"
            yield violation(where, expected=expected, got=tokens, so=so, grave=True, about=name, causes=causes.PROMPTS)
            return
    yield from _growth(xs, counts)
    if not any(x.status == 200 or look.is_refusal(x) for x in asked.values()):
        got = ", ".join(f"{name}: {x.status}" for name, x in asked.items())
        judges = tuple(each + causes.SOME for each in (causes.NEVER_5XX, causes.ANSWERED, causes.FAULTY_ANSWERED))
        yield no_evidence("the answers", expected="one, or a refusal", got=got, causes=judges)


@rule(
    row="ctx/3",
    level=Level.SHOULD,
    of=EDGE,
    answer=False,
    source="OpenAI: prompt and max_tokens count against the context; vLLM: 400",
)
def cap_beyond_the_context_is_refused_or_met(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A cap that the context has no room for is refused with a 4xx, or the answer ends with the context at the latest,
    and then says "length"."""
    if nothing := _unknown(xs):
        yield nothing
        return
    x = xs.get("over")
    if x is None:
        yield no_evidence("the recording", expected="a cap beyond the context", got=", ".join(xs))
    elif x.status != 200 and not look.is_refusal(x):
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        so = "a client that asks for all it may have takes it for the server's fault, and asks again"
        judges = look.by_parameters(x)
        yield violation("over: the status", expected="200 or a 4xx", got=got, so=so, about="over", causes=judges)
    elif x.status == 200:
        yield from _ended(x, expect)


@rule(row="ctx/4", level=Level.SHOULD, of=EDGE, answer=False, source="OpenAI: the context holds prompt and answer")
def the_exact_limit_works(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A cap of just what the context has left beside the prompt is accepted, and one of a token less."""
    if nothing := _unknown(xs):
        yield nothing
        return
    for name in ("one-less", "fits"):
        if name in xs and (found := refused(xs[name])):
            so = "a client that fills the context as it was told of it is turned away"
            expected = f"an answer: prompt and cap make {expect.context} tokens at most, as announced"
            where, judges = f"{name}: the status", look.by_parameters(xs[name])
            yield violation(where, expected=expected, got=found.got, so=so, about=name, causes=judges)
            return


@rule(row="ctx/5", level=Level.MAY, of=BEYOND, answer=False, source="llama.cpp 23652, lemonade 3276: context and slots")
def context_is_as_long_as_announced(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The context is as long as the server's pages say: no longer prompt is read, and a refusal names that length."""
    where, expected = "the context", f"{expect.context} tokens, as announced"
    so = "a client that plans by it sends too much, or leaves some of it unused"
    if is_read_whole(x):
        yield violation(where, expected=expected, got=f"{chat.prompt_tokens(x)} tokens were read", so=so)
        return
    if not look.is_refusal(x):
        judges = tuple(each + causes.SOME for each in (TRUNCATED, causes.NEVER_5XX, REFUSED))
        yield no_evidence(where, expected="a refusal, or a longer prompt read", got=x.status, causes=judges)
        return
    said = re.sub(r"(?<=\d)[,_](?=\d{3}\b)", "", x.body[:4000].decode("utf-8", "replace"))
    told = [int(n) for n in NAMED.findall(said)]
    if told and not re.search(rf"\b{expect.context}\b", said):
        yield violation(where, expected=expected, got=f"{told[0]} in the refusal", so=so)


REFUSED = prompt_beyond_the_context_is_refused.id


def _growth(xs: Mapping[str, Exchange], counts: Mapping[str, int]) -> Iterator[Finding]:
    """A finding where a longer text does not cost as many more tokens as it has more words."""
    for less, more in pairwise(sorted(counts, key=lambda name: words(xs[name]))):
        longer, grown = words(xs[more]) - words(xs[less]), counts[more] - counts[less]
        if grown < FEWEST * longer:
            where, judges = f"{more}: usage.prompt_tokens", causes.PROMPTS
            expected = f"about {longer} more than for {less}, or more than that: a token a word"
            yield violation(
                where, expected=expected, got=f"{grown} more", so=FORGOTTEN, grave=True, about=more, causes=judges
            )
            return


def _unknown(xs: Mapping[str, Exchange]) -> Finding | None:
    """Why it is not known how long the prompt is, or None."""
    name = next((name for name in ("full", "short") if name in xs), "")
    if name == "full" and any(look.is_refusal(xs[each]) for each in ("full", "short") if each in xs):
        expected = "a prompt that nearly fills the context"
        return refusal("full", expected=expected, got="its words are more tokens than there is room for", optional=True)
    if name and not refused(xs[name]) and chat.prompt_tokens(xs[name]) is not None:
        return None
    judges = (causes.ANSWERED + causes.SOME, causes.USAGE + causes.SOME)
    return no_evidence(name, expected="an answer that counts its prompt", got="none", about=name, causes=judges)


def _ended(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """What is wrong with an answer whose cap reaches beyond the context."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    prompt, told = chat.prompt_tokens(x), chat.completion_tokens(x)
    if expect.context is None or prompt is None or told is None or prompt + told < expect.context - 1:
        return  # it ended before
    if prompt + told > expect.context + 1:
        so = "the beginning of the prompt is forgotten while the answer is made, and nobody is told"
        expected, went = f"{expect.context} tokens at most, as announced", f"{prompt} of the prompt and {told} more"
        yield violation("over: usage", expected=expected, got=went, so=so, about="over")
        return
    reasons = [reason for answer in chat.answers(x).values() for reason in answer.reasons]
    if reasons != ["length"]:
        so = "a client takes the cut answer for a whole one"
        got = reasons[0] if len(reasons) == 1 else reasons or None
        yield violation("over: finish_reason", expected='"length": the context is full', got=got, so=so, about="over")
