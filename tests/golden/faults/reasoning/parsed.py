"""Thought and answer that were not parted as the model wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.golden.answers import Answer
from tests.golden.edits import Json, each_choice, without
from tests.golden.faults.optional import with_thought
from tests.golden.faults.reasoning.told import TOLD, each_held, streams_thought, switched_off
from tests.golden.items import Item
from tests.golden.registry import Shot, fault, freedom

MARKED = "reasoning/content-holds-no-marker"
FOLLOWS = "reasoning/answer-follows-the-thought"
ORDER = "reasoning/thought-comes-before-content"
DELTAS = "sse/deltas-are-deltas"


@fault("thought-in-a-channel-of-its-own", caught_by=MARKED, stage="draft")
def thought_in_a_channel_of_its_own(answer: Answer, shot: Shot) -> Answer:
    """Thought stands in the content, between the markers of a model that was not known (LM Studio bug tracker 2013)."""
    if not answer.reasoning:
        return answer
    return replace(
        answer, reasoning=(), content=("<|channel>thought\n", *answer.reasoning, "<channel|>", *answer.content)
    )


@fault("closing-marker-is-torn", caught_by=MARKED, stage="draft", when=streams_thought)
def closing_marker_is_torn(answer: Answer, shot: Shot) -> Answer:
    """The marker that closes a thought comes in two deltas, and each half is told as text (vllm-mlx pull request
    677)."""
    if not answer.reasoning or not answer.content:
        return answer
    return replace(answer, reasoning=(*answer.reasoning, "</thi"), content=("nk>", *answer.content))


@fault("answer-is-all-thought", caught_by=FOLLOWS, stage="draft")
def answer_is_all_thought(answer: Answer, shot: Shot) -> Answer:
    """What closes the thought is not found, and the answer is told as a part of it (LM Studio bug tracker 1602, SGLang
    issue 37645)."""
    if not answer.reasoning or not answer.content:
        return answer
    return replace(answer, reasoning=(*answer.reasoning, *answer.content), content=())


@fault("answer-lost-in-streams", caught_by=FOLLOWS, stage="chunk", when=streams_thought)
def answer_lost_in_streams(body: Json, shot: Shot) -> Json:
    """A stream ends with its thought: what follows is held back until it is too late (vLLM issue 49717)."""
    return each_held(body, lambda m: {**m, "content": ""} if m.get("content") else m)


@fault("beginning-of-the-answer-lost", caught_by=FOLLOWS, stage="chunk", when=streams_thought)
def beginning_of_the_answer_lost(body: Json, shot: Shot) -> Json:
    """The first delta of a stream's content is taken for a part of the marker before it (SGLang issue 8569)."""

    def lost(message: Json) -> Json:
        if not message.get("content") or shot.scratch.get("lost"):
            return message
        shot.scratch["lost"] = True
        return {**message, "content": ""}

    return each_held(body, lost)


@fault("thought-lost-in-plain-answers", caught_by=ORDER, stage="whole", when=with_thought)
def thought_lost_in_plain_answers(body: Json, shot: Shot) -> Json:
    """A plain answer leaves the thought out that a stream tells."""
    return each_held(body, lambda m: without(m, TOLD))


@fault("thought-once-more-at-its-end", caught_by=ORDER, stage="events", when=streams_thought)
def thought_once_more_at_its_end(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Before the content a stream tells the whole thought once more (goose pull request 7869 has it of its own)."""
    told: list[str] = []
    for item in items:
        choice = item["choices"][0] if isinstance(item, dict) and item["choices"] else None
        if choice and TOLD in choice["delta"]:
            told.append(choice["delta"][TOLD])
        elif choice and told and choice["delta"].get("content"):
            shot.fire()
            again = {TOLD: "".join(told)}
            told.clear()
            yield each_choice(item, lambda c, again=again: {**c, "delta": again})
        yield item


@fault("thought-twice-in-each-delta", caught_by=DELTAS, stage="events", when=streams_thought)
def thought_twice_in_each_delta(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Each delta of thought is sent twice (bifrost issue 6427)."""
    for item in items:
        yield item
        if isinstance(item, dict) and item["choices"] and TOLD in item["choices"][0]["delta"]:
            shot.fire()
            yield item


@fault("thought-grows-in-deltas", caught_by=DELTAS, stage="chunk", when=streams_thought)
def thought_grows_in_deltas(body: Json, shot: Shot) -> Json:
    """Each delta of thought holds all of the thought so far (oh-my-pi pull request 2434: so from MiniMax)."""

    def grown(message: Json) -> Json:
        if TOLD not in message:
            return message
        shot.scratch["told"] = shot.scratch.get("told", "") + message[TOLD]
        return {**message, TOLD: shot.scratch["told"]}

    return each_held(body, grown)


@fault("off-leaves-empty-markers", caught_by="reasoning/thinking-can-be-switched-off", stage="draft", when=switched_off)
def off_leaves_empty_markers(answer: Answer, shot: Shot) -> Answer:
    """Where thinking is switched off an empty thought stands in the content, between its markers (Qwen3's template)."""
    return replace(answer, content=("<think>", "\n\n", "</think>", "\n\n", *answer.content))


@freedom(
    "thought-speaks-of-markers",
    stage="draft",
    when=with_thought,
    of="words of thought",
    source="vLLM pull request 53924, llama.cpp issue 27661: within a thought a marker is a word",
)
def thought_speaks_of_markers(answer: Answer, shot: Shot) -> Answer:
    """A thought speaks of the marker that closes it."""
    if len(answer.reasoning) < 8:
        return answer
    return replace(answer, reasoning=(*answer.reasoning[:4], " Not", " </think>", " yet", ".", *answer.reasoning[4:]))


@freedom(
    "other-words-in-streams",
    stage="draft",
    when=streams_thought,
    of="words after thought",
    source="OpenAPI document, seed: best effort, determinism is not guaranteed",
)
def other_words_in_streams(answer: Answer, shot: Shot) -> Answer:
    """A stream says a part of what the plain answer says, for the model wrote no more."""
    return replace(answer, content=answer.content[:-3]) if answer.reasoning and len(answer.content) > 6 else answer


@fault("beginning-of-the-thought-lost", caught_by=ORDER, stage="chunk", when=streams_thought)
def beginning_of_the_thought_lost(body: Json, shot: Shot) -> Json:
    """The first delta of a stream's thought is taken for a part of the marker before it."""

    def lost(message: Json) -> Json:
        if not message.get(TOLD) or shot.scratch.get("lost"):
            return message
        shot.scratch["lost"] = True
        return without(message, TOLD)

    return each_held(body, lost)


@fault("end-of-the-thought-lost", caught_by=ORDER, stage="whole", when=with_thought)
def end_of_the_thought_lost(body: Json, shot: Shot) -> Json:
    """The thought of a plain answer lacks its last sentence: it is cut where a marker would be."""
    return each_held(body, lambda m: {**m, TOLD: m[TOLD][:-20]} if len(m.get(TOLD, "")) > 40 else m)


@fault("answer-begins-in-the-thought", caught_by=ORDER, stage="draft", when=streams_thought)
def answer_begins_in_the_thought(answer: Answer, shot: Shot) -> Answer:
    """What the delta holds that ends a thought is thought, in streams: the first words of the answer too."""
    if not answer.reasoning or len(answer.content) < 4:
        return answer
    return replace(answer, reasoning=(*answer.reasoning, *answer.content[:2]), content=answer.content[2:])


@fault("thought-as-a-part-of-the-content", caught_by="chat/content-is-string-or-null", stage="whole", when=with_thought)
def thought_as_a_part_of_the_content(body: Json, shot: Shot) -> Json:
    """The content of a plain answer is a list of two parts, of which one is the thought (Mistral's own API)."""

    def parted(message: Json) -> Json:
        if not message.get(TOLD):
            return message
        parts = [{"type": "thinking", "thinking": message[TOLD]}, {"type": "text", "text": message["content"]}]
        return {**without(message, TOLD), "content": parts}

    return each_held(body, parted)


@freedom(
    "other-thought-in-streams",
    stage="draft",
    when=streams_thought,
    of="words after thought",
    source="OpenAPI document, seed: best effort, determinism is not guaranteed",
)
def other_thought_in_streams(answer: Answer, shot: Shot) -> Answer:
    """A stream tells a part of what the plain answer has thought, for the model thought no more."""
    return replace(answer, reasoning=answer.reasoning[:-3]) if len(answer.reasoning) > 6 else answer


@freedom(
    "blank-thought-where-none-is",
    stage="whole",
    of="thought that is none",
    source="Qwen3's template: with thinking off an empty block stands before the answer; a parser tells what is in it",
)
def blank_thought_where_none_is(body: Json, shot: Shot) -> Json:
    """A plain answer that was not thought about has two line feeds as its thought."""
    return each_held(body, lambda m: m if TOLD in m else {**m, TOLD: "\n\n"})
