"""Chat completions: what every answer holds, and messages that get none."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields
from seatrial.records import Exchange, Expect, Finding, Level

EMPTY_MESSAGES = traits.FAULTY | trait("empty-messages")
BAD_MESSAGES = traits.FAULTY | trait("bad-messages")
"""Messages that are missing, or of a wrong type."""

FROM, UNTIL = 978_307_200, 4_133_980_800
"""The first seconds of 2001 and of 2101, UTC: a time in any other unit than seconds lies far outside of them."""

YEAR_S = 31_556_952
APART_S = 300

IGNORED = tuple(rule + causes.SOME for rule in (causes.MAX_TOKENS, causes.MAX_COMPLETION_TOKENS))
"""The rules whose finding it is that a cap cuts nothing at all."""

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


@rule(row="chat/basic/3", level=Level.MUST, of=traits.CHAT, source="OpenAPI document, CreateChatCompletionResponse")
def choices_are_indexed_and_from_the_assistant(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Choices are numbered from 0 without a gap, and each message has the role "assistant"."""
    nothing = look.unreadable(x)
    if nothing and x.is_stream and all(chunk.done for chunk in x.chunks) and not x.tail.strip():
        got = f"{len(x.chunks)} events, none with a choice"
        yield violation("the stream", expected="a choice", got=got, so="an agent goes on with nothing")
    elif nothing:
        yield nothing
    elif chat.asks_for_stream(x):
        yield from _indices_of_stream(x)
    else:
        yield from _indices_of_body(x)


@rule(row="chat/basic/4", level=Level.MUST, of=traits.CHAT, source="OpenAPI document, finish_reason: enum")
def finish_reason_is_known(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """finish_reason is stop, length, tool_calls, content_filter or function_call; on a plain answer never null."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    known = ", ".join(chat.FINISH_REASONS)
    answers = chat.answers(x).values()
    if chat.asks_for_stream(x) and not any(answer.finishes for answer in answers):
        yield no_evidence("finish_reason", expected="one in the stream", got="none", causes=(causes.FINISHED,))
    for answer in answers:
        if not answer.finishes and not chat.asks_for_stream(x):
            yield violation(f"choice {answer.index}, finish_reason", expected=known, got=None)
        for where, reason in answer.finishes:
            if reason not in chat.FINISH_REASONS:
                so = "a client that branches on it takes no branch"
                yield violation(f"{where}, finish_reason", expected=known, got=reason, so=so)


@rule(
    row="chat/basic/5",
    level=Level.MUST,
    of=traits.COUNTED,
    source="OpenAPI document, CompletionUsage: tokens in the prompt, in the completion; cascadia issue 55: all zeros",
)
def usage_adds_up(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """usage holds prompt_tokens, completion_tokens and total_tokens, none negative, the last the sum of the others; and
    neither a prompt nor an answer that says something is counted as 0."""
    if nothing := look.unreadable(x):
        yield nothing
        return
    usage = chat.usage(x)
    if not isinstance(usage, dict):
        so, judges = "a client cannot account for the request", look.by_unread(x)
        yield violation("usage", expected="an object", got=usage, so=so, causes=judges)
        return
    counts = [fields.integer(usage.get(name)) for name in COUNTS]
    for name, count in zip(COUNTS, counts, strict=True):
        if count is None or count < 0:
            yield violation(f"usage.{name}", expected="a whole number from 0", got=usage.get(name, "no such key"))
    prompt, completion, total = counts
    if prompt is not None and completion is not None and total is not None and total != prompt + completion:
        yield violation(
            "usage.total_tokens", expected=f"{prompt} + {completion}", got=total, so="accounts do not add up"
        )
    for name, missed in (("prompt_tokens", prompt == 0), ("completion_tokens", _is_passed_over(x, completion))):
        if missed:
            so = "a client that plans or pays by it takes the request for one that cost nothing"
            yield violation(f"usage.{name}", expected="at least 1, for what is there", got=0, so=so)


def _is_passed_over(x: Exchange, completion: int | None) -> bool:
    """Whether an answer that says something is counted as no token."""
    return completion == 0 and chat.says_anything(x)


@rule(row="chat/basic/6", level=Level.MUST, of=traits.COUNTED, source="OpenAPI document, max_completion_tokens: prose")
def completion_tokens_keep_the_cap(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """completion_tokens stays within the cap, and reaches it (to one token) where finish_reason is "length"."""
    cap, tokens = chat.cap(x), chat.completion_tokens(x)
    if nothing := look.unreadable(x) or look.uncounted(x):
        yield nothing
        return
    if cap is None or tokens is None:
        yield no_evidence("the request", expected="a cap to hold the answer against", got="none")
        return
    choices = chat.wanted(x)
    reasons = [reason for answer in chat.answers(x).values() for reason in answer.reasons]
    if tokens > cap * choices:
        expected, got = f"at most {cap * choices}", f"{tokens}" + (f", in {choices} choices" if choices > 1 else "")
        so, judges = "an answer costs more than was allowed", () if "length" in reasons else IGNORED
        yield violation("usage.completion_tokens", expected=expected, got=got, so=so, causes=judges)
    if choices == 1 and reasons == ["length"] and tokens < cap - 1:
        so = "a client takes a whole answer for a cut one, or asks again for more"
        yield violation("usage.completion_tokens", expected=f'{cap}: finish_reason is "length"', got=tokens, so=so)


@rule(
    row="chat/basic/8",
    level=Level.MUST,
    of=traits.CHAT,
    source="OpenAPI document, ChatCompletionResponseMessage: required",
)
def content_is_string_or_null(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """content is a string or null; a plain answer's message always has the key."""
    messages = list(chat.messages(x))
    if not messages:
        judges = (causes.CHOICES, causes.SCHEMA)
        expected = "a message or delta to judge"
        yield look.unanswered(x) or no_evidence("choices", expected=expected, got="none", causes=judges)
    for where, message in messages:
        if "content" not in message:
            if not chat.asks_for_stream(x):
                so = 'a client that reads message["content"] falls over'
                yield violation(f"{where}, content", expected="a string or null", got="no such key", so=so)
        elif message["content"] is not None and not isinstance(message["content"], str):
            so = "a client that shows it, or joins it, falls over"
            yield violation(f"{where}, content", expected="a string or null", got=message["content"], so=so)


@rule(
    row="chat/basic/2",
    part="created",
    level=Level.MUST,
    of=traits.CHAT,
    source="OpenAPI document, created: integer, Unix time in seconds; envoyproxy/ai-gateway pull request 962",
)
def created_is_in_seconds(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """created is a time in whole seconds, of the years 2001 to 2100: on an answer, and on each chunk of a stream."""
    times = _times(x)
    if not times:
        yield look.unreadable(x) or no_evidence("created", expected="a number", got="none", causes=(causes.SCHEMA,))
    wrong = next(((at, value) for at, value in times if not FROM <= value < UNTIL), None)
    if wrong is not None:
        at, value = wrong
        judges = _of_another_kind(x, value)
        year = f"the year {1970 + value // YEAR_S:.0f}" if abs(value) < YEAR_S * 10**9 else "no year there is"
        so = f"a client that reads it as seconds dates the answer to {year}"
        expected = "seconds since 1970, of the years 2001 to 2100"
        yield violation("created", expected=expected, got=f"{value}{at}", so=so, causes=judges)
    elif broken := next(((at, value) for at, value in times if isinstance(value, float)), None):
        so = "typed clients (Go, Rust, Java) read a whole number there, and refuse the answer"
        expected = "a whole number of seconds, without a fraction"
        yield violation("created", expected=expected, got=f"{broken[1]}{broken[0]}", so=so)


@rule(
    row="chat/basic/2",
    part="created",
    level=Level.SHOULD,
    of=traits.CHAT,
    source="OpenAPI document, created; RFC 9110 6.6.1, Date",
)
def created_is_the_time_of_the_answer(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """created lies within five minutes of the answer's own Date header; a server without a clock has none."""
    times = _times(x)
    if not times:
        yield look.unreadable(x) or no_evidence("created", expected="a number", got="none", causes=(causes.SCHEMA,))
        return
    date, (_at, created) = _date(x), times[0]
    if date is None:
        got = x.header("date") or "none"
        yield refusal("Date", expected="a date to hold created against", got=got, optional=True)
    elif not FROM <= created < UNTIL:
        yield no_evidence("created", expected="a time in seconds", got=created, causes=(causes.SECONDS,))
    elif abs(created - date) > APART_S:
        got = f"{created}: {abs(created - date):.0f} s {'after' if created > date else 'before'} it"
        so = "logs and traces put the answer where it was not given"
        yield violation("created", expected=f"{date:.0f}, its Date, within {APART_S} s", got=got, so=so)


@rule(
    row="chat/basic/13",
    level=Level.MUST,
    of=EMPTY_MESSAGES,
    answer=False,
    source="OpenAPI document, messages: minItems 1",
)
def empty_messages_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An empty list of messages is refused with a 4xx."""
    yield from look.not_refused(x, so="the model answers a question nobody asked")


@rule(
    row="chat/basic/13",
    level=Level.MUST,
    of=BAD_MESSAGES,
    answer=False,
    source="OpenAPI document, messages: required, array of objects",
)
def bad_messages_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Messages that are missing or of a wrong type are refused with a 4xx."""
    yield from look.not_refused(x, so="the model answers what the client never said")


def _times(x: Exchange) -> list[tuple[str, float]]:
    """(in which chunk, created) of the answer or of each chunk, where it is a number: else the schema judges it."""
    parts = [(f", in chunk {c.index}", c.json) for c in x.chunks] if x.is_stream else [("", x.json)]
    found = ((at, fields.mapping(part).get("created")) for at, part in parts)
    return [(at, v) for at, v in found if isinstance(v, int | float) and not isinstance(v, bool)]


def _of_another_kind(x: Exchange, created: float) -> tuple[str, ...]:
    """The rule whose finding it is that a part of a stream is no chunk of an answer; none where each such is one."""
    chunks = (fields.mapping(chunk.json) for chunk in x.chunks)
    kinds = [chunk.get("object") for chunk in chunks if chunk.get("created") == created]
    return () if not kinds or "chat.completion.chunk" in kinds else (causes.SCHEMA,)


def _date(x: Exchange) -> float | None:
    """The answer's Date header as seconds since 1970; None where there is none that can be read."""
    try:
        return parsedate_to_datetime(x.header("date") or "").timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _indices_of_body(x: Exchange) -> Iterator[Finding]:
    choices = x.json.get("choices")
    if not isinstance(choices, list) or not choices:
        yield violation("choices", expected="an array of at least one", got=choices, so="choices[0].message raises")
        return
    for position, choice in enumerate(choices):
        where = f"choices[{position}]"
        if not isinstance(choice, dict):
            yield violation(where, expected="an object", got=choice)
            continue
        index = choice.get("index")
        if fields.integer(index) != position:
            yield violation(f"{where}.index", expected=str(position), got=index, so="answers are taken for one another")
        message = choice.get("message")
        if not isinstance(message, dict):
            yield violation(f"{where}.message", expected="an object", got=message, so="message.content raises")
        elif message.get("role") != "assistant":
            so = "the next turn is refused or misread"
            yield violation(f"{where}.message.role", expected='"assistant"', got=message.get("role"), so=so)


def _lost(x: Exchange) -> str:
    """What indices that are not those of a list do: the SDK lays the choices of the first chunk out by them."""
    first = x.chunks[0].choices if x.chunks else ()
    indices = [fields.integer(choice.get("index")) for choice in first]
    if any(index is not None and not -len(first) <= index < len(first) for index in indices):
        return "the SDK's stream helper raises"
    return "answers are taken for one another" if indices else ""


def _indices_of_stream(x: Exchange) -> Iterator[Finding]:
    seen: set[int] = set()
    for chunk in x.chunks:
        for choice in chunk.choices:
            index = fields.integer(choice.get("index"))
            if index is None:
                yield violation(f"chunk {chunk.index}, index", expected="a whole number", got=choice.get("index"))
                return
            seen.add(index)
    if seen != set(range(len(seen))) or not seen:
        expected = "choices numbered from 0 without a gap"
        yield violation("index", expected=expected, got=sorted(seen) or "no choice", so=_lost(x))
