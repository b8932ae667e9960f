"""Several calls in one answer: apart, or turned off; and in one conversation: each known by an id of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look
from seatrial.checks.areas.tools import asked
from seatrial.checks.areas.tools.asked import NAMED, REQUIRED
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields, tools
from seatrial.records import Exchange, Expect, Finding, Level

PARALLEL = REQUIRED | trait("calls-parallel")
"""Two calls are asked for."""

ONE_CALL = REQUIRED | trait("calls-one")
"""Two calls are asked for, and parallel_tool_calls is false."""

AGAIN = NAMED | trait("calls-again")
"""A call is forced, ``plain`` and as a ``stream``, and then another one after the first and its result: ``next`` and
``next-stream``."""

TURNS = {"next": "plain", "next-stream": "stream"}
"""Of each second turn the first."""

NEW_ID = "tools/new-call-has-a-new-id"


@rule(
    row="tools/9",
    part="two calls, apart",
    level=Level.SHOULD,
    of=PARALLEL,
    source="OpenAPI document, parallel_tool_calls; ChatCompletionMessageToolCall.id",
)
def parallel_calls_are_apart(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Calls of one answer are apart: each has its own id, and its own arguments.

    Whether a model makes two is its own choice: where it makes one, the rule does not apply.
    """
    if nothing := asked.uncalled(x):
        yield nothing
        return
    for choice, made in tools.calls(x).items():
        joined = [call for call in made if asked.merged(call)]
        judges = (asked.INDEXED,) if chat.asks_for_stream(x) else (asked.SHAPED,)
        for call in joined:
            so = "a client parses none of it, or makes the first call alone"
            yield violation(f"{call.where}, arguments", expected="one object", got=call.arguments, so=so, causes=judges)
        ids = Counter(call.id for call in made if call.id)
        for told, times in ids.items():
            if times > 1:
                so = "the results of both go to one call, and the next turn is refused"
                where, got = f"choice {choice}, id", f"{told} of {times} calls"
                yield violation(where, expected="an id for each call", got=got, so=so, causes=(NEW_ID + causes.SOME,))
        if len(made) < 2 and not joined:
            yield refusal(f"choice {choice}, tool_calls", expected="two calls", got="one", optional=True)


@rule(
    row="tools/9",
    part="parallel_tool_calls false gives one at most",
    level=Level.SHOULD,
    of=ONE_CALL,
    source="OpenAPI document, parallel_tool_calls: whether to enable parallel function calling",
)
def parallel_calls_can_be_turned_off(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """With parallel_tool_calls false an answer has one call at most."""
    if nothing := asked.uncalled(x):
        yield nothing
        return
    for choice, made in tools.calls(x).items():
        if (many := sum(max(asked.documents(call.arguments), 1) for call in made)) > 1:
            so = "a client that takes one call at a time makes the first, and the second is never answered"
            where, got = f"choice {choice}, tool_calls", f"{many}"
            yield violation(where, expected="one", got=got, so=so, grave=True)


@rule(
    row="tools/30",
    level=Level.MUST,
    of=AGAIN,
    source="OpenAPI document, ChatCompletionRequestToolMessage.tool_call_id: the call that this message is responding "
    "to; hermes-agent issue 70724, fireconnect issue 16",
)
def new_call_has_a_new_id(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The id of a new call is none that an earlier call of the same conversation has."""
    for name, before in TURNS.items():
        first, x = xs.get(before), xs.get(name)
        if first is None or x is None:
            yield no_evidence(name, expected=f"the turn after {before}", got=", ".join(xs))
        elif nothing := asked.uncalled(first):
            yield look.named(nothing, before, alone=False)
        elif nothing := asked.uncalled(x):
            yield look.named(nothing, name, alone=False)
        else:
            yield from _known_before(name, first, x)


def _known_before(name: str, first: Exchange, x: Exchange) -> Iterator[Finding]:
    """A finding where a call of an answer has an id that its history has, or where there are no ids to compare."""
    told = {call.id: call.where for made in tools.calls(x).values() for call in made if call.id}
    if not told or not any(call.id for made in tools.calls(first).values() for call in made):
        judges = (asked.SHAPED, asked.SHAPED + causes.SOME)
        yield no_evidence(f"{name}: id", expected="ids of two calls", got=", ".join(told) or "none", causes=judges)
        return
    messages = map(fields.mapping, fields.listing(fields.mapping(x.request_json).get("messages")))
    known = {fields.string(message.get("tool_call_id")) for message in messages}
    for told_id in sorted(told.keys() & known):
        so = "a client that goes by the id takes the first call's result for the second's, or drops one of them"
        where, expected = f"{name}: {told[told_id]}, id", "one that no call before it has"
        yield violation(where, expected=expected, got=told_id, so=so, about=name)
