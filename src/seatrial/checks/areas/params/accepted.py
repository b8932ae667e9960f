"""What has to be accepted and to change nothing: labels, nulls, the plain format; and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look
from seatrial.checks.areas.params.parts import LABELS, NULLS, TEXT_FORMAT, UNKNOWN, text
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, fields, reasoning
from seatrial.records import Exchange, Expect, Finding, Level

NOBODYS = "seatrial_unknown_parameter"
"""A parameter that no server has."""

USUAL = ("model", "messages", "temperature")
"""Parameters of every chat of the suite."""


@rule(
    row="p/20", level=Level.SHOULD, of=LABELS, answer=False, source="OpenAPI document: user, metadata, store and others"
)
def labels_are_accepted(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """What a caller writes down for himself (user, metadata, store and the like) is accepted."""
    yield from _each_accepted(xs, so="a client that labels what it sends gets no answer")


@rule(
    row="p/21",
    level=Level.MUST,
    of=NULLS,
    answer=False,
    source="OpenAPI document: nullable; notebook-intelligence 55: tool_choice null is a 400",
)
def null_means_the_default(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A parameter that may be null, and is, is taken as not given: the answer is one plain choice."""
    refused = list(_each_accepted(xs, so="a client whose fields are empty by default gets no answer"))
    yield from refused
    for name, x in xs.items():
        if x.status != 200 or ":" in name:
            continue
        if x.is_stream:
            got, always = x.content_type, (causes.DECODES + causes.SOME,)  # whatever is asked
            expected = "a plain one: stream is null"
            yield violation(f"{name}: the answer", expected=expected, got=got, about=name, causes=always)
        elif nothing := look.no_object(x):
            yield nothing
        elif (found := sorted(chat.answers(x))) != [0]:
            so = "a client that reads the first choice finds none, or pays for more"
            judges = () if found else (causes.CHOICES + causes.SOME,)
            yield violation(f"{name}: choices", expected="one: n is null", got=found, so=so, about=name, causes=judges)
        elif any(answer.logprobs for answer in chat.answers(x).values()):
            yield violation(f"{name}: logprobs", expected="none: logprobs is null", got="some", about=name)
        elif not text(x) and reasoning.took_all(x):
            yield no_evidence(f"{name}: content", expected="text", got="thought up to the cap", about=name)
        elif not text(x) and (chat.cap(x) is not None or (chat.completion_tokens(x) or 0) <= 1):
            so = "a client whose fields are empty by default gets an empty answer"
            missing = () if any(chat.messages(x)) else (causes.SCHEMA + causes.SOME,)
            judges = (*missing, *look.by_content(x), *causes.WORDS)
            yield violation(f"{name}: content", expected="text", got="none", so=so, about=name, causes=judges)


@rule(
    row="p/22",
    level=Level.MAY,
    of=UNKNOWN,
    answer=False,
    source="OpenAI's API: a 400; openai-python extra_body",
    figures=lambda xs, _expect: {"an unknown parameter": "; ".join(f"{n}: {w}" for n, w in _policies(xs).items())},
)
def unknown_parameters_are_treated_alike(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An unknown parameter is ignored everywhere or refused everywhere: plain, in a stream, on another route."""
    policies = _policies(xs)
    if len(policies) < 2:
        yield no_evidence("the answers", expected="two at least", got=", ".join(policies) or "none")
    elif "a 5xx" in policies.values() or len(set(policies.values())) > 1:
        so = "a client that adds a parameter of its own works on one route and fails on the other"
        got = ", ".join(f"{name}: {policy}" for name, policy in policies.items())
        name = next((name for name, policy in policies.items() if policy != "ignored"), "plain")
        judges = tuple(each for x in xs.values() for each in look.by_parameters(x))
        yield violation("the status", expected="one policy", got=got, so=so, about=name, causes=judges)


@rule(
    row="p/23", level=Level.MUST, of=TEXT_FORMAT, answer=False, source="OpenAPI document, ResponseFormatText: default"
)
def text_format_changes_nothing(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A response_format of type text is accepted, and the answer is words, as without."""
    plain, bound = xs.get("without"), xs.get("with")
    if plain is None or bound is None or not (said := text(plain)):
        judges = (causes.ANSWERED + causes.SOME,)
        yield no_evidence("without: content", expected="an answer with text", got="none", causes=judges)
    elif bound.status != 200:
        so = "a client that always says its format gets no answer"
        got, by = f"{bound.status} {_shown(bound)}", look.by_parameters(bound)
        yield violation("with: the status", expected="200", got=got, so=so, about="with", causes=by)
    elif not text(bound):
        yield violation("with: content", expected=f"words, as without: {said!r}", got="none", about="with")
    elif text(bound).lstrip()[:1] in ("{", "[") and said.lstrip()[:1] not in ("{", "["):
        so = "a reader is shown JSON where he asked for text"
        yield violation("with: content", expected=f"words, as without: {said!r}", got=text(bound), so=so, about="with")


def _each_accepted(xs: Mapping[str, Exchange], so: str) -> Iterator[Finding]:
    """A finding for each part that is refused by itself; for the whole, where none is."""
    for name, x in xs.items():
        if x.status == 200 or ":" in name:
            continue
        apart = {each.partition(":")[2]: part for each, part in xs.items() if each.startswith(f"{name}:")}
        alone = {each: part for each, part in apart.items() if part.status != 200}
        for each, part in (alone or {f"{name}, all together": x}).items():
            got, about = f"{part.status} {_shown(part)}", f"{name}:{each}" if alone else name
            of_all = _is_of_all(alone, apart) or _is_of_another(part)
            judges = ((causes.ANSWERED + causes.SOME,) if of_all else ()) + look.by_parameters(part)
            yield violation(f"{each}: the status", expected="200", got=got, so=so, about=about, causes=judges)


def _is_of_all(refused: Mapping[str, Exchange], apart: Mapping[str, Exchange]) -> bool:
    """Whether all parts are refused in the same words: not for what they have apart, but for what they share."""
    return 1 < len(refused) == len(apart) and len({(part.status, part.body) for part in refused.values()}) == 1


def _is_of_another(x: Exchange) -> bool:
    """Whether a refusal is for a parameter that every request of the suite has, and by its name."""
    return fields.mapping(fields.mapping(x.json).get("error")).get("param") in USUAL


def _policies(xs: Mapping[str, Exchange]) -> dict[str, str]:
    """What became of the unknown parameter in each request; without a route that is not there."""
    found = {}
    for name, x in xs.items():
        if x.status == 200:
            found[name] = "ignored"
        elif NOBODYS.encode() in x.body:
            found[name] = "refused"
        elif name != "vectors" and x.status is not None:
            found[name] = "a 5xx" if x.status >= 500 else "refused"
    return found


def _shown(x: Exchange) -> str:
    message = fields.mapping(fields.mapping(x.json).get("error")).get("message")
    return str(message)[:200] if message else x.body[:200].decode("utf-8", "replace")
