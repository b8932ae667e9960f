"""What a stream says: whole characters, the words and the counts of the plain answer, in deltas that are deltas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes, look, traits
from seatrial.checks.areas.params.parts import LOGPROBS
from seatrial.checks.areas.sse.stream import BOTH_WAYS
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, reasoning
from seatrial.reading.fields import listing, mapping, string
from seatrial.records import Exchange, Expect, Finding, Level

SCRIPTS = traits.CHAT | trait("scripts-both-ways")
"""A prompt of many scripts, answered plain (``plain``) and as a stream (``stream``)."""

CUTS = traits.CHAT | trait("cuts-both-ways")
"""The same, cut after a few tokens: ``plain N`` and ``stream N``."""

ALIKE = traits.DECLINABLE | trait("same-words")
"""A greedy request with a seed, answered plain twice (``first``, ``plain``) and then as a stream (``stream``)."""

TOKENS = traits.STREAM | LOGPROBS
"""A stream with log probabilities."""

LOST = "\N{REPLACEMENT CHARACTER}"
LONE = re.compile("[\ud800-\udfff]")


@rule(
    row="sse/14",
    part="UTF-8",
    level=Level.MUST,
    of=traits.STREAM,
    source="WHATWG HTML 9.2: event streams are UTF-8; RFC 8259 8.1 and 8.2",
)
def stream_is_utf_8(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The bytes of a stream are UTF-8, and its escapes spell no half of a pair of surrogates."""
    if nothing := None if x.chunks else look.no_chunk(x):  # what its events hold is for another rule
        yield nothing
        return
    try:
        x.body.decode("utf-8")
    except UnicodeDecodeError as broken:
        so = "clients show other characters than the model wrote, or fall over"
        got = f"{x.body[broken.start : broken.start + 4]!r}"
        yield violation(f"byte {broken.start}", expected="UTF-8", got=got, so=so)
        return
    for chunk in x.chunks:
        if found := LONE.search(_decoded(chunk.data)):
            so = "parsers that hold to the standard refuse the event"
            where, got = f"event {chunk.index}", f"\\u{ord(found[0]):04x} alone"
            yield violation(where, expected="pairs of surrogates", got=got, so=so)
            return


def _decoded(data: str) -> str:
    """The texts of an event as a lenient parser has them; empty where nothing in it is spelt as half of a pair."""
    if "\\ud" not in data.lower():
        return ""
    try:
        return json.dumps(json.loads(data), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


@rule(
    row="sse/14",
    part="no character is replaced",
    level=Level.MUST,
    of=SCRIPTS,
    source="lucebox pull request 641, ferrox issue 124, mlx-vlm pull request 1076: tokens decoded one by one",
)
def no_character_is_replaced(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No character of a stream is replaced by U+FFFD where the plain answer has none."""
    plain, stream = (_said(xs.get(name)) for name in ("plain", "stream"))
    if not plain or not stream:
        judges = (causes.ANSWERED, causes.CHOICES)
        yield no_evidence("the answers", expected="words both ways", got=_shown(xs), causes=judges)
    elif LOST in stream.rstrip(LOST) and LOST not in plain:
        so = "users of other scripts read question marks"
        yield violation("the stream", expected="no U+FFFD", got=stream, so=so, about="stream")


@rule(
    row="sse/15",
    level=Level.SHOULD,
    of=CUTS,
    source="imp issue 1310; llama.cpp holds back what is no whole character",
)
def cut_inside_a_character_is_alike_both_ways(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An answer that a cap cuts within a character ends alike both ways: without it, or with U+FFFD."""
    pairs = [(name, xs.get(f"stream{name.removeprefix('plain')}")) for name in xs if name.startswith("plain")]
    if not pairs:
        yield no_evidence("the answers", expected="some both ways", got=", ".join(xs))
    for name, streamed in pairs:
        one, other = _said(xs[name]), _said(streamed)
        if (LOST in one) != (LOST in other):
            so = "the same answer is another one where it is streamed"
            where, judges = f"{name}, and streamed", (causes.REPLACED + causes.SOME,)
            yield violation(where, expected=f"{one!r}", got=f"{other!r}", so=so, about=name, causes=judges)


@rule(
    row="sse/12",
    level=Level.SHOULD,
    of=BOTH_WAYS,
    source="OpenAPI document, CompletionUsage: the tokens of the request, however it is answered",
)
def stream_counts_as_a_plain_answer(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The usage of a stream counts the prompt as that of a plain answer does, and the same words as the same tokens."""
    plain, stream = xs.get("plain"), xs.get("stream")
    if plain is None or stream is None or not mapping(stream.request_json).get("stream_options"):
        return
    same = _said(plain) == _said(stream)
    counts = {"prompt_tokens": chat.prompt_tokens} | ({"completion_tokens": chat.completion_tokens} if same else {})
    for what, count in counts.items():
        one, other = count(plain), count(stream)
        if one is None or other is None:
            yield no_evidence(f"usage.{what}", expected="a number both ways", got=f"{one}, {other}", causes=_COUNTED)
        elif one != other:
            so = "whoever counts what requests cost counts streams otherwise"
            cap, where = chat.cap(stream), f"usage.{what} of the stream"
            cut = _reasons(stream) == ["length"]
            off = what == "completion_tokens" and cap is not None and (other > cap or (cut and other < cap - 1))
            judges = (causes.CAPPED + causes.SOME,) if off else ()
            yield violation(where, expected=f"{one}", got=other, so=so, about="stream", causes=judges)


UNREAD = tuple(rule + causes.SOME for rule in (causes.UTF_8, causes.EVENTS, causes.REPLACED))
"""The rules whose finding it is that events cannot be read, or characters were replaced."""

ENDED = tuple(rule + causes.SOME for rule in (causes.MAX_TOKENS, causes.FINISH_KNOWN))
"""The rules whose finding it is that an answer of the same words ends otherwise."""

_COUNTED = (causes.USAGE, causes.USAGE + causes.SOME, causes.LAST_USAGE + causes.SOME)


@rule(
    row="sse/13",
    part=("the same words", "the same end"),
    level=Level.MUST,
    of=ALIKE,
    optional=True,
    answer=False,
    source="OpenAPI document, stream: the same answer in pieces; imp issue 1310",
)
def stream_says_what_a_plain_answer_says(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A greedy request with a seed that two plain answers answer alike is answered so as a stream, and ends alike."""
    first, plain, stream = (xs.get(name) for name in ("first", "plain", "stream"))
    told = [None if x is None else (_said(x), _reasons(x)) for x in (first, plain, stream)]
    if declined := next((x for x in xs.values() if look.is_refusal(x)), None):
        got = f"{declined.status} {declined.body[:160].decode('utf-8', 'replace')}"
        yield refusal("a seed", expected="an answer", got=got, optional=True)
    elif stream is None or not told[0] or not told[0][0] or told[0] != told[1]:
        unanswered = tuple(each for x in xs.values() for each in look.by_parameters(x))
        judges = (causes.ANSWERED, causes.CHOICES, causes.FINISHED, *unanswered)
        yield no_evidence("the plain answers", expected="two alike, with words", got=_shown(xs), causes=judges)
    elif told[2] != told[1]:
        so = "what a user reads hangs on how the client asks"
        unended = (causes.FINISHED,) if not _reasons(stream) else ()
        wordless = (causes.STREAMED + causes.SOME, causes.SCHEMA + causes.SOME) if not _said(stream).strip() else ()
        got = f"{_said(stream)!r}, {', '.join(map(str, _reasons(stream)))}"
        expected = f"{told[0][0][:200]!r}, {', '.join(map(str, told[0][1]))}"
        goes_on = told[0][1] == ["length"] and _said(stream).startswith(told[0][0])
        ends = (*ENDED, *look.by_calls(stream)) if goes_on or _said(stream) == told[0][0] else ()
        torn = any(chunk.fault for chunk in stream.chunks) or (LOST in _said(stream) and LOST not in told[0][0])
        spelt = UNREAD if torn else ()
        again = (causes.DELTAS + causes.SOME,) if len(_said(stream)) > len(told[0][0]) else ()
        failed = (causes.ANSWERED + causes.SOME,) if answering.refused(stream) else ()
        judges = (*failed, *unended, *wordless, *ends, *spelt, *again)
        yield violation("the stream", expected=expected, got=got, so=so, about="stream", causes=judges)


@rule(
    row="sse/21",
    level=Level.MUST,
    of=traits.STREAM,
    source="OpenAPI document, ChatCompletionStreamResponseDelta; bifrost issue 6427",
)
def deltas_are_deltas(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Each chunk says what is new in a delta, of the content and of thought: it repeats nothing that was said, and has
    no message in its place."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    so = "clients join deltas, and have each word many times"
    said: dict[tuple[int, str], list[str]] = {}
    for chunk, index, choice, delta in chat.deltas(x):
        if choice.get("message") is not None:
            yield violation(f"chunk {chunk.index}, choice {index}", expected="a delta", got="a message", so=so)
            return
        for name in ("content", *reasoning.FIELDS):
            said.setdefault((index, name), []).append(string(delta.get(name)) or "")
    for (index, name), texts in said.items():
        if got := chat.told_again(texts):
            yield violation(f"choice {index}, {name}", expected="what is new", got=got, so=so)


@rule(
    row="sse/22",
    level=Level.SHOULD,
    of=TOKENS,
    optional=True,
    source="OpenAPI document, CreateChatCompletionStreamResponse: logprobs of the choice's delta",
)
def log_probabilities_go_with_their_content(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The log probabilities of a chunk are those of the tokens in its delta."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    behind = ""  # a character that is not whole yet is held back, its tokens may not be
    for chunk, index, choice, delta in chat.deltas(x):
        told = listing(mapping(choice.get("logprobs")).get("content"))
        tokens = "".join(string(mapping(entry).get("token")) or "" for entry in told)
        text = string(delta.get("content")) or ""
        if LOST in tokens or not told or behind:
            behind = "" if text else tokens
            continue
        if text and tokens and tokens != text:
            so = "a client that colours words by their probability colours others"
            where = f"chunk {chunk.index}, choice {index}, logprobs"
            yield violation(where, expected=f"{text!r}", got=f"{tokens!r}", so=so)
            return


@rule(
    row="sse/20",
    level=Level.SHOULD,
    of=traits.STREAM | traits.SEVERAL,
    optional=True,
    source="openai-python lays choices out by the first chunk",
)
def choices_come_under_their_own_index(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The chunk of choice 0 comes first, and each choice is told under the same index to its end."""
    if nothing := look.no_chunk(x) or look.unanswered(x):
        yield nothing
        return
    first = next(chunk for chunk, _index, _choice, _delta in chat.deltas(x))
    if 0 not in (indices := [choice.get("index") for choice in first.choices]):
        so = "the SDK's stream helper raises"
        yield violation("the first chunk", expected="choice 0", got=f"choice {indices[0]}", so=so)
    if beyond := sorted(index for index in chat.answers(x) if not 0 <= index < chat.wanted(x)):
        so = "answers are taken for one another"
        yield violation("index", expected=f"below {chat.wanted(x)}", got=beyond, so=so, causes=(causes.CHOICES,))


def _said(x: Exchange | None) -> str:
    return "" if x is None else "".join(answer.content for _, answer in sorted(chat.answers(x).items()))


def _reasons(x: Exchange) -> list[object]:
    return [reason for _, answer in sorted(chat.answers(x).items()) for reason in answer.reasons]


def _shown(xs: Mapping[str, Exchange]) -> str:
    return "; ".join(f"{name}: {_said(x)[:60]!r}" for name, x in xs.items())
