"""Which messages are read: those of every role, wherever they stand, with fields beside their own, in parts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from seatrial.checks import answering, causes, look, traits
from seatrial.checks.areas.tools import roundtrip
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields
from seatrial.records import Exchange, Expect, Finding, Level

ROLES = traits.DECLINABLE | trait("roles")
"""The same question after messages of several roles, and without them (``without``)."""

DEVELOPER = traits.DECLINABLE | trait("developer")
"""The same with a message of a developer."""

MIDST = traits.DECLINABLE | trait("system-in-the-midst")
"""The same with a system message where templates do not expect one."""

ROWS = traits.DECLINABLE | trait("one-role-in-a-row")
"""Turns of one role in a row, and an assistant's turn at the end."""

FIELDS = traits.DECLINABLE | trait("fields-of-messages")
"""The same with names, and with fields of messages that nobody knows."""

GIVEN = traits.DECLINABLE | trait("turn-as-given")
"""The same with a turn of an assistant as servers give it: with an empty list of ``calls``, and with ``nulls``."""

PARTS = traits.DECLINABLE | trait("text-parts")
"""A text as a string (``joined``), and in parts: ``one``, ``two`` ..."""

WITHOUT, NO_CALLS = "without", "calls"
APART = 4
"""Tokens that a part may have more than the same text in a string: what a template puts between parts."""

UNREAD = "the model never sees it, and the answer looks like any other"
LEADING = ("system", "user", "assistant")


@rule(
    row="chat/basic/9",
    part=LEADING,
    level=Level.MUST,
    of=ROLES,
    answer=False,
    source="OpenAPI document, ChatCompletionRequestMessage: system, user and assistant messages",
)
def messages_of_each_role_are_read(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Messages of a system, a user and an assistant are accepted, and reach the model: the prompt is longer by them."""
    yield from _read(xs)


@rule(
    row="chat/basic/9",
    part="developer",
    level=Level.SHOULD,
    of=DEVELOPER,
    answer=False,
    source="OpenAPI document, ChatCompletionRequestDeveloperMessage; llama.cpp issue 20733, gptme issue 3779",
)
def developer_message_is_read(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A message of a developer is accepted, and reaches the model."""
    yield from map(_by_role, _read(xs))


@rule(
    row="chat/basic/9",
    part="tool",
    level=Level.MUST,
    of=roundtrip.RESULT,
    answer=False,
    sampled=True,
    source="OpenAPI document, ChatCompletionRequestToolMessage",
)
def tool_message_is_accepted(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A conversation with the message of a tool is answered."""
    yield from _answered(xs)


@rule(
    row="chat/basic/15",
    level=Level.MUST,
    of=roundtrip.FORMS,
    answer=False,
    sampled=True,
    source="OpenAPI document, ChatCompletionRequestAssistantMessage: content is optional beside tool_calls; "
    "langchain4j issue 1958",
)
def call_needs_no_content(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A conversation is answered in which an assistant's turn has calls, and content null or none."""
    yield from _answered(xs)


@rule(
    row="chat/basic/10",
    part=("in mid-conversation", "two in a row"),
    level=Level.SHOULD,
    of=MIDST,
    answer=False,
    source="OpenAI's API accepts it; llama.cpp issue 20733: System message must be at the beginning",
)
def system_message_is_read_anywhere(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A system message is accepted and reaches the model in mid-conversation too, and where two stand in a row."""
    yield from map(_by_role, _read(xs, whole=("two",)))


@rule(
    row="chat/basic/12",
    part=("of a user", "of an assistant", "the assistant last"),
    level=Level.SHOULD,
    of=ROWS,
    answer=False,
    source="OpenAI's API answers; templates that want turns to alternate raise, or pass over a turn",
)
def turns_of_one_role_are_answered_or_refused(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Turns of one role in a row, and an assistant's at the end, are answered with all of them read, or refused with a
    4xx that says so."""
    for name, x in _sent(xs):
        if x.status is not None and 400 <= x.status < 500:
            if not look.error(x):
                got = x.body[:160].decode("utf-8", "replace")
                yield violation(
                    f"{name}: the body", expected='{"error": {...}}', got=got, so=look.sdk_says(x), about=name
                )
        elif finding := _unaccepted(x, "an answer, or a 4xx"):
            yield look.named(finding, name, alone=False)
        else:
            yield from _all_read(name, x, xs)


def _all_read(name: str, x: Exchange, xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    """Whether a prompt is longer than one that begins alike by the turns that it has more; nothing, where nobody counts
    them. A turn of many words that was passed over may hide behind marks of the template: each word is a token."""
    counted = {key: each for key, each in xs.items() if each.status == 200 and chat.prompt_tokens(each) is not None}
    base = counted.get("last" if name == "assistants" and "last" in counted else "before")
    if base is not None and name in counted:
        yield from map(_by_role, _longer(name, x, base, chat.prompt_tokens(base), whole=name == "assistants"))


@rule(
    row="chat/basic/14",
    part=("names", "unknown keys"),
    level=Level.SHOULD,
    of=FIELDS,
    answer=False,
    source="OpenAPI document, ChatCompletionRequestUserMessage.name; no message is closed to further fields",
)
def fields_of_messages_are_tolerated(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A message may have a name, and fields that the server does not know."""
    yield from _accepted(xs)


@rule(
    row="chat/basic/18",
    part="null for what it has not",
    level=Level.SHOULD,
    of=GIVEN,
    answer=False,
    sampled=True,
    source="OpenAPI document, ChatCompletionRequestAssistantMessage: refusal, audio and function_call are nullable; "
    "openai-python's model_dump gives them so",
)
def nulls_of_a_turn_are_taken(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An assistant's turn may say of what it has not that it is null: a client sends it back as it came."""
    yield from _accepted({name: x for name, x in xs.items() if name != NO_CALLS})


@rule(
    row="chat/basic/18",
    part="an empty list of calls",
    level=Level.MAY,
    of=GIVEN,
    answer=False,
    sampled=True,
    source="OpenAPI document, ChatCompletionMessageToolCalls: no minItems; OpenAI's API wants one (Home Assistant pull "
    "request 118577), vLLM answers so, clients send it back (openai-node pull request 1341, hermes-agent 59110)",
)
def empty_list_of_calls_is_none(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An assistant's turn with an empty list of calls is taken as one without calls.

    The document allows it, and OpenAI's own API does not: who refuses it has a reason, and clients that send it back
    stand still.
    """
    yield from _accepted({name: x for name, x in xs.items() if name in ("before", NO_CALLS)})


@rule(
    row="chat/basic/11",
    part=("one part", "several parts"),
    level=Level.MUST,
    of=PARTS,
    answer=False,
    source="OpenAPI document, ChatCompletionRequestUserMessage.content: a string, or an array of parts",
)
def text_parts_are_the_joined_text(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Text in parts reaches the model as the same text in a string does: no part is lost, and nothing is added but what
    stands between parts."""
    joined = xs.get("joined")
    if joined is None or (trouble := _unaccepted(joined, "200: the request is valid")):
        got = "none" if joined is None else trouble.got if trouble else ""
        judges = (causes.ANSWERED + causes.SOME,)
        yield no_evidence("joined", expected="an answer to the text in a string", got=got, causes=judges)
        return
    usual = chat.prompt_tokens(joined)
    for name, x in _sent(xs):
        if name == "joined":
            continue
        tokens, parts = chat.prompt_tokens(x), len(_parts(x))
        if finding := _unaccepted(x, "200: the request is valid"):
            yield look.named(finding, name, alone=False)
        elif tokens is None or usual is None:
            got, judges = chat.usage(x if tokens is None else joined), (causes.USAGE + causes.SOME,)
            yield no_evidence(f"{name}: usage.prompt_tokens", expected="a whole number", got=got, causes=judges)
        elif usual - tokens > parts or tokens - usual > APART * parts:
            lost = "a part of what the user wrote never reaches the model"
            so = lost if tokens < usual else "the model reads marks that nobody wrote"
            expected = f"about {usual}, as of the string"
            where, judges = f"{name}: usage.prompt_tokens", causes.PROMPTS
            yield violation(where, expected=expected, got=tokens, so=so, about=name, causes=judges)


def _answered(xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    """Of each valid request that it is answered; it is one cause with what all rules ask of valid requests."""
    for name, x in _sent(xs):
        if found := answering.unheard(x):
            yield look.named(found, name, alone=False)
        elif found := answering.silent(x) or answering.refused(x):
            wrong = violation(found.where, expected=found.expected, got=found.got, causes=(causes.ANSWERED,))
            yield look.named(wrong, name, alone=False)
        elif nothing := look.unanswered(x):
            yield look.named(nothing, name, alone=False)


def _accepted(xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    """Of each request that it is answered; that one before it, which is plain, was not either is the cause."""
    before = xs.get("before")
    for name, x in _sent(xs):
        if finding := _unaccepted(x, "200: the request is valid"):
            unanswered = before is not None and _unaccepted(before, finding.expected)
            yield look.named(_hanging(finding) if unanswered else finding, name, alone=False)


def _read(xs: Mapping[str, Exchange], *, whole: Collection[str] = ()) -> Iterator[Finding]:
    """Of each request but the one without, whether it is answered, and its prompt longer by what is added.

    Args:
        whole: the requests to which several messages are added: each word of them is a token at least.
    """
    base = xs.get(WITHOUT)
    known = None if base is None else chat.prompt_tokens(base)
    for name, x in _sent(xs):
        if finding := _unaccepted(x, "200: the request is valid"):
            unanswered = base is not None and _unaccepted(base, finding.expected)
            yield look.named(_hanging(finding) if unanswered else finding, name, alone=False)
        elif name != WITHOUT:
            yield from _longer(name, x, base, known, whole=name in whole)


def _hanging(finding: Finding) -> Finding:
    """Where the question alone is not answered either, nothing shows of what was added to it."""
    where, expected, got = finding.where, finding.expected, finding.got
    return no_evidence(where, expected=expected, got=got, causes=(causes.ANSWERED + causes.SOME,))


def _by_role(finding: Finding) -> Finding:
    """A finding that a message is not read: where none of another role is, that is the reason."""
    lost = finding.kind == "violation" and finding.causes == causes.PROMPTS
    return replace(finding, causes=(*finding.causes, *causes.ROLES)) if lost else finding


def _longer(
    name: str, x: Exchange, base: Exchange | None, known: int | None, *, whole: bool = False
) -> Iterator[Finding]:
    tokens = chat.prompt_tokens(x)
    if base is None or known is None or tokens is None:
        got = None if base is None else chat.usage(base if known is None else x)
        judges = (causes.USAGE + causes.SOME,)
        yield no_evidence(f"{name}: usage.prompt_tokens", expected="a whole number", got=got, causes=judges)
        return
    more = _words(x) - _words(base)
    if tokens - known < (more if whole else more / 2):
        where, expected = f"{name}: usage.prompt_tokens", f"about {more} more than the {known} without it"
        judges = causes.PROMPTS
        yield violation(where, expected=expected, got=tokens, so=UNREAD, grave=True, about=name, causes=judges)


def _sent(xs: Mapping[str, Exchange]) -> Iterator[tuple[str, Exchange]]:
    return ((name, x) for name, x in xs.items() if name != "before")


def _unaccepted(x: Exchange, expected: str) -> Finding | None:
    """What is wrong where a valid request has no answer with a choice, or None."""
    if found := answering.unheard(x):
        return found
    if x.status != 200:
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        so = "SDKs retry a 5xx: the same request is sent three times" if (x.status or 0) >= 500 else ""
        return violation("the status", expected=expected, got=got, so=so)
    if not look.holds_something(x):
        got = x.fault or x.body[:160].decode("utf-8", "replace")
        return violation("the body", expected="a choice", got=got)
    return None


def _messages(x: Exchange) -> list[Any]:
    return fields.listing(fields.mapping(x.request_json).get("messages"))


def _parts(x: Exchange) -> list[Any]:
    return [part for message in _messages(x) for part in fields.listing(fields.mapping(message).get("content"))]


def _words(x: Exchange) -> int:
    """Words of the texts in a request's messages."""
    said = (fields.mapping(message).get("content") for message in _messages(x))
    return sum(len((text if isinstance(text, str) else json.dumps(text)).split()) for text in said)
