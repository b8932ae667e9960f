"""Rules on what a stream says, how it ends and how it comes."""

import json

from msgspec.structs import replace

from seatrial.records import SECOND
from tests.checks.specimens import (
    CHUNK,
    COUNTED,
    DONE,
    EVENTS,
    STREAMED,
    USAGE,
    breaks,
    choice,
    delta,
    ends,
    exchange,
    found,
    good,
    holds,
    plain,
    refused,
    stream,
)

ROLE = delta(role="assistant", content="")
CALLS = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]}


def kinds(rule, evidence):
    return [finding.kind for finding in found(rule, evidence)]


def test_each_event_holds_one_whole_object():
    rule = "sse/each-event-holds-one-whole-object"
    holds(rule, [stream(), stream(ROLE, "{broken", ends(), DONE)])
    whole = json.dumps(delta(content="Hello"))
    breaks(rule, stream(ROLE, whole[:20], whole[20:], ends(), DONE), "event 1", whole[:20])
    breaks(rule, stream(ROLE, f"{whole}{whole}", ends(), DONE), "event 1")


def test_nothing_is_said_after_the_end():
    rule = "sse/nothing-is-said-after-the-end"
    holds(rule, [stream(), stream(ROLE, delta(content="a"), ends(), delta(content=""), DONE)])
    breaks(rule, stream(ROLE, ends(), delta(content="a"), DONE), "chunk 2, choice 0, content", "a")
    each = {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}
    one = breaks(rule, stream(ROLE, CHUNK | each, CHUNK | each, DONE), "chunk 2, choice 0, content", "a")
    assert one.causes == ("sse/one-finish-reason-per-choice",)


def test_usage_stands_nowhere_else():
    rule = "sse/usage-stands-nowhere-else"
    holds(rule, [stream(), stream(*good(usage=True), asked=COUNTED)])
    counted = delta(content="a") | {"usage": USAGE}
    breaks(rule, stream(ROLE, counted, ends(), DONE), "chunk 1, usage", "1 chunks")
    breaks(rule, stream(ROLE, counted, *good(usage=True)[1:], asked=COUNTED), "chunk 1, usage")
    *whole, last, done = good(usage=True)
    breaks(rule, stream(*whole, last, last, done, asked=COUNTED), "usage", "2, each with")
    holds(rule, [stream(*whole, last, done, last, asked=COUNTED)])  # behind [DONE]: a rule of its own


def test_failure_is_told_as_an_error():
    rule = "sse/failure-is-told-as-an-error"
    told = {"error": {"message": "upstream is gone"}}
    holds(rule, [stream(), stream(ROLE, told), stream(ROLE, told, DONE), refused()])
    breaks(rule, stream(ROLE, {"error": "gone"}), "event 1", "gone")
    breaks(rule, stream(ROLE, {"detail": "gone"}), "event 1", "gone")
    breaks(rule, stream(ROLE, told, delta(content="a"), ends(), DONE), "event 2")
    own = b'data: {"choices": []}\n\nerror: {"message": "gone"}\n\n'
    breaks(rule, exchange(own, asked=STREAMED, headers=EVENTS, chunked=True), "line 3", "gone")


def test_wordless_stream_is_whole():
    rule = "sse/wordless-stream-is-whole"
    holds(rule, [{"plain": plain(), "stream": stream(ROLE, ends(), DONE)}])
    breaks(rule, {"plain": plain(), "stream": stream(DONE)}, "the role")
    breaks(rule, {"plain": plain(), "stream": stream(ROLE, DONE)}, "the finish_reason")
    assert kinds(rule, {"plain": plain(), "stream": stream()}) == ["refusal"]
    quoted = breaks(rule, {"plain": plain(), "stream": stream(ROLE, ends(), '"[DONE]"')}, "the [DONE]")
    assert "sse/events-are-well-formed[*]" in quoted.causes


def test_end_agrees_with_its_deltas():
    rule = "sse/end-agrees-with-its-deltas"
    holds(rule, [stream(), stream(ROLE, delta(**CALLS), ends("tool_calls"), DONE)])
    assert not breaks(rule, stream(ROLE, ends("tool_calls"), DONE), "choice 0, tool_calls").causes
    for chosen in ("required", {"type": "function", "function": {"name": "f"}}):
        asked = STREAMED | {"tool_choice": chosen}
        one = breaks(rule, stream(ROLE, ends("tool_calls"), DONE, asked=asked), "choice 0, tool_calls")
        assert "tools/named-function-is-called" in one.causes
    last = CHUNK | {"choices": [{"index": 0, "delta": {}, "message": {"content": "Bye"}, "finish_reason": "stop"}]}
    breaks(rule, stream(ROLE, delta(content="Hello"), last, DONE), "chunk 2, choice 0, message", "Bye")


def test_stream_is_utf_8():
    rule = "sse/stream-is-utf-8"
    holds(rule, [stream(), stream(ROLE, delta(content="\U0001f389 日本"), ends(), DONE)])
    latin = 'data: {"choices": [{"index": 0, "delta": {"content": "\xf6"}}]}\n\n'.encode("latin-1")
    settings = {"asked": STREAMED, "headers": EVENTS, "chunked": True}
    breaks(rule, exchange(b'data: {"choices": []}\n\n' + latin, **settings), "byte", "xf6")
    half = b'data: {"choices": []}\n\ndata: {"choices": [{"index": 0, "delta": {"content": "\\ud83d"}}]}\n\n'
    breaks(rule, exchange(half, **settings), "event 1", "ud83d")
    spelt = delta(content='"\\ud83d')  # JSON that a model writes, in two pieces
    holds(rule, [stream(ROLE, spelt, delta(content='\\ude80"'), ends(), DONE)])


def test_no_character_is_replaced():
    rule = "sse/no-character-is-replaced"
    said = plain({"choices": [choice("日本")]})
    holds(rule, [{"plain": said, "stream": stream(ROLE, delta(content="日"), delta(content="本"), ends(), DONE)}])
    lost = stream(ROLE, delta(content="\ufffd\ufffd"), delta(content="x"), ends(), DONE)
    breaks(rule, {"plain": said, "stream": lost}, "the stream", "\ufffd")
    assert kinds(rule, {"plain": said, "stream": stream(ROLE, ends(), DONE)}) == ["no-evidence"]


def test_cut_inside_a_character_is_alike_both_ways():
    rule = "sse/cut-inside-a-character-is-alike-both-ways"
    said, half = plain({"choices": [choice("a")]}), plain({"choices": [choice("a\ufffd")]})
    streamed = stream(ROLE, delta(content="a"), ends("length"), DONE)
    holds(rule, [{"plain 2": said, "stream 2": streamed}])
    breaks(rule, {"plain 2": half, "stream 2": streamed}, "plain 2")
    assert kinds(rule, {"other": said}) == ["no-evidence"]


def test_stream_counts_as_a_plain_answer():
    rule = "sse/stream-counts-as-a-plain-answer"
    counted = stream(*good(usage=True), asked=COUNTED)
    holds(rule, [{"plain": plain(), "stream": counted}, {"plain": plain(), "stream": stream()}])
    other = plain({"usage": USAGE | {"prompt_tokens": 9, "total_tokens": 11}})
    breaks(rule, {"plain": other, "stream": counted}, "usage.prompt_tokens", "5")
    assert kinds(rule, {"plain": plain({"usage": None}), "stream": counted}) == ["no-evidence", "no-evidence"]
    last = {**CHUNK, "choices": [], "usage": USAGE | {"completion_tokens": 1, "total_tokens": 6}}
    short = stream(*good()[:3], ends("length"), last, DONE, asked=COUNTED)
    told = breaks(rule, {"plain": plain(), "stream": short}, "usage.completion_tokens", "1")
    assert told.causes == ("chat/completion-tokens-keep-the-cap[*]",)


def test_stream_says_what_a_plain_answer_says():
    rule = "sse/stream-says-what-a-plain-answer-says"
    holds(rule, [{"first": plain(), "plain": plain(), "stream": stream()}])
    other = stream(ROLE, delta(content="Bye"), ends(), DONE)
    breaks(rule, {"first": plain(), "plain": plain(), "stream": other}, "the stream", "Bye")
    cut = stream(*good()[:3], ends("length"), DONE)
    breaks(rule, {"first": plain(), "plain": plain(), "stream": cut}, "the stream", "length")
    unlike = plain({"choices": [choice("Bye")]})
    assert kinds(rule, {"first": unlike, "plain": plain(), "stream": stream()}) == ["no-evidence"]


def test_deltas_are_deltas():
    rule = "sse/deltas-are-deltas"
    holds(rule, [stream(), stream(ROLE, *(delta(content="a") for _ in range(9)), ends(), DONE)])
    grown = [delta(content="Hello there"[: n + 3]) for n in range(5)]
    breaks(rule, stream(ROLE, *grown, ends(), DONE), "choice 0, content", "Hel")
    thought = [delta(reasoning="So it is"[: n + 3]) for n in range(5)]
    breaks(rule, stream(ROLE, *thought, ends(), DONE), "choice 0, reasoning", "So ")
    twice = [delta(reasoning=letter) for letter in "abcdefgh" for _ in range(2)]
    breaks(rule, stream(ROLE, *twice, ends(), DONE), "choice 0, reasoning", "each twice")
    holds(rule, [stream(ROLE, *twice[:14], ends(), DONE), stream(ROLE, *twice[1:], ends(), DONE)])
    message = CHUNK | {"choices": [{"index": 0, "delta": {}, "message": {"content": "a"}, "finish_reason": None}]}
    breaks(rule, stream(message, ends(), DONE), "chunk 0, choice 0", "a message")


def test_log_probabilities_go_with_their_content():
    rule = "sse/log-probabilities-go-with-their-content"

    def told(text, token):
        made = delta(content=text)
        made["choices"][0]["logprobs"] = {"content": [{"token": token, "logprob": -0.1}]}
        return made

    holds(rule, [stream(), stream(ROLE, told("a", "a"), told(" b", " b"), ends(), DONE)])
    breaks(rule, stream(ROLE, told("a", "a"), told(" b", "a"), ends(), DONE), "chunk 2, choice 0, logprobs", "'a'")


def test_choices_come_under_their_own_index():
    rule = "sse/choices-come-under-their-own-index"
    two = STREAMED | {"n": 2}
    second = delta(1, role="assistant", content="b")
    holds(rule, [stream(ROLE, second, ends(), ends(index=1), DONE, asked=two)])
    breaks(rule, stream(second, ROLE, ends(), ends(index=1), DONE, asked=two), "the first chunk", "choice 1")
    breaks(rule, stream(ROLE, delta(2, content="b"), ends(), DONE, asked=two), "index", "[2]")


def test_events_come_as_they_are_made():
    rule = "sse/events-come-as-they-are-made"
    whole = stream()
    apart = replace(whole, chunks=tuple(replace(chunk, at=SECOND + chunk.index) for chunk in whole.chunks))
    holds(rule, [apart])
    breaks(rule, whole, "the events", "at 1 times")
    late = tuple(replace(chunk, at=10 * SECOND + chunk.index) for chunk in whole.chunks)
    breaks(rule, replace(whole, chunks=late, ended_at=11 * SECOND), "the first event", "9.0 s of 10.0 s")


def test_head_keeps_proxies_from_buffering():
    rule = "sse/head-keeps-proxies-from-buffering"
    holds(rule, [stream(headers=EVENTS | {"cache-control": "no-cache"})])
    holds(rule, [stream(headers=EVENTS | {"x-accel-buffering": "no"})])
    breaks(rule, stream(), "the head", "neither")
