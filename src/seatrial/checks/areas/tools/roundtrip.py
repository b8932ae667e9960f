"""What becomes of a tool's result: it reaches the model, in whatever form the history comes; and thought beside calls.

Whether a model makes use of what it is told is its own affair, and a rate. That it is told is not: a result has its
tokens in the prompt, and ``usage`` counts them. So the same history is sent with a long result and with a short one,
and the difference is looked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from seatrial.checks import answering, capabilities, causes, look, traits
from seatrial.checks.findings import about, no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields, reasoning, tools
from seatrial.records import Exchange, Expect, Finding, Level

RESULT = traits.COUNTED | trait("tool-result")
"""A history that ends with a tool's result: requests ``long`` and ``short``, alike but for the length of the result,
and ``called``, which is like ``short`` but for the length of the call's arguments."""

FORMS = traits.COUNTED | trait("tool-result-forms")
"""The same in several forms, each a request with the long result, and ``short`` beside them."""

THOUGHT = traits.DECLINABLE | trait("thought-and-call")
"""Thought is asked for, and a call of a function by its name."""

SHORT, CALLED = "short", "called"
REACHES = "tools/result-reaches-the-model"
LOST = "an agent acts on what its tools never told it"
FORGOTTEN = "the model sees a result and not what it had asked for: it calls again, or takes it for something else"

RARE = re.compile(r"\b(?=[\w-]*\d)[\w-]{5,}")
"""A word that no model says by itself: with a digit in it, and not short."""


@rule(
    row="tools/14",
    level=Level.MUST,
    of=RESULT,
    sampled=True,
    source="OpenAPI document, ChatCompletionRequestToolMessage; chat templates without a branch for tool messages",
)
def result_reaches_the_model(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A tool's result reaches the model: the answer tells it, or usage counts its tokens in the prompt."""
    yield from _lost({name: x for name, x in xs.items() if name != CALLED}, causes_of=())


@rule(
    row="tools/29",
    level=Level.MUST,
    of=RESULT,
    sampled=True,
    source="OpenAPI document, ChatCompletionRequestAssistantMessage.tool_calls; llama.cpp issue 27588, "
    "mlx-openai-server pull request 205",
)
def earlier_call_reaches_the_model(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The call of an earlier turn reaches the model with its arguments: usage counts their tokens in the prompt."""
    sent = {name: x for name, x in xs.items() if name in (CALLED, SHORT)}
    unjudged = [about(name, found) for name, x in sent.items() if (found := _unjudged(x))]
    yield from unjudged
    if unjudged:
        return
    if len(sent) < 2:
        yield no_evidence("the recording", expected="a long call beside a short one", got=", ".join(xs) or "none")
        return
    base, tokens = (chat.prompt_tokens(sent[name]) for name in (SHORT, CALLED))
    where = f"{CALLED}: usage.prompt_tokens"
    if base is None or tokens is None:
        got, judges = chat.usage(sent[SHORT if base is None else CALLED]), (causes.USAGE,)
        yield no_evidence(where, expected="a whole number", got=got, about=CALLED, causes=judges)
        return
    more = len(_arguments(sent[CALLED]).split()) - len(_arguments(sent[SHORT]).split())
    if tokens - base < more / 2:
        expected, so = f"about {more} more than the {base} of the short call", FORGOTTEN
        by = (REACHES + causes.SOME, *causes.PROMPTS, *causes.ROLES)
        yield violation(where, expected=expected, got=tokens, so=so, about=CALLED, causes=by)


@rule(
    row="tools/15",
    part=("content null", "content missing", "content empty", "a result in parts", "ids of any script"),
    level=Level.MUST,
    of=FORMS,
    sampled=True,
    source="OpenAPI document, ChatCompletionRequestAssistantMessage: content is optional beside tool_calls; "
    "ChatCompletionRequestToolMessage: content is text or parts; aichat #1296",
)
def result_reaches_the_model_in_every_form(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A tool's result reaches the model whether the call's content is null, missing or empty, the result is a text or
    parts, and whatever script its id is in."""
    yield from _lost(xs, causes_of=(REACHES + causes.SOME,))


@rule(
    row="tools/27",
    level=Level.SHOULD,
    of=THOUGHT,
    optional=True,
    answer=False,
    source="ds4 #318; agents replay content and calls, never thought",
)
def thought_stays_apart_from_calls(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Thought beside a call is in a field of its own: not in the content, not in the arguments, and no call is left in
    it."""
    if said := _declined(x):
        yield said
    elif wrong := answering.refused(x):
        expected = "an answer, or a 4xx"
        yield violation(wrong.where, expected=expected, got=wrong.got, grave=True, causes=look.by_parameters(x))
    elif nothing := look.unanswered(x):
        yield nothing
    else:
        for index, answer in chat.answers(x).items():
            yield from _mixed(x, index, answer)


def _lost(xs: Mapping[str, Exchange], causes_of: tuple[str, ...]) -> Iterator[Finding]:
    """Of each history with a long result, whether it is lost, seen beside the one with a short result."""
    unjudged = {name: found for name, x in xs.items() if (found := _unjudged(x))}
    yield from (about(name, found) for name, found in unjudged.items())
    if SHORT not in xs or SHORT in unjudged:
        return
    base = chat.prompt_tokens(xs[SHORT])
    for name, x in xs.items():
        if name == SHORT or name in unjudged or _tells(x):
            continue
        more = len(_result(x).split()) - len(_result(xs[SHORT]).split())
        tokens = chat.prompt_tokens(x)
        where = f"{name}: usage.prompt_tokens"
        if tokens is None or base is None:
            got = chat.usage(x if tokens is None else xs[SHORT])
            judges = (causes.USAGE,)
            yield no_evidence(where, expected="a whole number", got=got, about=name, causes=judges)
        elif tokens - base < more / 2:
            expected = f"about {more} more than the {base} of the short result"
            judges = (*causes_of, *causes.PROMPTS, *(causes.PARTS if name == "parts" else ()))
            yield violation(where, expected=expected, got=tokens, so=LOST, about=name, causes=judges)


def _unjudged(x: Exchange) -> Finding | None:
    """Why an answer cannot be judged, or None: as of any rule, it hangs on whether the request was answered."""
    if found := answering.unheard(x):
        return found
    if found := answering.silent(x) or answering.refused(x):
        return replace(found, causes=(causes.ANSWERED,))
    return look.unreadable(x)


def _result(x: Exchange) -> str:
    """The text of the last result in a request."""
    for message in reversed(fields.listing(fields.mapping(x.request_json).get("messages"))):
        if fields.mapping(message).get("role") == "tool":
            return _text(fields.mapping(message).get("content"))
    return ""


def _arguments(x: Exchange) -> str:
    """The arguments of all calls in a request's history."""
    messages = map(fields.mapping, fields.listing(fields.mapping(x.request_json).get("messages")))
    made = (fields.mapping(call) for message in messages for call in fields.listing(message.get("tool_calls")))
    given = (fields.string(fields.mapping(call.get("function")).get("arguments")) for call in made)
    return " ".join(filter(None, given))


def _text(content: Any) -> str:
    parts = (fields.string(fields.mapping(part).get("text")) for part in fields.listing(content))
    return fields.string(content) or "".join(filter(None, parts))


def _tells(x: Exchange) -> bool:
    """Whether an answer says a rare word of the result that stands nowhere else in the request."""
    result = _result(x)
    asked = json.dumps(x.request_json, ensure_ascii=False)
    rare = {word for word in RARE.findall(result) if asked.count(word) == result.count(word)}
    said = "".join(answer.content for answer in chat.answers(x).values())
    return any(word in said for word in rare)


def _declined(x: Exchange) -> Finding | None:
    """The refusal of thought, of tools or of both; None where it is none."""
    tools_too = capabilities.BY_SCENARIO["tools-asked"]
    said = tools_too.declined(x) if x.status != 200 else ""
    return refusal("thought and a call", expected="an answer", got=said, optional=True) if said else None


def _mixed(x: Exchange, index: int, answer: chat.Answer) -> Iterator[Finding]:
    """What is wrong with thought and calls of a choice."""
    made = tools.calls(x).get(index, [])
    where = f"choice {index}"
    thought = "".join(reasoning.told(x).get(index, {}).values())
    so = "a client shows it to its user, and sends it back as if it were the answer"
    if mark := reasoning.mark(answer.content):
        expected = f"no {mark} of a thought"
        yield violation(f"{where}, content", expected=expected, got=answer.content, so=so, causes=causes.UNMARKED)
    for call in made:
        if mark := reasoning.mark(call.arguments):
            broken = "a tool is called with a thought in place of its arguments"
            yield violation(
                f"{call.where}, arguments", expected=f"no {mark} of a thought", got=call.arguments, so=broken
            )
    if made:
        if not thought and not reasoning.mark(answer.content):
            yield refusal("thought", expected="some, in a field of its own", got="none beside the call", optional=True)
    elif name := next((n for n in tools.offered(x) if _is_called(n, thought)), ""):
        got = thought[-160:]
        left = "an agent waits for a call that is there and that it never gets"
        yield violation(f"{where}, thought", expected=f"the call of {name} in tool_calls", got=got, so=left)
    else:
        got = answer.content or f"{len(thought)} characters of thought"
        judges = ("tools/named-function-is-called" + causes.SOME,)
        yield no_evidence(f"{where}, tool_calls", expected="a call beside the thought", got=got, causes=judges)


def _is_called(name: str, thought: str) -> bool:
    """Whether a thought holds a call in the markup of some chat template, and no talk of it."""
    quoted = re.escape(name)
    return bool(re.search(rf'"name"\s*:\s*"{quoted}"\s*,|<function={quoted}>|functions\.{quoted}\b', thought))
