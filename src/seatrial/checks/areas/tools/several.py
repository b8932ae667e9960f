"""Several calls in one answer: apart, or turned off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from seatrial.checks.areas.tools import asked
from seatrial.checks.areas.tools.asked import REQUIRED
from seatrial.checks.findings import refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, tools
from seatrial.records import Exchange, Expect, Finding, Level

PARALLEL = REQUIRED | trait("calls-parallel")
"""Two calls are asked for."""

ONE_CALL = REQUIRED | trait("calls-one")
"""Two calls are asked for, and parallel_tool_calls is false."""


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
                yield violation(where, expected="an id for each call", got=got, so=so)
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
