"""The event stream of a chat completion, as the bytes have it: what SDKs join, and where they fall over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat
from seatrial.records import Chunk, Exchange, Expect, Finding, Level
from seatrial.text import shorten

LONG = traits.STREAM | trait("long")
"""A stream of enough tokens to take more than a second on most hosts."""

BOTH_WAYS = traits.CHAT | trait("both-ways")
"""The same request, answered plain (``plain``) and as a stream (``stream``)."""

STREAM_FAULT = traits.FAULTY | trait("stream-fault")
"""A fault in a request that asks for a stream."""

LINE = re.compile(rb"\r\n|\n|\r")
FIELDS = (b"data", b"event", b"id", b"retry")
MEANT = (*FIELDS, b"error")
"""Names that are meant to be read, in whatever case: a client that does not know one of them has lost something."""
OWN = re.compile(rb"[A-Za-z][\w.-]*")
IDENTITY = ("id", "model", "object")
CHUNK = "chat.completion.chunk"


@rule(
    row="sse/1", level=Level.MUST, of=traits.STREAM, source="OpenAPI document, createChatCompletion: text/event-stream"
)
def stream_is_labelled(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer to stream: true has Content-Type text/event-stream."""
    if not x.is_stream:
        got, so = x.header("content-type") or "none", "browsers and proxies do not stream it"
        ignored = "" if b"data:" in x.body else "stream"
        yield violation("Content-Type", expected="text/event-stream", got=got, so=so, ignores=ignored)


@rule(row="sse/2", level=Level.MUST, of=traits.STREAM, source="WHATWG HTML 9.2; openai-python Stream")
def events_are_well_formed(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Every line is a field of an event or a comment, every event holds one JSON object or [DONE], and the last event
    is complete.

    A field that the format does not know is ignored by every reader, and is no fault where it holds nothing to read.
    """
    if nothing := _no_events(x):
        yield nothing
        return
    for number, line in enumerate(LINE.split(x.body.removeprefix(b"\xef\xbb\xbf")), start=1):
        if not _reads_on(line):
            so = "clients drop the line in silence"
            yield violation(
                f"line {number}", expected="data, event, id or retry", got=line[:200].decode("utf-8", "replace"), so=so
            )
            break
    for chunk in x.chunks:
        if chunk.done or not chunk.data.strip():
            continue
        if not isinstance(chunk.json, dict):
            got = chunk.fault or chunk.data
            so = "a client that reads its choices falls over, or has left at the [DONE] before it"
            judges = (causes.WHOLE_EVENTS, causes.UTF_8)
            yield violation(f"event {chunk.index}", expected="one JSON object", got=got, so=so, causes=judges)
    if x.tail.strip():
        got = x.tail[:200].decode("utf-8", "replace")
        yield violation("the end", expected="an empty line after the last event", got=got, so="clients drop the event")


@rule(row="sse/3", level=Level.MUST, of=traits.STREAM, source="openai-python Stream: JSONDecodeError on empty data")
def no_event_is_empty(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """No event has empty data."""
    if nothing := _no_events(x):
        yield nothing
        return
    ended = False
    for chunk in x.chunks:
        ended = ended or chunk.data.startswith("[DONE]")
        if not chunk.data.strip():
            so = "clients have left: it is for nobody" if ended else "the SDK decodes it as JSON and raises"
            yield violation(f"event {chunk.index}", expected="data", got="an empty event", so=so)


@rule(row="sse/5", level=Level.MUST, of=traits.STREAM, source="OpenAPI document, stream: terminated by data: [DONE]")
def done_comes_once_and_last(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The stream ends with data: [DONE], sent once."""
    done = [chunk.index for chunk in x.chunks if chunk.done]
    if not done:
        got = f"{len(x.chunks)} events, {x.error or 'then the end'}"
        so = "a client cannot tell a whole answer from a torn one"
        unread = (causes.EVENTS,) if x.chunks and not isinstance(x.chunks[-1].json, dict) else ()
        judges = (*look.by_label(x), *unread, *look.by_events(x))
        yield violation("the end", expected="data: [DONE]", got=got, so=so, causes=judges)
    elif len(done) > 1:
        yield violation(f"event {done[1]}", expected="one [DONE]", got=f"{len(done)} of them")
    elif done[0] != len(x.chunks) - 1:
        after = x.chunks[done[0] + 1].data
        yield violation(
            f"event {done[0] + 1}", expected="nothing after [DONE]", got=after, so="clients have left: it is lost"
        )


@rule(row="sse/6", level=Level.MUST, of=traits.STREAM, source="openai-python accumulate_delta")
def role_is_sent_once(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The first chunk of a choice carries "role": "assistant"; no later chunk repeats it."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    seen: set[int] = set()
    for chunk, index, _choice, delta in chat.deltas(x):
        role = delta.get("role")
        if index not in seen and role != "assistant":
            so = "a client that builds the message from the deltas has to guess whose it is"
            judges = look.by_unread(x)
            yield violation(_at(chunk, index), expected='"role": "assistant"', got=role, so=so, causes=judges)
        elif index in seen and role not in (None, ""):
            so, judges = _joined(x, index), look.by_count(x)
            yield violation(_at(chunk, index), expected="no role again", got=role, so=so, causes=judges)
            return
        seen.add(index)


@rule(row="sse/7", level=Level.MUST, of=traits.STREAM, source="OpenAPI document: each chunk has the same id, timestamp")
def identity_is_constant(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """id, model and object are the same on every chunk, and object is "chat.completion.chunk"."""
    if nothing := look.no_chunk(x):
        yield nothing
        return
    chunks = chat.chunks(x)
    first = chunks[0]
    if first.json.get("object") != CHUNK:
        got = first.json.get("object")
        taken = isinstance(got, str) and not first.json.get("error")  # else the SDK raises, or never looks at it
        so = "the SDK's stream helper skips the chunk" if taken else ""
        where, judges = f"chunk {first.index}, object", (causes.SCHEMA,)
        yield violation(where, expected=f'"{CHUNK}"', got=got, so=so, causes=judges)
    for name in IDENTITY:
        yield from _constant(name, chunks)


@rule(row="sse/7", level=Level.MUST, of=LONG, source="OpenAPI document: each chunk has the same timestamp")
def created_is_constant(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """created is the same on every chunk: the time the answer was begun, not the chunk's own.

    A server that stamps each chunk with its own time shows it only where a stream crosses the turn of a second. The
    scenario is long enough for that on most hosts, and nothing here makes sure of it: of a stream that came within one
    second a PASS says no more than that nothing wrong was to be seen.
    """
    if nothing := look.no_chunk(x):
        yield nothing
        return
    yield from _constant("created", chat.chunks(x))


def _joined(x: Exchange, index: int) -> str:
    """What becomes of a role that is sent more than once: those that join deltas join it too."""
    roles = [delta.get("role") for _chunk, i, _choice, delta in chat.deltas(x) if i == index]
    if all(role is None or isinstance(role, str) for role in roles):
        whole = "".join(role or "" for role in roles)
        if whole == "assistant":
            return ""
        return f'those that join deltas, as the SDK does, have the role "{shorten(whole, 40)}": the turn is dropped'
    return "those that join deltas fall over"


def _constant(name: str, chunks: Sequence[Chunk]) -> Iterator[Finding]:
    first = chunks[0].json
    other = next((c for c in chunks if c.json.get(name) != first.get(name) or name not in c.json), None)
    if other is not None:
        so = "a client that groups chunks by it sees several answers"
        where, expected = f"chunk {other.index}, {name}", shorten(first.get(name, "one on every chunk"))
        named = all(each.get("object") == CHUNK for each in (first, other.json))  # else it is of another kind
        judges = () if named and name in other.json and name in first else (causes.SCHEMA,)
        yield violation(where, expected=expected, got=other.json.get(name), so=so, causes=judges)


@rule(row="sse/8", level=Level.MUST, of=traits.STREAM, source="OpenAPI document, finish_reason; SGLang and vLLM tests")
def one_finish_reason_per_choice(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Each choice has exactly one chunk whose finish_reason is not null."""
    if nothing := look.no_chunk(x):
        yield nothing
        return
    answers = chat.answers(x)
    if not answers:
        yield violation("choices", expected="a choice that finishes", got="no choice in any chunk")
    for answer in answers.values():
        if not answer.finishes:
            so, judges = "a client cannot tell a whole answer from a cut one", look.by_unread(x)
            yield violation(f"choice {answer.index}, finish_reason", expected="one", got="none", so=so, causes=judges)
        elif len(answer.finishes) > 1:
            (_, first), (where, second) = answer.finishes[:2]
            got = f"{shorten(first, 40)}, then {shorten(second, 40)}"
            so, strange = "a client ends the turn twice", any(r not in chat.FINISH_REASONS for r in answer.reasons)
            judges = (causes.FINISH_KNOWN,) if strange else look.by_count(x)
            yield violation(f"{where}, finish_reason", expected="one", got=got, so=so, causes=judges)


@rule(row="sse/8", level=Level.SHOULD, of=traits.STREAM, source="OpenAPI document, finish_reason: required, nullable")
def finish_reason_is_null_before_the_end(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Before the last chunk of a choice its finish_reason is there, as null; at the end sse/8 asks for a reason."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    last = {index: chunk.index for chunk, index, _choice, _delta in chat.deltas(x)}
    for chunk, index, choice, _delta in chat.deltas(x):
        if "finish_reason" not in choice and chunk.index < last[index]:
            so = "a client that holds chunks against the published schema refuses it"
            yield violation(f"{_at(chunk, index)}, finish_reason", expected="null", got="no such key", so=so)
            return


@rule(row="sse/10", level=Level.MUST, of=traits.USAGE, source="OpenAPI document, stream_options.include_usage")
def usage_comes_last(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """With include_usage the last chunk before [DONE] holds usage and an empty list of choices."""
    if nothing := look.no_chunk(x):
        yield nothing
        return
    last = chat.chunks(x)[-1]
    if not isinstance(last.json.get("usage"), dict):
        so = "a client that reads the usage of the last chunk has none"
        where, got = f"chunk {last.index}, usage", last.json.get("usage")
        known = (causes.USAGE,) if chat.usage(x) is None else ()  # that there is any is judged there
        judges = known if "choices" in last.json else (*known, causes.SCHEMA)
        yield violation(where, expected="an object, last", got=got, so=so, grave=True, causes=judges)
    elif last.json.get("choices") != []:
        got = last.json.get("choices", "no such key")
        so = "a client that goes over choices takes it for a part of the answer, or falls over"
        judges = () if isinstance(got, list) else (causes.SCHEMA,)
        yield violation(f"chunk {last.index}, choices", expected="[] beside usage", got=got, so=so, causes=judges)


@rule(
    row="sse/13",
    part="words where a plain answer has some",
    level=Level.MUST,
    of=BOTH_WAYS,
    source="OpenAPI document, stream: the same answer in pieces",
)
def stream_has_content_where_a_plain_answer_has(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A request that is answered with words, thought or calls is so both ways: plain, and as a stream.

    Whether both say the same is not judged: two answers of one model may differ.
    """
    plain, stream = (xs.get(name) for name in ("plain", "stream"))
    if plain is None or stream is None or not plain.body or stream.error or not (stream.chunks or stream.is_stream):
        elsewhere = tuple(rule + causes.SOME for rule in (causes.LABELLED, causes.EVENTS))
        judges = (causes.ANSWERED, causes.FRAMED, *elsewhere)
        yield no_evidence("the answers", expected="a plain one and a whole stream", got=_sizes(xs), causes=judges)
        return
    filled = {name: chat.says_anything(x) for name, x in xs.items()}
    if not any(filled.values()):
        yield no_evidence("the answers", expected="content in one of them", got=_sizes(xs))
    elif not filled["stream"]:
        so = "a client that streams shows nothing, where one that does not has an answer"
        yield violation(
            "the stream",
            expected="content, as the plain answer has",
            got=_sizes(xs),
            so=so,
            about="stream",
            causes=(*look.by_choices(stream), *look.by_events(stream)),
        )
    elif not filled["plain"]:
        so = "a client that does not stream gets an empty answer"
        yield violation(
            "the plain answer",
            expected="content, as the stream has",
            got=_sizes(xs),
            so=so,
            about="plain",
            causes=(*look.by_choices(plain), *look.by_content(plain)),
        )


@rule(
    row="sse/18",
    level=Level.MUST,
    of=STREAM_FAULT,
    answer=False,
    source="OpenAI's API; openai-python raises by status",
)
def faults_are_refused_before_the_stream(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A faulty request for a stream gets a 4xx and JSON, not 200 and an event stream."""
    found = list(look.not_refused(x, so="the client takes the request for accepted, and its answer for torn"))
    for finding in found:
        yield replace(finding, causes=(*finding.causes, causes.BEYOND))
    if not found and x.is_stream:
        so = "" if x.body.lstrip().startswith(b"{") else "the SDK finds no error object in it"
        yield violation("Content-Type", expected="application/json", got=x.content_type, so=so)


@rule(row="sse/24", level=Level.MUST, of=traits.STREAM, source="RFC 9112 6 and 7.1; curl error 18")
def body_is_terminated(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A stream has no Content-Length, and a chunked one ends with the terminating chunk."""
    if (length := x.header("content-length")) is not None:
        so = "the whole answer was there before the first byte was sent, or the length is wrong"
        judges = (*look.by_label(x), *((causes.FRAMED,) if x.chunked else ()))
        yield violation("Content-Length", expected="none", got=length, so=so, causes=judges)
    if x.error:
        so = "curl and proxies report a broken transfer"
        got, judges = x.detail or x.error, (causes.FRAMED,)
        yield violation("the end", expected="the end of the body", got=got, so=so, causes=judges)
    elif x.chunked and not x.last_chunk:
        so = "curl and proxies report a broken transfer"
        got, judges = "the end of the connection", (causes.FRAMED,)
        yield violation("the end", expected="the terminating chunk 0", got=got, so=so, causes=judges)


def _sizes(xs: Mapping[str, Exchange]) -> str:
    told = (f"{name}: {x.error or x.status}, {len(x.body)} bytes, {len(x.chunks)} events" for name, x in xs.items())
    return "; ".join(told)


def _at(chunk: Chunk, index: int) -> str:
    return f"chunk {chunk.index}, choice {index}"


def _reads_on(line: bytes) -> bool:
    """Whether a reader loses nothing in a line: it is a field or a comment, or a field of the server's own."""
    name, _, value = line.partition(b":")
    if not name or name in FIELDS:
        return True
    return bool(OWN.fullmatch(name)) and name.lower() not in MEANT and not value.lstrip().startswith((b"{", b"["))


def _no_events(x: Exchange) -> Finding | None:
    """A stream without any event leaves nothing to judge but that."""
    return None if x.chunks or x.tail else look.no_chunk(x)
