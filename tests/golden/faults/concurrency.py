"""Answers that get to the wrong client, slots kept for nobody, queues that break; and what is unusual and right."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.golden import items
from tests.golden.answers import Answer, tokens
from tests.golden.app.slots import Left
from tests.golden.chat import SLOTS
from tests.golden.edits import CAPS, Json, each_choice, failure, get
from tests.golden.faults.structured.asked import of_schema
from tests.golden.items import Act, Piece, Reply
from tests.golden.registry import Call, Shot, chat, fault, freedom, streaming

APART = "concurrency/no-answer-holds-anothers-secret"
BEFORE = "concurrency/no-answer-holds-what-came-before-it"
SCHEMAS = "concurrency/schemas-stay-with-their-request"
SAMPLING = "concurrency/sampling-stays-with-its-request"
LINE = "concurrency/more-requests-than-slots-wait-in-line"
LEAVES = "concurrency/client-that-leaves-a-stream-frees-its-slot"
OTHERWISE = "concurrency/client-that-leaves-otherwise-frees-its-slot"
DROPPED = "concurrency/dropped-connections-leave-nothing-behind"
COUNTED = "concurrency/usage-adds-up-to-the-servers-own-count"
EACH = "concurrency/what-holds-of-one-answer-holds-of-each"

PILE = 12
"""So many connections that were dropped are too many for a server that keeps them."""


def _plain(call: Call) -> bool:
    return chat(call) and not streaming(call)


def _sound(call: Call) -> bool:
    """A chat that can be read."""
    return chat(call) and isinstance(call.says("messages"), list)


def _last(call: Call) -> str:
    """The last message, where it is a text."""
    messages = call.says("messages")
    content = messages[-1].get("content") if isinstance(messages, list) and messages else None
    return content if isinstance(content, str) else ""


def _another(shot: Shot, which: Callable[[Call], Any]) -> Any:
    """What one of the latest other chats has, drawn among those that have it; None where none does."""
    there = [value for call in shot.call.others if (value := which(call))]
    return shot.draw.choice(there) if there else None


@fault("answers-crossed", caught_by=APART, stage="draft", when=chat)
def answers_crossed(answer: Answer, shot: Shot) -> Answer:
    """Whoever asks gets the answer of another who is there (mlx-lm 965)."""
    other: Answer | None = _another(shot, lambda call: call.drafts[0])
    return other or answer


@fault("prompts-crossed", caught_by=APART, stage="body", when=_sound)
def prompts_crossed(body: Json, shot: Shot) -> Json:
    """What is answered is what another has asked: its place in the batch was mixed up (llama.rn 258)."""
    messages = _another(shot, lambda call: call.says("messages"))
    return {**body, "messages": messages} if messages else body


@fault("cache-restores-another", caught_by=BEFORE, stage="body", when=_sound)
def cache_restores_another(body: Json, shot: Shot) -> Json:
    """A conversation that begins as an earlier one did goes on with that one (llama.cpp 27148)."""
    messages = body["messages"]
    if not isinstance(messages, list) or len(messages) < 2:
        return body
    known = shot.memory.setdefault(str(messages[0]), messages)
    return body if known == messages else {**body, "messages": known}


@fault("slot-keeps-who-left", caught_by=BEFORE, stage=("left", "draft"), when=chat)
def slot_keeps_who_left(value: Left | Answer, shot: Shot) -> Left | Answer:
    """In the slot of who left the next answer begins with what that one was told."""
    if isinstance(value, Left):
        shot.memory["left"] = _last(shot.call)
        return value
    left = shot.memory.pop("left", "")
    return replace(value, content=(*tokens(left), *value.content)) if left else value


@fault("grammar-binds-others", caught_by=SCHEMAS, stage="body", when=_sound)
def grammar_binds_others(body: Json, shot: Shot) -> Json:
    """Who asked for no schema is bound to that of another (vLLM 4070)."""
    if body.get("response_format"):
        shot.memory["form"] = body["response_format"]
        return body
    form = shot.memory.get("form")
    return {**body, "response_format": form} if form else body


@fault("grammar-is-overwritten", caught_by=SCHEMAS, stage="body", when=of_schema)
def grammar_is_overwritten(body: Json, shot: Shot) -> Json:
    """An answer is bound to the schema of another request."""
    form = _another(shot, lambda call: call.says("response_format"))
    return {**body, "response_format": form} if form else body


@fault("cap-of-another", caught_by=SAMPLING, stage="body", when=_sound)
def cap_of_another(body: Json, shot: Shot) -> Json:
    """The cap is that of another request."""
    caps = _another(shot, lambda call: {name: call.body[name] for name in CAPS if call.body.get(name)})
    return {**body, **caps} if caps else body


@fault("heat-of-another", caught_by=SAMPLING, stage="draft", when=chat)
def heat_of_another(answer: Answer, shot: Shot) -> Answer:
    """Once a request was drawn at a high temperature, all are (settings of a batch are those of its first)."""
    shot.memory["hot"] = shot.memory.get("hot") or (shot.call.says("temperature") or 0) > 1
    words = [f"{shot.draw.choice('bcdfgh')}{shot.draw.choice('aeiou')} " for _ in range(12)]
    return replace(answer, content=tokens("".join(words))) if shot.memory["hot"] else answer


def _crowded(pieces: Iterator[Piece], shot: Shot, then: Iterator[Piece]) -> Iterator[Piece]:
    """Who comes while all slots are taken gets something else."""
    shot.memory["now"] = shot.memory.get("now", 0) + 1
    try:
        if shot.memory["now"] > SLOTS:
            shot.fire()
            yield from then
        else:
            yield from pieces
    finally:
        shot.memory["now"] -= 1


@fault("no-line-500", caught_by=LINE, stage="wire", when=chat)
def no_line_500(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Who finds all slots taken gets a 500 (llama.cpp 23652)."""
    return _crowded(pieces, shot, items.whole(failure(500, "no slot available"), bodiless=False, close=True))


@fault("no-line-closes", caught_by=LINE, stage="wire", when=chat)
def no_line_closes(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Who finds all slots taken is cut off without a word."""
    return _crowded(pieces, shot, iter((Act.CUT,)))


@fault("slot-is-never-freed", caught_by=LEAVES, stage="left", when=streaming)
def slot_is_never_freed(left: Left, shot: Shot) -> Left:
    """The slot of a stream whose client left is lost for good (llama.cpp 11720)."""
    return replace(left, kept_s=math.inf)


@fault("stream-is-made-for-nobody", caught_by=LEAVES, stage="left", when=streaming)
def stream_is_made_for_nobody(left: Left, shot: Shot) -> Left:
    """A stream whose client left is made to its cap (llama.cpp 24496): for half a minute."""
    return replace(left, kept_s=30.0)


@fault("plain-is-made-for-nobody", caught_by=OTHERWISE, stage="left", when=_plain)
def plain_is_made_for_nobody(left: Left, shot: Shot) -> Left:
    """That a client has left is seen where something is written, so an answer that is no stream is made to its end
    (llama.cpp 13262)."""
    return replace(left, kept_s=30.0) if left.state == "working" else left


@fault("queued-for-nobody", caught_by=OTHERWISE, stage="left", when=chat)
def queued_for_nobody(left: Left, shot: Shot) -> Left:
    """Who left the line is worked on all the same (ik_llama 1020)."""
    return replace(left, kept_s=30.0) if left.state == "queued" else left


@fault("read-for-nobody", caught_by=OTHERWISE, stage="left", when=chat)
def read_for_nobody(left: Left, shot: Shot) -> Left:
    """Who leaves while the prompt is read is noticed by nobody, and the slot is lost."""
    return replace(left, kept_s=math.inf) if left.state == "reading" else left


@fault("dropped-connections-pile-up", caught_by=DROPPED, stage=("left", "wire"), when=chat)
def dropped_connections_pile_up(value: Left | Iterator[Piece], shot: Shot) -> Left | Iterator[Piece]:
    """What serves a connection that was dropped is never cleared up, until nothing is left (llama.cpp 11414)."""
    if isinstance(value, Left):
        shot.memory["dropped"] = shot.memory.get("dropped", 0) + 1
        return value
    if shot.memory.get("dropped", 0) < PILE:
        return value
    shot.fire()
    return iter((Act.STALL,))


@fault("counter-misses-tokens", caught_by=COUNTED, stage="metrics", when=get("/metrics"))
def counter_misses_tokens(numbers: dict[str, int], shot: Shot) -> dict[str, int]:
    """The server's counter of tokens counts answers."""
    return {**numbers, "tokens_predicted_total": numbers["tokens_predicted_total"] // 7}


@fault("finish-is-lost-now-and-then", caught_by=EACH, stage="chunk", when=streaming)
def finish_is_lost_now_and_then(body: Json, shot: Shot) -> Json:
    """Every third stream says no finish_reason."""
    if "third" not in shot.scratch:
        shot.memory["streams"] = shot.memory.get("streams", 0) + 1
        shot.scratch["third"] = shot.memory["streams"] % 3 == 0
    if not shot.scratch["third"] or not any(choice.get("finish_reason") for choice in body["choices"]):
        return body
    return each_choice(body, lambda choice: {**choice, "finish_reason": None})


@freedom(
    "leaving-is-seen-a-second-later",
    of="leaving",
    source="llama.cpp server: whether a client is still there is looked up once a second",
    stage="left",
    when=chat,
)
def leaving_is_seen_a_second_later(left: Left, shot: Shot) -> Left:
    """The slot of who left is free after a second."""
    return replace(left, kept_s=1.0)


@freedom(
    "line-is-short",
    of="line",
    source="OpenAI: 503, the engine is overloaded; Ollama OLLAMA_MAX_QUEUE",
    stage="wire",
    when=chat,
)
def line_is_short(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Of a long line the last ones are told to come later."""
    shot.memory["now"] = shot.memory.get("now", 0) + 1
    try:
        if shot.memory["now"] > 3 * SLOTS:
            shot.fire()
            message = {"error": {"message": "overloaded", "type": "overloaded", "param": None, "code": None}}
            yield from items.whole(Reply(503, message), bodiless=False, close=True)
        else:
            yield from pieces
    finally:
        shot.memory["now"] -= 1
