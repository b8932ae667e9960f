"""Thought in the wrong place, at the wrong time, uncounted, or beyond what was allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.golden.answers import Answer, tokens
from tests.golden.app.wants import BUDGETS
from tests.golden.edits import Json, each_choice, failure, without
from tests.golden.faults.optional import with_thought
from tests.golden.items import Item
from tests.golden.registry import Call, Shot, chat, fault, freedom, streaming
from tests.golden.validation import InsteadError, RefusedError

TOLD, OTHER = "reasoning_content", "reasoning"


def streams_thought(call: Call) -> bool:
    return with_thought(call) and streaming(call)


def _thinks_back(call: Call) -> bool:
    """A chat whose earlier turns hold thought in the field in which this server tells it."""
    messages = call.says("messages")
    return chat(call) and isinstance(messages, list) and any(isinstance(m, dict) and TOLD in m for m in messages)


def _with_budget(call: Call) -> bool:
    return chat(call) and any(call.says(name) is not None for name in BUDGETS)


def switched_off(call: Call) -> bool:
    template = call.says("chat_template_kwargs")
    off = isinstance(template, dict) and template.get("enable_thinking") is False
    return chat(call) and (off or call.says("reasoning_effort") == "none")


def each_held(body: Json, change: object) -> Json:
    """With the message or delta of each choice changed."""
    held = "delta" if body["object"].endswith("chunk") else "message"
    return each_choice(body, lambda c: c if (new := change(c[held])) is c[held] else {**c, held: new})  # type: ignore[operator]


@fault("thought-in-two-fields", caught_by="reasoning/thought-has-one-field", stage=("whole", "chunk"))
def thought_in_two_fields(body: Json, shot: Shot) -> Json:
    """Thought is told twice, in reasoning_content and in reasoning (vLLM while it renamed the field, RFC 27755)."""
    return each_held(body, lambda m: {**m, OTHER: m[TOLD]} if TOLD in m else m)


@fault("thought-moves-in-streams", caught_by="reasoning/thought-has-one-field", stage="chunk")
def thought_moves_in_streams(body: Json, shot: Shot) -> Json:
    """A stream tells thought in reasoning, where a plain answer has reasoning_content (dify 33342)."""
    return each_held(body, lambda m: {OTHER: m[TOLD]} if TOLD in m else m)


@fault("thought-in-content", caught_by="reasoning/content-holds-no-marker", stage="draft")
def thought_in_content(answer: Answer, shot: Shot) -> Answer:
    """Thought stands in the content, between its markers (a server without a parser for this model)."""
    if not answer.reasoning:
        return answer
    return replace(answer, reasoning=(), content=("<think>", *answer.reasoning, "</think>", *answer.content))


@fault("cut-thought-in-content", caught_by="reasoning/content-holds-no-marker", stage="answer")
def cut_thought_in_content(answer: Answer, shot: Shot) -> Answer:
    """Thought that the cap cut stays in the content, behind its opening marker (OVMS 4495)."""
    if not answer.reasoning or answer.content:
        return answer
    return replace(answer, reasoning=(), content=("<think>", *answer.reasoning[1:]))


@fault("closing-marker-leaks", caught_by="reasoning/content-holds-no-marker", stage="draft")
def closing_marker_leaks(answer: Answer, shot: Shot) -> Answer:
    """The content begins with the marker that closes the thought before it."""
    return replace(answer, content=("</think>", *answer.content)) if answer.reasoning else answer


@fault("only-what-closes-thought", caught_by="reasoning/content-holds-no-marker", stage="draft")
def only_what_closes_thought(answer: Answer, shot: Shot) -> Answer:
    """Thought stands in the content, with only what closes it: the template opens it (vLLM 13125, OVMS 3829)."""
    if not answer.reasoning:
        return answer
    return replace(answer, reasoning=(), content=(*answer.reasoning, "</think>", *answer.content))


@fault("thought-with-its-marker", caught_by="reasoning/content-holds-no-marker", stage="draft")
def thought_with_its_marker(answer: Answer, shot: Shot) -> Answer:
    """The field of thought begins with the marker that opens it."""
    return replace(answer, reasoning=("<think>", *answer.reasoning)) if answer.reasoning else answer


@fault("thought-in-content-too", caught_by="reasoning/thought-has-one-field", stage="draft")
def thought_in_content_too(answer: Answer, shot: Shot) -> Answer:
    """Thought is told in its field, and once more before the answer."""
    return replace(answer, content=(*answer.reasoning, *answer.content)) if answer.reasoning else answer


@fault(
    "last-of-the-thought-in-content",
    caught_by="reasoning/thought-comes-before-content",
    stage="draft",
    when=streams_thought,
)
def last_of_the_thought_in_content(answer: Answer, shot: Shot) -> Answer:
    """The content of a stream begins with the last piece of the thought (a parser that works on what came together)."""
    if not answer.reasoning or not answer.content:
        return answer
    return replace(answer, content=(*answer.reasoning[-3:], *answer.content))


@fault(
    "thought-after-content",
    caught_by="reasoning/thought-comes-before-content",
    stage="events",
    when=streams_thought,
)
def thought_after_content(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream tells the thought when the content is out."""
    held: list[Item] = []
    for item in items:
        choice = item["choices"][0] if isinstance(item, dict) and item["choices"] else None
        if choice and TOLD in choice["delta"]:
            held.append(item)
            continue
        if choice and choice["finish_reason"] and held:
            shot.fire()
            yield from held
            held = []
        yield item


@fault(
    "thought-and-content-in-one-delta",
    caught_by="reasoning/thought-comes-before-content",
    stage="events",
    when=streams_thought,
)
def thought_and_content_in_one_delta(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The delta in which thought ends begins the content as well (a parser that works on chunks, not on tokens)."""
    last: Json | None = None
    for item in items:
        choice = item["choices"][0] if isinstance(item, dict) and item["choices"] else None
        if choice and TOLD in choice["delta"]:
            if last is not None:
                yield last
            last = item  # type: ignore[assignment]
            continue
        if last is not None and choice and choice["delta"].get("content"):
            shot.fire()
            both = {**last["choices"][0]["delta"], **choice["delta"]}
            yield each_choice(last, lambda c, both=both: {**c, "delta": both})
            last = None
            continue
        if last is not None:
            yield last
            last = None
        yield item


@fault(
    "thought-lost-in-streams", caught_by="reasoning/thought-comes-before-content", stage="events", when=streams_thought
)
def thought_lost_in_streams(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream leaves the thought out that a plain answer tells."""
    for item in items:
        if isinstance(item, dict) and item["choices"] and TOLD in item["choices"][0]["delta"]:
            shot.fire()
        else:
            yield item


def _is_cut(answer: Answer) -> bool:
    return bool(answer.reasoning) and not answer.content and answer.finish == "length"


@fault("cut-thought-says-stop", caught_by="reasoning/cut-thought-says-length", stage="answer")
def cut_thought_says_stop(answer: Answer, shot: Shot) -> Answer:
    """An answer whose thought was cut ends with stop (imp PR 1442)."""
    return replace(answer, finish="stop") if _is_cut(answer) else answer


@fault("cut-thought-is-content", caught_by="reasoning/cut-thought-says-length", stage="answer")
def cut_thought_is_content(answer: Answer, shot: Shot) -> Answer:
    """Thought that was cut is told as the content (a parser that waits for the closing marker)."""
    return replace(answer, reasoning=(), content=answer.reasoning) if _is_cut(answer) else answer


@fault("cut-thought-is-lost", caught_by="reasoning/cut-thought-says-length", stage=("whole", "chunk"))
def cut_thought_is_lost(body: Json, shot: Shot) -> Json:
    """What was thought before the cap cut it is told nowhere (ds4 1087)."""
    cap = shot.call.says("max_tokens")
    return each_held(body, lambda m: without(m, TOLD) if cap == 12 else m)


def _counted(body: Json, change: object) -> Json:
    usage = body.get("usage")
    if not usage or not usage["completion_tokens_details"]["reasoning_tokens"]:
        return body
    details = {"reasoning_tokens": change(usage)}  # type: ignore[operator]
    return {**body, "usage": {**usage, "completion_tokens_details": details}}


@fault(
    "reasoning-tokens-beside", caught_by="reasoning/reasoning-tokens-are-completion-tokens", stage=("whole", "chunk")
)
def reasoning_tokens_beside(body: Json, shot: Shot) -> Json:
    """Thought is counted as if it were no part of completion_tokens, and is more."""
    return _counted(body, lambda usage: usage["completion_tokens"] + 3)


@fault(
    "reasoning-tokens-are-all-tokens",
    caught_by="reasoning/reasoning-tokens-are-completion-tokens",
    stage=("whole", "chunk"),
)
def reasoning_tokens_are_all_tokens(body: Json, shot: Shot) -> Json:
    """Of an answer that was thought about all tokens are counted as thought."""
    return _counted(body, lambda usage: usage["completion_tokens"])


@fault("reasoning-tokens-zero", caught_by="reasoning/reasoning-tokens-are-completion-tokens", stage=("whole", "chunk"))
def reasoning_tokens_zero(body: Json, shot: Shot) -> Json:
    """The count of thought stays 0."""
    return _counted(body, lambda usage: 0)


@fault("thought-back-refused", caught_by="reasoning/thought-can-be-sent-back", stage="body", when=_thinks_back)
def thought_back_refused(body: Json, shot: Shot) -> Json:
    """A message with the field in which this server itself tells thought is refused."""
    shot.fire()
    raise RefusedError(f"messages: unknown field {TOLD}", param="messages")


@fault("thought-back-crashes", caught_by="reasoning/thought-can-be-sent-back", stage="body", when=_thinks_back)
def thought_back_crashes(body: Json, shot: Shot) -> Json:
    """The chat template falls over an earlier turn that holds thought."""
    shot.fire()
    raise InsteadError(failure(500, "TemplateError: can only concatenate str"))


@fault("off-switch-ignored", caught_by="reasoning/thinking-can-be-switched-off", stage="body", when=switched_off)
def off_switch_ignored(body: Json, shot: Shot) -> Json:
    """The model thinks whatever switch says that it should not (OVMS 4495)."""
    return {**without(body, "chat_template_kwargs"), "reasoning_effort": "low"}


@fault("budget-ignored", caught_by="reasoning/thinking-budget-is-kept", stage="body", when=_with_budget)
def budget_ignored(body: Json, shot: Shot) -> Json:
    """A budget of thought is accepted and has no effect (vLLM 55382, Ollama's page on budget_tokens)."""
    return without(body, *BUDGETS, "thinking")


@fault("budget-taken-for-more", caught_by="reasoning/thinking-budget-is-kept", stage="body", when=_with_budget)
def budget_taken_for_more(body: Json, shot: Shot) -> Json:
    """A budget of thought is rounded up to what the model has as its least."""
    more = {name: 128 for name in BUDGETS if name in body}
    return {**without(body, "thinking"), **more}


@freedom(
    "blank-content-beside-thought",
    stage="chunk",
    of="content beside thought",
    source="OpenAPI document, ChatCompletionStreamResponseDelta: content, in any chunk",
)
def blank_content_beside_thought(body: Json, shot: Shot) -> Json:
    """Deltas of thought carry an empty content."""
    return each_held(body, lambda m: {**m, "content": ""} if TOLD in m else m)


@freedom(
    "blank-line-before-thought",
    stage="events",
    when=streams_thought,
    of="white space around thought",
    source="OpenAPI document, ChatCompletionStreamResponseDelta: content is a string, and a line feed is one",
)
def blank_line_before_thought(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A line feed comes before the thought, as the model made it."""
    told: set[int] = set()
    for item in items:
        choice = item["choices"][0] if isinstance(item, dict) and item["choices"] else None
        if choice and TOLD in choice["delta"] and choice["index"] not in told:
            shot.fire()
            told.add(choice["index"])
            role = {name: choice["delta"][name] for name in ("role",) if name in choice["delta"]}
            yield each_choice(item, lambda c, role=role: {**c, "delta": {**role, "content": "\n"}})
            yield each_choice(item, lambda c, role=role: {**c, "delta": without(c["delta"], *role)})
        else:
            yield item


@fault("thought-is-short", stage="draft", family="honest")
def thought_is_short(answer: Answer, shot: Shot) -> Answer:
    """A thought is of four tokens, whatever the effort: it is over before any cap cuts it."""
    return replace(answer, reasoning=answer.reasoning[:4]) if len(answer.reasoning) > 4 else answer


@freedom(
    "null-thought-beside-content",
    stage=("whole", "chunk"),
    when=with_thought,
    of="thought beside content",
    source="vLLM and SGLang: reasoning_content: null where there is none",
)
def null_thought_beside_content(body: Json, shot: Shot) -> Json:
    """A message or delta without thought says null, in the two fields that are in use."""
    return each_held(body, lambda m: m if TOLD in m else {TOLD: None, OTHER: None, **m})


@freedom(
    "thought-is-closed-in-words",
    stage="draft",
    when=_with_budget,
    of="end of thought",
    source="Qwen3: the words that close a thought whose budget is spent",
)
def thought_is_closed_in_words(answer: Answer, shot: Shot) -> Answer:
    """A thought that a budget ends is closed in words of the server's own."""
    words = tokens(" Considering the limited time by the user, I have to give the solution based on this directly now.")
    return replace(answer, reasoning=(*answer.reasoning, *words)) if answer.reasoning else answer


@fault("thought-is-not-counted", stage=("whole", "chunk"), when=with_thought, family="honest")
def thought_is_not_counted(body: Json, shot: Shot) -> Json:
    """usage has no count of thought."""
    usage = body.get("usage")
    return {**body, "usage": without(usage, "completion_tokens_details")} if usage else body


@fault("thought-is-not-shown", stage=("whole", "chunk"), when=with_thought, family="honest")
def thought_is_not_shown(body: Json, shot: Shot) -> Json:
    """Thought is counted, and not shown to anybody."""
    return each_held(body, lambda m: without(m, TOLD))


@fault("refuses-budgets", stage="body", when=_with_budget, family="honest")
def refuses_budgets(body: Json, shot: Shot) -> Json:
    """A budget of thought is refused as a parameter that is not known."""
    shot.fire()
    raise RefusedError("unknown parameter: thinking_budget", param="thinking_budget")
