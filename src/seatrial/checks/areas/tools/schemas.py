"""The schemas of tools: enforced where that was asked for, accepted whatever their keywords and however many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes, look, traits
from seatrial.checks.areas.tools import asked
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields, tools
from seatrial.reading.tools import MadeCall
from seatrial.records import Exchange, Expect, Finding, Level

STRICT = traits.DECLINABLE | trait("strict-tool")
"""A call is forced of a function whose schema is strict, and the prompt asks for what does not fit it."""

ZOO = traits.DECLINABLE | trait("schema-zoo")
"""Tools whose parameters use one keyword of JSON Schema after the other."""

MANY = traits.DECLINABLE | trait("many-tools")
"""Requests ``few`` and ``one more``, whose difference is a tool, and others that offer many more of its size."""

FEW, ONE_MORE = "few", "one more"
CALLED = (asked.NAMED_CALLED + causes.SOME, asked.REQUIRED_CALLS + causes.SOME)
SHAPED = tuple(rule + causes.SOME for rule in (asked.NAMED_CALLED, asked.REQUIRED_CALLS, *asked.WHOLE))

SAME = "tools/streamed-call-is-the-plain-one" + causes.SOME
"""The rule whose finding it is that a stream spoils arguments that are right in a plain answer."""

ROOM = re.compile(r"context|tokens|n_ctx|max_model_len|too (?:long|large|big)|exceed", re.IGNORECASE)
"""How a server says that a prompt is longer than it can take."""

USELESS = "one tool of an agent's set keeps the agent from all the others"
UNTOLD = "the model is never told of tools that the client believes it has"


@rule(
    row="tools/21",
    level=Level.SHOULD,
    of=STRICT,
    optional=True,
    answer=False,
    source="OpenAPI document, FunctionObject.strict: the model will follow the exact schema",
)
def strict_schemas_are_enforced(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Arguments of a strict function fit its schema, whatever the prompt asks for; or strict is refused with a 4xx."""
    if x.status is not None and 400 <= x.status < 500:
        yield refusal("the status", expected="an answer", got=f"{x.status} {_said(x)}", optional=True)
    elif wrong := answering.refused(x):
        judges = ("tools/schemas-of-any-kind-are-accepted" + causes.SOME,)
        yield violation(wrong.where, expected="an answer, or a 4xx", got=wrong.got, grave=True, causes=judges)
    elif nothing := look.unreadable(x):
        yield nothing
    elif not (made := asked.telling(x)):
        got = "".join(answer.content for answer in chat.answers(x).values()) or "nothing"
        yield no_evidence("tool_calls", expected="a call to judge", got=got, causes=CALLED)
    else:
        cut = asked.cut(x)
        for call in made:
            yield from _unfit(x, call, is_cut=call.choice in cut)


@rule(
    row="tools/22",
    level=Level.SHOULD,
    of=ZOO,
    answer=False,
    source="OpenAPI document, FunctionParameters: JSON Schema; llama.cpp #27580 and #27619; vLLM #21165; "
    "Kimi-Vendor-Verifier",
)
def schemas_of_any_kind_are_accepted(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Tools are accepted whatever keywords of JSON Schema their parameters use, whatever their descriptions say, and
    without one."""
    untaken = {name: found for name, x in xs.items() if (found := list(_taken(x)))}
    for name, each in untaken.items():
        offered = set(tools.offered(xs[name]))
        if not any(set(tools.offered(xs[other])) < offered for other in untaken):  # else it is refused for those
            yield from (look.named(found, name, alone=False) for found in each)


@rule(
    row="tools/23",
    level=Level.SHOULD,
    of=MANY,
    answer=False,
    source="agents offer sixty tools and more; llama.cpp: number of repetitions exceeds sane defaults",
)
def many_tools_are_accepted(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Many and large tools are accepted, and the model is told of all; a prompt that is too long may be refused."""
    for name, x in xs.items():
        if name in (FEW, ONE_MORE):
            continue
        if x.status is not None and 400 <= x.status < 500 and ROOM.search(_said(x)):
            got = f"{x.status} {_said(x)}"
            yield look.named(refusal("the status", expected="room", got=got, optional=True), name, alone=False)
            continue
        yield from (look.named(found, name, alone=False) for found in (list(_taken(x)) or _untold(x, xs)))


def _said(x: Exchange) -> str:
    return x.body[:300].decode("utf-8", "replace")


def _taken(x: Exchange) -> Iterator[Finding]:
    """A finding where a request with tools was not answered."""
    if x.status is not None and 400 <= x.status < 500:
        yield violation("the status", expected="200: every tool is allowed", got=f"{x.status} {_said(x)}", so=USELESS)
    elif wrong := answering.refused(x):
        yield violation(wrong.where, expected=wrong.expected, got=wrong.got, so=USELESS, grave=True)
    elif nothing := look.unanswered(x):
        yield nothing


def _untold(x: Exchange, xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    """A finding where the prompt grows by less than half of what so many tools take, by the size of one of them."""
    counts: list[tuple[int, int]] = []  # tools, tokens of the prompt
    for each in (xs.get(FEW), xs.get(ONE_MORE), x):
        tokens = None if each is None else chat.prompt_tokens(each)
        if each is None or tokens is None:
            got = "no answer" if each is None or each.status != 200 else chat.usage(each)
            judges = (causes.USAGE + causes.SOME,)
            yield no_evidence("usage.prompt_tokens", expected="a whole number", got=got, causes=judges)
            return
        counts.append((len(tools.offered(each)), tokens))
    (fewest, base), (next_, with_one), (most, tokens) = counts
    more = most - fewest
    least = max(more, more * (with_one - base) // (2 * max(next_ - fewest, 1)))
    if tokens - base < least:
        expected = f"at least {least} more than the {base} of {fewest}, for {more} tools more"
        dropped = "tools" if tokens <= base else ""
        by = (asked.REQUIRED_CALLS + causes.SOME, *causes.ROLES) if dropped else ()  # no tool is told, or none counted
        where = "usage.prompt_tokens"
        yield violation(where, expected=expected, got=tokens, so=UNTOLD, grave=True, ignores=dropped, causes=by)


def _unfit(x: Exchange, call: MadeCall, *, is_cut: bool) -> Iterator[Finding]:
    """What of the arguments of a call does not fit the function's schema."""
    where, schema = f"{call.where}, arguments", fields.mapping(tools.offered(x).get(call.name)).get("parameters")
    if is_cut and call.value is None:
        yield no_evidence(where, expected="arguments to their end", got=call.arguments)
    elif schema is None or not isinstance(call.value, dict):
        got = f"{call.name}: {call.arguments}"
        yield no_evidence(where, expected="an object, of a function that was offered", got=got, causes=SHAPED)
    else:
        so = "a tool gets arguments that its schema rules out, and strict promised that it cannot"
        torn = (SAME,) if chat.asks_for_stream(x) else ()
        judges = (*look.by_spelling(call.arguments, x), *torn)
        yield from asked.unfit(schema, call, where, so=so, grave=True, judges=judges)
