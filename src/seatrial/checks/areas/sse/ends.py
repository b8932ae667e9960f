"""How a stream ends: what may follow the end of a choice, how a failure is told, and an answer without words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look, traits
from seatrial.checks.areas.sse.stream import LINE
from seatrial.checks.findings import refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, tools
from seatrial.reading.fields import mapping, string
from seatrial.records import Chunk, Exchange, Expect, Finding, Level

WORDLESS = traits.DECLINABLE | trait("wordless-stream")
"""A stream (``stream``) that a stop string ends before its first word."""

SAYS = ("content", "tool_calls", "reasoning_content", "reasoning", "refusal", "function_call")
BEYOND = 4
"""Events over which one JSON object is looked for."""


@rule(row="sse/4", level=Level.MUST, of=traits.STREAM, source="openai-python Stream decodes each event by itself")
def each_event_holds_one_whole_object(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """No JSON object is split over events, and no event holds two."""
    if not any(chunk.data.strip() for chunk in x.chunks) and (nothing := look.no_chunk(x)):
        yield nothing
        return
    for position, chunk in enumerate(x.chunks):
        if chunk.done or chunk.json is not None or not chunk.data.strip():
            continue
        if _is_split(x.chunks[position : position + BEYOND]):
            so = "the SDK decodes each event by itself, and raises"
            yield violation(f"event {chunk.index}", expected="a whole object", got=f"{chunk.data[:120]} ...", so=so)
            return
        if _holds_two(chunk.data):
            so = "the SDK decodes each event by itself, and raises"
            yield violation(f"event {chunk.index}", expected="one object", got=chunk.data, so=so)
            return


def _is_split(chunks: tuple[Chunk, ...]) -> bool:
    """Whether some of the next events make up an object together."""
    joined = chunks[0].data
    for chunk in chunks[1:]:
        joined += chunk.data
        if _is_object(joined):
            return True
    return False


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _holds_two(data: str) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(data.lstrip())
    except (ValueError, RecursionError):
        return False
    return data.lstrip()[end:].lstrip().startswith(("{", "data:"))


@rule(row="sse/9", level=Level.SHOULD, of=traits.STREAM, source="OpenAPI document, finish_reason; clients stop there")
def nothing_is_said_after_the_end(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """After the finish_reason of a choice none of its deltas says anything."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    ended: dict[int, object] = {}
    told = chat.answers(x)
    for chunk, index, choice, delta in chat.deltas(x):
        if index in ended and (said := next((name for name in SAYS if delta.get(name)), "")):
            so = "a client that stops at the finish_reason loses it"
            where = f"chunk {chunk.index}, choice {index}, {said}"
            unknown = () if ended[index] in chat.FINISH_REASONS else (causes.FINISH_KNOWN,)
            judges = (*unknown, *((causes.FINISHED,) if len(told[index].reasons) > 1 else ()))
            yield violation(where, expected="nothing after the finish_reason", got=delta[said], so=so, causes=judges)
            return
        if choice.get("finish_reason") is not None:
            ended.setdefault(index, choice["finish_reason"])


@rule(
    row="sse/11",
    level=Level.SHOULD,
    of=traits.STREAM,
    source="OpenAPI document, stream_options.include_usage: all other chunks have null",
)
def usage_stands_nowhere_else(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """No chunk has usage where it was not asked for, and where it was none but the last."""
    if nothing := look.no_chunk(x):
        yield nothing
        return
    options = mapping(mapping(x.request_json).get("stream_options"))
    asked = options.get("include_usage") is True
    told = [chunk for chunk in chat.chunks(x) if chunk.json.get("usage") is not None]
    wrong = [chunk for chunk in told if chunk.choices] if asked else told
    if not wrong and len(told) > 1:
        so = "a client that adds up usage over chunks counts tokens more than once"
        got = f"{len(told)}, each with an empty list of choices"
        yield violation(f"chunk {told[1].index}, usage", expected="one chunk with usage", got=got, so=so)
    if wrong:
        so = "a client that adds up usage over chunks counts tokens more than once"
        expected = "null beside choices" if asked else "none: it was not asked for"
        got = f"{mapping(wrong[0].json)['usage']}, in {len(wrong)} chunks"
        judges = (causes.LAST_USAGE,) if asked and len(told) == len(wrong) == 1 else ()
        yield violation(f"chunk {wrong[0].index}, usage", expected=expected, got=got, so=so, causes=judges)


@rule(
    row="sse/19",
    level=Level.MUST,
    of=traits.STREAM,
    answer=False,
    source="openai-python Stream raises for an error key alone; open-webui issue 29628, vercel/ai issue 19165",
)
def failure_is_told_as_an_error(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A failure in a stream, where there is one, is told as data with an error object, and nothing is said after it."""
    if x.status != 200 or not x.is_stream:
        return
    so = "the SDK reads on: whoever waits for the answer never learns that it failed"
    for number, line in enumerate(LINE.split(x.body), start=1):
        if line.startswith(b"error:"):
            got, judges = line[:200].decode("utf-8", "replace"), (causes.EVENTS,)
            yield violation(f"line {number}", expected='data: {"error": {...}}', got=got, so=so, causes=judges)
            return
    failed = False
    for chunk in x.chunks:
        told = mapping(chunk.json)
        if failed and chunk.choices:
            yield violation(f"event {chunk.index}", expected="nothing after an error", got=chunk.data)
            return
        if _is_failure(chunk) and not string(mapping(told.get("error")).get("message")):
            expected, so = '{"error": {"message": ...}}', _shown(told)
            yield violation(f"event {chunk.index}", expected=expected, got=chunk.data, so=so)
            return
        failed = failed or bool(told.get("error"))


def _is_failure(chunk: Chunk) -> bool:
    """Whether an event tells of a failure, in whatever shape."""
    told = mapping(chunk.json)
    if chunk.event == "error" or told.get("error"):
        return True
    return bool(told) and "choices" not in told and any(map(told.get, ("detail", "message", "exception")))


def _shown(told: Mapping[str, object]) -> str:
    if told.get("error"):
        return "a client that shows error.message shows nothing"
    return "the SDK reads on: whoever waits for the answer never learns that it failed"


@rule(
    row="sse/23",
    level=Level.SHOULD,
    of=WORDLESS,
    optional=True,
    answer=False,
    source="OpenAPI document, CreateChatCompletionStreamResponse; Ollama tests it",
)
def wordless_stream_is_whole(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stream that ends before its first word has a role, a finish_reason and [DONE] all the same."""
    x = xs.get("stream")
    if x is None or x.status != 200 or any(a.content for a in chat.answers(x).values()):
        got = "none" if x is None else f"{x.status}: {x.body[:160].decode('utf-8', 'replace')}"
        yield refusal("the stream", expected="one without a word, for its stop string", got=got, optional=True)
        return
    roles = {delta.get("role") for _chunk, _index, _choice, delta in chat.deltas(x)}
    reasons = [reason for answer in chat.answers(x).values() for reason in answer.reasons]
    so = "a client waits for a turn that never begins, or never ends"
    for what, there, judge in (
        ("role", "assistant" in roles, causes.ROLE),
        ("finish_reason", bool(reasons), causes.FINISHED),
        ("[DONE]", any(chunk.done for chunk in x.chunks), causes.DONE),
    ):
        if not there:
            got = f"{len(x.chunks)} events"
            where, any_ = f"the {what}", (judge + causes.SOME, *look.by_unread(x))
            yield violation(where, expected="one, as in any stream", got=got, so=so, about="stream", causes=any_)


@rule(
    row="sse/27",
    level=Level.MUST,
    of=traits.STREAM,
    source="llama.cpp issue 21771, litellm issue 25321: calls that stand in the end alone are lost",
)
def end_agrees_with_its_deltas(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """What the end of a stream says is what its deltas have said: calls where it ends with calls, and of a message that
    it repeats the same words."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    answers, called = chat.answers(x), {piece.choice for piece in tools.pieces(x)}
    for index, answer in answers.items():
        if "tool_calls" in answer.reasons and index not in called:
            so = "an agent is told to make calls, and has none"
            where, judges = f"choice {index}, tool_calls", _by_choice(x)
            yield violation(where, expected="the calls that it ends with", got="none", so=so, causes=judges)
    for chunk, index, choice, _delta in chat.deltas(x):
        repeated = mapping(choice.get("message")).get("content")
        if isinstance(repeated, str) and repeated != answers[index].content:
            so = "clients that join deltas and those that read the end have another answer"
            where = f"chunk {chunk.index}, choice {index}, message"
            yield violation(where, expected=answers[index].content or "nothing", got=repeated or "nothing", so=so)
            return


def _by_choice(x: Exchange) -> tuple[str, ...]:
    """The rules whose finding it is that a call is missing which the request made a must of; none where it did not."""
    chosen = mapping(x.request_json).get("tool_choice")
    return causes.FORCED if chosen == "required" or isinstance(chosen, dict) else ()
