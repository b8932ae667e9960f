"""Faults of event streams: of what they say, how they end and how they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.golden import edits
from tests.golden.edits import Json, each_choice, with_usage
from tests.golden.faults import sse
from tests.golden.faults.sse import has_token
from tests.golden.items import DONE, Act, Item, Pause, Piece, Raw, encode, event
from tests.golden.registry import Call, Shot, fault, streaming


def _changed(content: Callable[[str], str]) -> Callable[[Json], Json]:
    """A choice of a chunk with other words."""

    def change(choice: Json) -> Json:
        said = choice["delta"].get("content")
        if not said or (new := content(said)) == said:
            return choice
        return {**choice, "delta": {**choice["delta"], "content": new}}

    return change


def _has(call: Call, name: str) -> bool:
    return streaming(call) and call.says(name) not in (None, False)


# ends


@fault("words-after-the-end", caught_by=sse.AFTER, stage="events", when=streaming)
def words_after_the_end(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The last word comes behind the finish_reason."""
    kept: Item | None = None
    for item in items:
        if has_token(item):
            if kept is not None:
                yield kept
            kept = item
            continue
        yield item
        ends = isinstance(item, dict) and any(choice.get("finish_reason") for choice in item["choices"])
        if ends and kept is not None:
            shot.fire()
            yield kept
            kept = None


@fault("usage-in-every-chunk", caught_by=sse.ELSEWHERE, stage="chunk", when=streaming)
def usage_in_every_chunk(body: Json, shot: Shot) -> Json:
    """Each chunk has a usage of zeros (Ollama's completions)."""
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return {**body, "usage": zeros} if body["choices"] else body


@fault("failure-as-text", caught_by=sse.FAILURE, stage="events", when=streaming)
def failure_as_text(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream fails in its middle, and tells it as {"error": "..."}."""
    yield from _failing(items, shot, {"error": "upstream is gone"})


@fault("failure-as-detail", caught_by=sse.FAILURE, stage="events", when=streaming)
def failure_as_detail(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream fails in its middle, and tells it as {"detail": "..."}."""
    yield from _failing(items, shot, {"detail": "upstream is gone"})


@fault("failure-by-another-field", caught_by=sse.FAILURE, stage="events", when=streaming)
def failure_by_another_field(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream fails in its middle, and tells it in a field of its own: error: (llama.cpp of old)."""
    yield from _failing(items, shot, Raw(b'error: {"message": "upstream is gone"}\n\n'))


def _failing(items: Iterator[Item], shot: Shot, last: Item) -> Iterator[Item]:
    for item in items:
        yield item
        if has_token(item):
            shot.fire()
            yield last
            yield Act.CUT
            return


@fault("wordless-stream-of-nothing", caught_by=sse.WORDLESS, stage="events", when=streaming)
def wordless_stream_of_nothing(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream without a word is [DONE] alone."""
    held = list(items)
    if any(map(has_token, held)):
        yield from held
        return
    shot.fire()
    yield DONE


def _without_calls(choice: Json) -> Json:
    delta = {name: value for name, value in choice["delta"].items() if name != "tool_calls"}
    return {**choice, "delta": delta} if len(delta) < len(choice["delta"]) else choice


@fault("calls-in-the-end-alone", caught_by=sse.AGREES, stage="chunk", when=streaming)
def calls_in_the_end_alone(body: Json, shot: Shot) -> Json:
    """The pieces of calls never come, and the stream ends with calls (llama.cpp issue 21771)."""
    return each_choice(body, _without_calls)


@fault("end-repeats-another-message", caught_by=sse.AGREES, stage="chunk", when=streaming)
def end_repeats_another_message(body: Json, shot: Shot) -> Json:
    """The end of a choice repeats its message, with other words."""
    said = {"role": "assistant", "content": "Something else."}
    return each_choice(body, lambda choice: {**choice, "message": said} if choice["finish_reason"] else choice)


# words


@fault("stream-in-latin-1", caught_by=sse.UTF_8, stage="events", when=streaming)
def stream_in_latin_1(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream is of Latin-1."""
    for item in items:
        if not isinstance(item, dict):
            yield item
            continue
        text = encode(item).decode()
        spoiled = b"data: " + text.replace("Hello", "Hall\u00f6chen").encode("latin-1", "replace") + b"\n\n"
        if not text.isascii() or "Hello" in text:
            shot.fire()
        yield Raw(spoiled)


@fault("half-of-a-pair", caught_by=sse.UTF_8, stage="events", when=streaming)
def half_of_a_pair(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A character beyond the first plane is cut in the middle of its escapes."""
    for item in items:
        if has_token(item) and isinstance(item, dict) and not shot.fired:
            shot.fire()
            words = each_choice(item, _changed(lambda text: f"{text}HALF"))
            yield Raw(event(words).replace(b"HALF", b"\\ud83d"))
        else:
            yield item


def _lossy(choice: Json) -> Json:
    return _changed(lambda text: "".join(c if c.isascii() else "\ufffd" for c in text) + " ")(choice)


@fault("every-script-replaced", caught_by=sse.REPLACED, stage="chunk", when=streaming)
def every_script_replaced(body: Json, shot: Shot) -> Json:
    """What is not ASCII is replaced: tokens are decoded one by one."""
    return each_choice(body, _lossy)


@fault("far-planes-replaced", caught_by=sse.REPLACED, stage="chunk", when=streaming)
def far_planes_replaced(body: Json, shot: Shot) -> Json:
    """What takes four bytes is replaced."""
    return each_choice(body, _changed(lambda text: re.sub("[^\u0000-\uffff]", "\ufffd", text)))


@fault("cut-stream-ends-in-half", caught_by=sse.CUTS, stage="chunk", when=streaming)
def cut_stream_ends_in_half(body: Json, shot: Shot) -> Json:
    """The end of a stream that was cut brings the half of a character."""
    return each_choice(
        body,
        lambda choice: {**choice, "delta": {"content": "\ufffd"}} if choice["finish_reason"] == "length" else choice,
    )


@fault("stream-counts-its-chunks", caught_by=sse.COUNTS, stage="chunk", when=streaming)
def stream_counts_its_chunks(body: Json, shot: Shot) -> Json:
    """The usage of a stream leaves the tokens of its template out."""
    return with_usage(body, prompt_tokens=lambda n: n - 3, total_tokens=lambda n: n - 3)


@fault("stream-loses-a-blank", caught_by=sse.ALIKE, stage="chunk", when=streaming)
def stream_loses_a_blank(body: Json, shot: Shot) -> Json:
    """Blanks at the beginning of tokens are lost in streams."""
    return each_choice(body, _changed(lambda text: text.lstrip(" ") or text))


@fault("stream-ends-otherwise", caught_by=sse.ALIKE, stage="chunk", when=streaming)
def stream_ends_otherwise(body: Json, shot: Shot) -> Json:
    """A stream always says that it ended by itself."""
    return each_choice(body, lambda c: {**c, "finish_reason": "stop"} if c["finish_reason"] == "length" else c)


@fault("last-words-lost", caught_by=sse.ALIKE, stage="events", when=streaming)
def last_words_lost(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The words before the end of a stream are lost: they come with its finish_reason, and that is read alone."""
    held: Item | None = None
    for item in items:
        ends = isinstance(item, dict) and any(choice["finish_reason"] for choice in item["choices"])
        if held is not None and ends:
            shot.fire()
        elif held is not None:
            yield held
        held = item if isinstance(item, dict) and has_token(item) else None
        if held is None:
            yield item
    if held is not None:
        yield held


@fault("message-in-place-of-a-delta", caught_by=sse.DELTAS, stage="chunk", when=streaming)
def message_in_place_of_a_delta(body: Json, shot: Shot) -> Json:
    """Chunks have a message beside their delta."""
    return each_choice(body, lambda choice: {**choice, "message": {"role": "assistant", **choice["delta"]}})


@fault("deltas-repeat-all", caught_by=sse.DELTAS, stage="chunk", when=streaming)
def deltas_repeat_all(body: Json, shot: Shot) -> Json:
    """Each delta has all that was said so far."""

    def whole(text: str) -> str:
        shot.scratch["said"] = shot.scratch.get("said", "") + text
        return str(shot.scratch["said"])

    return each_choice(body, _changed(whole))


@fault("logprobs-of-the-token-before", caught_by=sse.TOKENS, stage="chunk", when=lambda c: _has(c, "logprobs"))
def logprobs_of_the_token_before(body: Json, shot: Shot) -> Json:
    """The log probabilities of a chunk are those of the chunk before it."""

    def change(choice: Json) -> Json:
        if not choice.get("logprobs"):
            return choice
        before = shot.scratch.get("before", choice["logprobs"])
        shot.scratch["before"] = choice["logprobs"]
        return {**choice, "logprobs": before}

    return each_choice(body, change)


@fault("second-choice-first", caught_by=sse.INDICES, stage="events", when=edits.several)
def second_choice_first(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The chunk of the second choice comes before that of the first."""
    first = next(items, None)
    second = next(items, None)
    if isinstance(first, dict) and isinstance(second, dict):
        shot.fire()
        first, second = second, first
    yield from (item for item in (first, second) if item is not None)
    yield from items


# pace


@fault("stream-at-once", caught_by=sse.PACE, stage="events", when=streaming)
def stream_at_once(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream is kept back, and comes as a whole."""
    shot.fire()
    yield Pause(0.6)
    yield Raw(b"".join(event(item) for item in items if isinstance(item, dict | Raw)))


@fault("stream-to-be-buffered", caught_by=sse.HEAD, stage="wire", when=streaming)
def stream_to_be_buffered(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """The head of a stream says nothing to proxies."""
    shot.fire()
    for piece in pieces:
        yield piece.replace(b"Cache-Control: no-cache\r\n", b"", 1) if isinstance(piece, bytes) else piece
