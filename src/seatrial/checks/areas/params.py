"""Parameters: honoured, or refused; never accepted and ignored."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import about, no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import channels, chat, fields
from seatrial.records import Exchange, Expect, Finding, Level

MAX_TOKENS = traits.COUNTED | trait("max-tokens")
"""The same prompt under a short and a long ``max_tokens``: requests ``short`` and ``long``."""

MAX_COMPLETION_TOKENS = traits.COUNTED | trait("max-completion-tokens")
"""The same with ``max_completion_tokens``."""

CHOICES = traits.CHAT | traits.SEVERAL
STOP = traits.CHAT | trait("stop")
"""A stop string that all but every English answer holds."""

LOGPROBS = traits.CHAT | trait("logprobs")
"""Log probabilities are asked for."""

BAD_CAP = traits.FAULTY | trait("bad-cap")
"""A cap that cannot be meant, or two that differ."""

WRONG_TYPE = traits.FAULTY | trait("wrong-type")
"""A parameter of a wrong type."""


@rule(row="p/1", level=Level.MUST, of=MAX_TOKENS, source="OpenAPI document, max_tokens")
def max_tokens_caps(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """max_tokens cuts an answer that would go on, and finish_reason says "length"."""
    yield from _caps(xs, "max_tokens")


@rule(row="p/2", level=Level.MUST, of=MAX_COMPLETION_TOKENS, source="OpenAPI document, max_completion_tokens")
def max_completion_tokens_caps(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """max_completion_tokens cuts an answer that would go on, and finish_reason says "length"."""
    yield from _caps(xs, "max_completion_tokens")


@rule(row="p/3", level=Level.SHOULD, of=BAD_CAP, answer=False, source="OpenAPI document, max_tokens: prose")
def bad_caps_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A cap of zero or less is refused; of two caps that differ the smaller holds, or both are refused; a huge one is
    refused or met."""
    cap, tokens = chat.cap(x), chat.completion_tokens(x)
    if x.status != 200:
        yield from look.not_refused(x)
    elif cap is None or (tokens is None and cap > 0):
        where, expected = "usage.completion_tokens", "a count to hold against the cap"
        yield no_evidence(where, expected=expected, got=chat.usage(x), causes=(causes.USAGE + causes.SOME,))
    elif cap < 0 or (cap == 0 and tokens != 0):
        yield violation(
            "the status",
            expected=f"400: a cap of {cap}" + (", or no token" if cap == 0 else ""),
            got="200, tokens uncounted" if tokens is None else f"200, {tokens} tokens",
            so="a client's slip is answered at a length nobody asked for",
            grave=cap < 0 or tokens is None or tokens > 1,
        )
    elif tokens is not None and tokens > cap * chat.wanted(x):
        yield violation("usage.completion_tokens", expected=f"at most {cap}, or a 400", got=tokens)


@rule(row="p/9", level=Level.MUST, of=STOP, source="OpenAPI document, StopConfiguration")
def stop_string_ends_the_answer(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A stop string ends the answer, is no part of it, and finish_reason is "stop"."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    stop = fields.mapping(x.request_json).get("stop")
    stops = [s for s in (stop if isinstance(stop, list) else [stop]) if isinstance(s, str) and s]
    for answer in chat.answers(x).values():
        where = f"choice {answer.index}"
        found = next((s for s in stops if s in answer.content), None)
        if found is not None:
            so = "a client that splits at it gets text it does not expect"
            yield violation(
                f"{where}, content", expected=f"to end before {found!r}", got=answer.content, so=so, grave=True
            )
            continue
        if answer.reasons == ["length"]:
            got = answer.content or f"{len(answer.reasoning)} characters of reasoning"
            yield no_evidence(f"{where}, content", expected=f"text that reaches {stops}", got=got)
        elif answer.reasons != ["stop"]:
            yield violation(f"{where}, finish_reason", expected='"stop"', got=answer.reasons or None)


@rule(row="p/13", level=Level.SHOULD, of=CHOICES, optional=True, source="OpenAPI document, n")
def n_gives_n_choices(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """n choices are given for n, numbered from 0, and usage counts them all; or the request is refused."""
    if nothing := look.unreadable(x):
        yield nothing
        return
    wanted, found = chat.wanted(x), chat.answers(x)
    if sorted(found) != list(range(wanted)):
        got = f"{len(found)}: {sorted(found)}"
        so = "a client that samples gets fewer answers than it pays attention to, without a word"
        expected = f"{wanted}, or a 400"
        yield violation("choices", expected=expected, got=got, so=so, grave=True, causes=look.by_choices(x))
        return
    cap, tokens = chat.cap(x), chat.completion_tokens(x)
    cut = all(answer.reasons == ["length"] for answer in found.values())
    if cut and cap is not None and tokens is not None and tokens < wanted * (cap - 1):
        expected = f"{wanted * cap}: {wanted} choices cut at {cap}"
        yield violation("usage.completion_tokens", expected=expected, got=tokens, so="accounts miss what was generated")


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
            yield violation(where, expected="content with a token each, or a 400", got=got, so=so, grave=True)
        else:
            yield no_evidence(where, expected="an answer with text", got="an empty one")


@rule(
    row="p/26",
    level=Level.SHOULD,
    of=WRONG_TYPE,
    answer=False,
    source="OpenAPI document, CreateChatCompletionRequest: types",
)
def wrong_types_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A parameter of a wrong type is refused with a 4xx."""
    yield from look.not_refused(x, so="a client's slip goes unnoticed, and the parameter means something else")


def _caps(xs: Mapping[str, Exchange], key: str) -> Iterator[Finding]:
    found = [*_overruns(xs, key), *_cut(xs, key)]
    yield from found
    if not found and not any(_is_cut(x) for x in xs.values()):
        got = ", ".join(f"{name}: {chat.completion_tokens(x)} of {_asked(x, key)}" for name, x in xs.items())
        yield no_evidence("usage.completion_tokens", expected="an answer that reaches its cap", got=got)


def _overruns(xs: Mapping[str, Exchange], key: str) -> Iterator[Finding]:
    for name, x in xs.items():
        cap, tokens = _asked(x, key), chat.completion_tokens(x)
        if nothing := look.unreadable(x) or look.uncounted(x):
            yield about(name, nothing)
        elif cap is not None and tokens is not None and tokens > cap:
            so, where = "an answer runs on at the client's cost", f"{name}: usage.completion_tokens"
            yield violation(where, expected=f"at most {cap}", got=tokens, so=so, grave=True, about=name)


def _cut(xs: Mapping[str, Exchange], key: str) -> Iterator[Finding]:
    """Whether the cap cut the short answer; only a long one of more than twice its cap shows that it would go on."""
    if "short" not in xs or "long" not in xs:
        return
    cap, would = _asked(xs["short"], key), chat.completion_tokens(xs["long"])
    if cap is None or would is None or would <= 2 * cap:
        return
    brief, full = chat.answers(xs["short"]).get(0), chat.answers(xs["long"]).get(0)
    if brief is None or full is None:
        expected, judges = "a short and a long answer", (causes.CHOICES,)
        yield no_evidence("choices", expected=expected, got="none for one of them", causes=judges)
        return
    if brief.reasons != ["length"]:
        got = brief.reasons[0] if len(brief.reasons) == 1 else brief.reasons or None
        so = "a client takes the cut answer for a whole one"
        yield violation("short: finish_reason", expected='"length"', got=got, so=so, about="short")
    sizes = [len(a.content) + len(a.reasoning) for a in (brief, full)]
    if sizes[0] >= sizes[1] > 0:
        expected, got = f"less text for {cap} tokens than for {would}", f"{sizes[0]} and {sizes[1]} characters"
        yield violation("short: content", expected=expected, got=got, grave=True, about="short")


def _is_cut(x: Exchange) -> bool:
    """Whether the answer says that its cap ended it."""
    return any("length" in answer.reasons for answer in chat.answers(x).values())


def _asked(x: Exchange, key: str) -> int | None:
    return fields.integer(fields.mapping(x.request_json).get(key))


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


def _is_log_probability(value: Any) -> bool:
    """A number, not a boolean, not NaN; a rounding error above 0 is let pass."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value) and value <= 1e-6


def _joined(entries: list[Any]) -> bytes:
    """The tokens one after the other; by their bytes, where a token is part of a character."""
    joined = b""
    for entry in entries:
        text = channels.spelled(entry)
        joined += text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    return joined
