"""Caps: kept, told, and refused where they cannot be meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes, look
from seatrial.checks.areas.params.parts import BAD_CAP, MAX_COMPLETION_TOKENS, MAX_TOKENS, NO_CAP, text
from seatrial.checks.findings import about, no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, fields
from seatrial.records import LEFT, Exchange, Expect, Finding, Level
from seatrial.text import shorten


@rule(row="p/1", level=Level.MUST, of=MAX_TOKENS, source="OpenAPI document, max_tokens")
def max_tokens_caps(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """max_tokens cuts an answer that would go on, and finish_reason says "length"."""
    yield from _caps(xs, "max_tokens")


@rule(row="p/2", level=Level.MUST, of=MAX_COMPLETION_TOKENS, source="OpenAPI document, max_completion_tokens")
def max_completion_tokens_caps(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """max_completion_tokens cuts an answer that would go on, and finish_reason says "length"."""
    yield from _caps(xs, "max_completion_tokens")


@rule(
    row="p/3",
    part=("two that differ", "zero", "negative", "huge"),
    level=Level.SHOULD,
    of=BAD_CAP,
    answer=False,
    source="OpenAPI document, max_tokens: prose",
)
def bad_caps_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A cap of zero or less is refused; of two caps that differ the smaller holds, or both are refused; a huge one is
    refused or met."""
    cap, tokens = chat.cap(x), chat.completion_tokens(x)
    if x.status != 200 or look.erring(x):
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
        by = (causes.CAPPED + causes.SOME, causes.MAX_TOKENS + causes.SOME)
        yield violation("usage.completion_tokens", expected=f"at most {cap}, or a 400", got=tokens, causes=by)


@rule(
    row="p/31",
    level=Level.MUST,
    of=NO_CAP,
    answer=False,
    source="OpenAPI document, finish_reason: length if the maximum number of tokens specified in the request was "
    "reached; text-generation-inference issue 2421, foundry-local issue 243",
)
def answer_without_a_cap_is_not_cut(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An answer whose request names no cap goes on until the model ends it or the context is full; a client that has
    read dozens of tokens has seen it go on."""
    capped, free = xs.get("capped"), xs.get("free")
    if capped is None or free is None:
        yield no_evidence("the recording", expected="an answer with a cap and one without", got=", ".join(xs))
        return
    if finding := _unjudged("capped", capped) or _unjudged("free", free):
        yield finding
        return
    if free.error == LEFT:
        return
    said, whole = text(free), text(capped)
    reasons = {answer.index: answer.reasons for answer in chat.answers(free).values()}.get(0, [])
    before = f"{len(said)} characters: {shorten(said, 60)!r}"
    where, so = "free: finish_reason", "a client that leaves the cap out has the beginning of each answer alone"
    if not whole.strip() and _is_cut(capped):  # what was made is not shown: it may be all that there is room for
        got = f"none, up to its cap of {chat.cap(capped)}"
        yield no_evidence("capped", expected="text in an answer that goes on", got=got, about="capped")
    elif reasons == ["length"] and len(said) + BESIDE < (expect.context or SMALLEST):
        expected = "an answer that goes on: no cap was asked for"
        yield violation(where, expected=expected, got=f'"length" after {before}', so=so, grave=True, about="free")
    elif _is_cut(capped) and said != whole and whole.startswith(said):
        expected = f"an answer that goes on, as it did under a cap of {chat.cap(capped)}"
        got = f"{reasons[-1] if reasons else 'none'} after {before}"
        yield violation(where, expected=expected, got=got, so=so, grave=True, about="free")
    elif len(said) <= len(whole):
        got = f"{reasons[-1] if reasons else 'none'} after {before}"
        yield no_evidence("free", expected="an answer that would go on", got=got, about="free")


BESIDE = 64
"""Tokens of the prompt, and of what a template puts around it."""

SMALLEST = 512
"""Tokens of a context that is not known, at the least. An answer has no more tokens than characters."""


def _unjudged(name: str, x: Exchange) -> Finding | None:
    """What keeps an answer, which its client may have left, from being judged, or None. That a request has to name a
    cap is wrong in itself."""
    if name == "free" and chat.cap(x) is not None:
        return no_evidence(name, expected="a request without a cap", got="one of the operator's")
    found = None if x.error == LEFT else answering.refused(x)
    if found is None:
        nothing = look.unanswered(x)
        return nothing and look.named(nothing, name, alone=False)
    where, judges = f"{name}: {found.where}", (causes.ANSWERED + causes.SOME,)
    if name == "free":
        so = "a client that leaves the cap out, as most do, has no answer"
        return violation(where, expected=found.expected, got=found.got, so=so, about=name, causes=judges)
    return no_evidence(where, expected=found.expected, got=found.got, about=name, causes=judges)


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
            lost = "" if _heeded(xs) else key
            judges = () if lost else (causes.CAPPED,)
            yield violation(
                where, expected=f"at most {cap}", got=tokens, so=so, grave=True, about=name, ignores=lost, causes=judges
            )


def _heeded(xs: Mapping[str, Exchange]) -> bool:
    """Whether a cap made a difference, if it was not kept: it cut the short answer, and sooner than the long one."""
    brief, full = xs.get("short"), xs.get("long")
    if brief is None or full is None or not _is_cut(brief):
        return False
    return (chat.completion_tokens(brief) or 0) < (chat.completion_tokens(full) or 0)


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
        other = (causes.MAX_TOKENS + causes.SOME,) if key == "max_completion_tokens" else ()
        by = (*(look.by_end(xs["short"], brief.reasons) if brief.reasons != ["stop"] else ()), *other)
        yield violation("short: finish_reason", expected='"length"', got=got, so=so, about="short", causes=by)
    sizes = [len(a.content) + len(a.reasoning) for a in (brief, full)]
    if sizes[0] >= sizes[1] > 0:
        expected, got = f"less text for {cap} tokens than for {would}", f"{sizes[0]} and {sizes[1]} characters"
        yield violation("short: content", expected=expected, got=got, grave=True, about="short", ignores=key)


def _is_cut(x: Exchange) -> bool:
    """Whether the answer says that its cap ended it."""
    return any("length" in answer.reasons for answer in chat.answers(x).values())


def _asked(x: Exchange, key: str) -> int | None:
    return fields.integer(fields.mapping(x.request_json).get(key))
