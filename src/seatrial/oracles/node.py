"""What the official SDK for Node made of an answer: it was given the very bytes when they were recorded.

Here it is held against the bytes. Who asked the SDK wrote down beside the judgement what it said, so that a run is
judged again where there is no Node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, fields, tools
from seatrial.records import Exchange, Expect, Finding, Level

SETTING = "openai_node"
"""Of a judgement: what the SDK made of each exchange, by its id."""

LOST = "a client on the official SDK for Node loses the answer"
ROLE = "sse/role-is-sent-once"
NAMED_ONCE = "tools/id-and-name-of-a-streamed-call-come-once"
READ = (
    *(causes.EVENTS, causes.WHOLE_EVENTS, causes.TERMINATED, causes.FRAMED, causes.LABELLED, causes.DECODES),
    *(causes.CHOICES, causes.FINISHED, causes.FINISH_KNOWN, causes.SCHEMA, causes.USAGE, causes.IDENTITY),
    *(ROLE, NAMED_ONCE, *causes.CALLS),
)
"""What keeps the SDK from reading an answer, where rules of their own say what is wrong with it."""


@rule(
    area="sdk",
    row="chat/basic/1",
    level=Level.MUST,
    of=traits.CHAT,
    unless=traits.SEVERAL,
    source="openai-node lib/ChatCompletionStream, internal/parse, core/streaming: it checks nothing",
)
def node_gives_the_answer_that_was_sent(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The official SDK for Node gives its user the answer that was sent: words, calls, finish_reason and usage."""
    read = _read(x, expect)
    if isinstance(read, Finding):
        yield read
        return
    if error := fields.mapping(read.get("error")):
        got = f"{error.get('sort')}: {error.get('message')}"
        yield violation("the answer", expected="a message", got=got, so=LOST, causes=READ)
        return
    told = fields.mapping(read.get("answer"))
    if not isinstance(told.get("choices"), list):
        so = "choices is undefined where its user reads it"
        got = "an object without choices" if told.get("sort") == "object" else f"a {told.get('sort')}"
        yield violation("the answer", expected="an object with choices", got=got, so=so, causes=READ)
        return
    if nothing := look.unanswered(x):
        yield nothing
        return
    listed = [fields.mapping(each) for each in told["choices"]]
    streamed = chat.asks_for_stream(x)  # of a plain answer its user reads the first, whatever its index says
    given = {fields.integer(each.get("index")) if streamed else n: each for n, each in enumerate(listed)}
    for index, sent in chat.answers(x).items():
        yield from _choice(f"choice {index}", sent, tools.calls(x).get(index, []), given.get(index))
    yield from _usage(fields.mapping(chat.usage(x)), fields.mapping(told.get("usage")))


RULE = node_gives_the_answer_that_was_sent.id
"""The SDK has to be asked before it is judged."""


def _read(x: Exchange, expect: Expect) -> dict[str, Any] | Finding:
    """What the SDK made of an answer, or why that is not known."""
    read = fields.mapping(fields.mapping(expect.settings.get(SETTING)).get(x.id))
    if read.get("answer") or read.get("error"):
        return read
    got = read.get("none") or "it was not asked"
    return no_evidence("the SDK for Node", expected="what it made of the answer", got=got)


def _choice(
    where: str, sent: chat.Answer, calls: list[tools.MadeCall], given: Mapping[str, Any] | None
) -> Iterator[Finding]:
    if given is None:
        yield violation(where, expected="the choice that was sent", got="none of this index", so=LOST, causes=READ)
        return
    if given.get("role") != "assistant":
        so = "the next turn is refused or misread"
        yield violation(f"{where}, role", expected='"assistant"', got=given.get("role"), so=so, causes=READ)
    if (given.get("content") or "") != sent.content:
        yield violation(f"{where}, content", expected=sent.content, got=given.get("content"), so=LOST, causes=READ)
    if sent.reasons and given.get("finish_reason") != sent.reasons[-1]:
        got = given.get("finish_reason")
        yield violation(f"{where}, finish_reason", expected=str(sent.reasons[-1]), got=got, causes=READ)
    made = [(call.name, call.arguments) for call in calls]
    listed = map(fields.mapping, fields.listing(given.get("calls")))
    had = [(each.get("name"), each.get("arguments")) for each in listed]
    if made != had:
        so = "a tool is called by another name, with other arguments, or not at all"
        yield violation(f"{where}, calls", expected=str(made), got=str(had), so=so, causes=READ)


def _usage(sent: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        if (tokens := fields.integer(sent.get(name))) is not None and given.get(name) != tokens:
            so = "its user takes the context for empty, or counts what it costs wrongly"
            yield violation(f"usage.{name}", expected=str(tokens), got=given.get(name), so=so, causes=READ)
