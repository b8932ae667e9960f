"""Where a stream is cut into deltas, which the specification says nothing of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.golden.edits import Json, each_choice
from tests.golden.items import DONE, Item
from tests.golden.registry import Call, Shot, freedom, streaming

ROLE, LAST, EMPTY, CHOICES = 3, 4, 5, 6
"""Turns: what is joined is joined before empty deltas stand between, and choices are put together at the end."""

SPLIT = "OpenAPI document, stream: partial message deltas; nothing is said of where they are cut"
DELTA = "OpenAPI document, ChatCompletionStreamResponseDelta: no field is required, content is nullable"


def _of_words(call: Call) -> bool:
    """A stream of words: with log probabilities each token has its own delta."""
    return streaming(call) and not call.says("logprobs")


def _choice(item: Item) -> Json | None:
    """The only choice of a chunk; None where there is none, or more."""
    return item["choices"][0] if isinstance(item, dict) and len(item["choices"]) == 1 else None


def _said(delta: Json) -> set[str]:
    """Where a delta says anything; what is no text and no calls says nothing."""
    return {key for key, value in delta.items() if value and (isinstance(value, str) or key == "tool_calls")}


def _with(item: Item, **changes: Any) -> Json:
    assert isinstance(item, dict)
    return each_choice(item, lambda choice: {**choice, **changes})


@freedom("delta-a-letter", of="deltas", source=SPLIT, stage="events", when=_of_words)
def delta_a_letter(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Each letter has a delta of its own."""
    for item in items:
        choice = _choice(item)
        if choice and _said(choice["delta"]) == {"content"} and not choice["finish_reason"]:
            shot.fire()
            delta = choice["delta"]
            yield from (_with(item, delta={**delta, "content": letter}) for letter in delta["content"])
        else:
            yield item


@freedom("role-without-content", of="role", source=DELTA, stage="chunk")
def role_without_content(body: Json, shot: Shot) -> Json:
    """The delta with the role has nothing else."""
    return each_choice(body, lambda c: {**c, "delta": {"role": "assistant"}} if "role" in c["delta"] else c)


@freedom("role-beside-null", of="role", source=DELTA, stage="chunk")
def role_beside_null(body: Json, shot: Shot) -> Json:
    """The delta with the role has null as content."""
    return each_choice(body, lambda c: {**c, "delta": {**c["delta"], "content": None}} if "role" in c["delta"] else c)


@freedom("role-beside-words", of="role", source=DELTA, stage="events", when=streaming, turn=ROLE)
def role_beside_words(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The first delta of a choice has its role and what comes first."""
    held: dict[int, str] = {}
    for item in items:
        choice = _choice(item)
        if choice and _said(choice["delta"]) == {"role"} and not choice["finish_reason"]:
            held[choice["index"]] = choice["delta"]["role"]
            continue
        if choice and (role := held.pop(choice["index"], None)):
            shot.fire()
            yield _with(item, delta={"role": role, **choice["delta"]})
            continue
        yield item


@freedom(
    "words-in-the-last-chunk",
    of="last chunk",
    source="OpenAPI document, CreateChatCompletionStreamResponse: finish_reason and delta of one choice",
    stage="events",
    when=_of_words,
    turn=LAST,
)
def words_in_the_last_chunk(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The chunk that finishes has the last words."""
    held: dict[int, Item] = {}
    for item in items:
        choice = _choice(item)
        if choice is None:
            if item is DONE or isinstance(item, dict):
                yield from held.values()
                held = {}
            yield item
            continue
        before = held.pop(choice["index"], None)
        if choice["finish_reason"] and before is not None:
            shot.fire()
            yield _with(before, finish_reason=choice["finish_reason"])
            continue
        if before is not None:
            yield before
        if not choice["finish_reason"] and _said(choice["delta"]) == {"content"}:
            held[choice["index"]] = item
        else:
            yield item


@freedom("last-delta-beside-null", of="last chunk", source=DELTA, stage="chunk")
def last_delta_beside_null(body: Json, shot: Shot) -> Json:
    """The chunk that finishes has null as content."""
    return each_choice(body, lambda c: {**c, "delta": {"content": None}} if c["finish_reason"] else c)


def _among(items: Iterator[Item], shot: Shot, delta: Json) -> Iterator[Item]:
    """With a chunk of this delta after each that neither begins a choice nor ends it."""
    for item in items:
        yield item
        choice = _choice(item)
        if choice and choice["delta"] and not choice["finish_reason"]:
            shot.fire()
            yield _with(item, delta=delta, logprobs=None)


@freedom("empty-deltas", of="empty deltas", source=DELTA, stage="events", when=streaming, turn=EMPTY)
def empty_deltas(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A delta of nothing follows each one."""
    return _among(items, shot, {})


@freedom("deltas-without-words", of="empty deltas", source=DELTA, stage="events", when=streaming, turn=EMPTY)
def deltas_without_words(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A delta of an empty content follows each one."""
    return _among(items, shot, {"content": ""})


@freedom("deltas-of-null", of="empty deltas", source=DELTA, stage="events", when=streaming, turn=EMPTY)
def deltas_of_null(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A delta whose content is null follows each one."""
    return _among(items, shot, {"content": None})


@freedom(
    "choices-one-after-the-other",
    of="choices",
    source="OpenAPI document, choices[].index: tells them apart",
    stage="events",
    when=streaming,
    turn=CHOICES,
)
def choices_one_after_the_other(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A choice is told to its end before the next one begins."""
    held: dict[int, list[Item]] = {}
    for item in items:
        choice = _choice(item)
        if choice and choice["index"]:
            shot.fire()
            held.setdefault(choice["index"], []).append(item)
            continue
        if not choice:
            for each in held.values():
                yield from each
            held = {}
        yield item


@freedom(
    "choices-in-one-chunk",
    of="choices",
    source="OpenAPI document, choices: an array, more than one if n is greater than 1",
    stage="events",
    when=streaming,
    turn=CHOICES,
)
def choices_in_one_chunk(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """What several choices say at one time comes in one chunk, the last of them first."""
    held: list[Item] = []
    for item in items:
        choice = _choice(item)
        if held and (choice is None or not _later(choice, held[-1])):
            yield _joined(held, shot)
            held = []
        if choice is None:
            yield item
        else:
            held.append(item)


def _later(choice: Json, before: Item) -> bool:
    last = _choice(before)
    return last is not None and choice["index"] > last["index"]


def _joined(held: list[Item], shot: Shot) -> Item:
    if len(held) == 1:
        return held[0]
    shot.fire()
    choices = [choice for item in reversed(held) if (choice := _choice(item))]
    first = held[0]
    assert isinstance(first, dict)
    return {**first, "choices": choices}
