"""Chat answers of the golden server, as one JSON object and as a stream of chunks."""

from __future__ import annotations

import itertools
import json
import math
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from tests.golden import answers
from tests.golden.answers import Answer
from tests.golden.app import drafts, extras, wants
from tests.golden.app.cache import Prefixes
from tests.golden.items import DONE, Item, Pause
from tests.golden.phrases import WORDS
from tests.golden.registry import Call
from tests.golden.truth import Told, Truth
from tests.golden.validation import MODEL, RefusedError

CONTEXT = 8192
"""Tokens of prompt and answer together."""

SLOTS = 8

THOUGHT = "reasoning_content"
"""Where thought is told, unless the server is told otherwise."""


@dataclass(frozen=True)
class World:
    """What all answers of a server share."""

    truth: Truth
    prefixes: Prefixes
    thinking: bool = False
    thought_in: str = THOUGHT
    turns: Iterator[int] = field(default_factory=itertools.count)


@dataclass
class Completion:
    """Everything one answer is built from."""

    call: Call
    choices: list[Answer]
    prompt_tokens: int
    told: Told
    thought_in: str = THOUGHT
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def wants_logprobs(self) -> bool:
        return self.call.says("logprobs") is True


def prepare(call: Call, body: dict[str, Any], world: World) -> Completion:
    """Decide the whole answer to a request that was checked.

    Raises:
        RefusedError: the prompt leaves no room for an answer.
    """
    prompt = "\n".join(_text(message) for message in body["messages"])
    counted = _prompt(body)
    prompt_tokens = len(counted) + 2
    room = CONTEXT - prompt_tokens
    if room < 1:
        message = f"this model's context is {CONTEXT} tokens; the messages take {prompt_tokens}"
        raise RefusedError(message, param="messages", code="context_length_exceeded")
    caps = [body[name] for name in ("max_tokens", "max_completion_tokens") if body.get(name) is not None]
    stops = body.get("stop") or ()
    thinks = wants.thinks(body, usually=world.thinking)
    last = _text(body["messages"][-1]) if body["messages"][-1].get("role") == "user" else prompt
    made, turn = [], next(world.turns)
    for index in range(body.get("n") or 1):
        call.drafts.append(drafts.draft(body, last, _text, index=index, thinking=thinks, turn=turn))
        draft = call.change("draft", call.drafts[index])
        limited = draft.limited(min([room, *caps]), (stops,) if isinstance(stops, str) else tuple(stops))
        made.append(call.change("answer", limited))
    call.told = world.truth.begin("", stream=body.get("stream") is True, prompt_tokens=prompt_tokens)
    world.truth.decided(
        call.told,
        cached=call.change("known", world.prefixes.known(counted)),
        reasoning=sum(len(answer.reasoning) for answer in made),
        calls=sum(len(answer.calls) for answer in made),
        drafted=sum(answer.generated for answer in made),
    )
    completion = Completion(call, made, prompt_tokens, call.told, world.thought_in)
    call.told.id = completion.id
    return completion


def whole(made: Completion, truth: Truth) -> dict[str, Any]:
    """The answer as one JSON object."""
    truth.token(made.told, sum(answer.generated for answer in made.choices))
    truth.complete(made.told)
    choices = [
        {
            "index": index,
            "message": _message(made, answer),
            "logprobs": {"content": _logprobs(made, answer), "refusal": None} if made.wants_logprobs else None,
            "finish_reason": answer.finish,
        }
        for index, answer in enumerate(made.choices)
    ]
    return {
        **_head(made, "chat.completion"),
        "choices": choices,
        "usage": _usage(made),
        "timings": _timings(made),
        **extras.of_answer(made.call.body),
    }


def chunks(made: Completion, truth: Truth, token_s: float) -> Iterator[Item]:
    """The answer as a stream: roles, tokens of all choices in turn, ends, usage where asked for, the terminator."""
    options = made.call.says("stream_options")
    with_usage = isinstance(options, dict) and options.get("include_usage") is True
    for index in range(len(made.choices)):
        yield _chunk(made, index, {"role": "assistant", "content": ""}, with_usage=with_usage)
    for turn in zip_longest(*(_steps(made, answer) for answer in made.choices)):
        if token_s:
            yield Pause(token_s)
        for index, step in enumerate(turn):
            if step is not None:
                delta, logprobs, count = step
                truth.token(made.told, count)
                yield _chunk(made, index, delta, logprobs=logprobs, with_usage=with_usage)
    truth.complete(made.told)
    for index, answer in enumerate(made.choices):
        yield _chunk(made, index, {}, finish=answer.finish, with_usage=with_usage)
    if with_usage:
        yield {**_head(made, "chat.completion.chunk"), "choices": [], "usage": _usage(made)}
    yield DONE


def _message(made: Completion, answer: Answer) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.calls:
        said |= {"content": answer.text or None, "tool_calls": [call.whole() for call in answer.calls]}
    if answer.reasoning:
        said[made.thought_in] = "".join(answer.reasoning)
    return said | extras.of_message(made.call.body, answer.text, made.created)


def _steps(made: Completion, answer: Answer) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None, int]]:
    """(delta, logprobs, tokens) of each step of a choice: thought, content, calls."""
    for token in answer.reasoning:
        yield {made.thought_in: token}, None, 1
    for at, token in enumerate(answer.content):
        logprobs = {"content": [_logprob(made, token, at)], "refusal": None} if made.wants_logprobs else None
        yield {"content": token}, logprobs, 1
    for index, call in enumerate(answer.calls):
        for entry, count in call.deltas(index):
            yield {"tool_calls": [entry]}, None, count


def slot(number: int, told: Told | None) -> dict[str, Any]:
    """One entry of ``/slots``, with what is answered there."""
    idle = {"id": number, "n_ctx": CONTEXT, "speculative": False, "is_processing": told is not None}
    if told is None:
        return idle
    return {
        **idle,
        "id_task": told.number,
        "n_prompt_tokens": told.prompt_tokens + told.completion_tokens,
        "n_prompt_tokens_processed": told.prompt_tokens if told.prefilled is None else told.prefilled,
        "n_prompt_tokens_cache": 0,
        "next_token": [{"has_next_token": True, "n_decoded": told.completion_tokens}],
    }


def _chunk(
    made: Completion,
    index: int,
    delta: dict[str, Any],
    *,
    finish: str | None = None,
    logprobs: dict[str, Any] | None = None,
    with_usage: bool,
) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    return {**_head(made, "chat.completion.chunk"), "choices": [choice], **({"usage": None} if with_usage else {})}


def _head(made: Completion, name: str) -> dict[str, Any]:
    return {
        "id": made.id,
        "object": name,
        "created": made.created,
        "model": MODEL,
        "system_fingerprint": "fp_golden_1",
    }


def _timings(made: Completion) -> dict[str, int]:
    """What was drafted of an answer: each token, of which half are taken as they were drafted."""
    return {"draft_n": made.told.drafted, "draft_n_accepted": made.told.accepted}


def _usage(made: Completion) -> dict[str, Any]:
    generated = sum(answer.generated for answer in made.choices)
    thought = sum(len(answer.reasoning) for answer in made.choices)
    return {
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": generated,
        "total_tokens": made.prompt_tokens + generated,
        "completion_tokens_details": {"reasoning_tokens": thought},
        "prompt_tokens_details": {"cached_tokens": made.told.cached_tokens},
    }


def _logprobs(made: Completion, answer: Answer) -> list[dict[str, Any]]:
    return [_logprob(made, token, at) for at, token in enumerate(answer.content)]


def _logprob(made: Completion, token: str, at: int) -> dict[str, Any]:
    value = answers.logprob(token, at)
    left = math.log1p(-math.exp(value))  # what the token leaves is halved from one to the next
    top = [(token, value)] + [(f" {word}", left - (rank + 1) * math.log(2)) for rank, word in enumerate(WORDS)]
    return {
        **_candidate(token, value),
        "top_logprobs": [_candidate(*each) for each in top[: made.call.says("top_logprobs") or 0]],
    }


def _candidate(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": round(value, 4), "bytes": list(token.encode("utf-8", "replace"))}


def _prompt(body: dict[str, Any]) -> list[str]:
    """The tokens of a prompt, with those that stand between messages: as many as usage counts, but for two."""
    told = list(_words(body["tools"])) if body.get("tools") and body.get("tool_choice") != "none" else []
    for message in body["messages"]:
        held = message.get("tool_calls") if message.get("role") == "assistant" else None
        calls = _words([call["function"] for call in held]) if isinstance(held, list) else ()
        told += ["<", str(message.get("role")), ">", *answers.tokens(_text(message)), *calls, "\n"]
    return told


def _words(value: Any) -> tuple[str, ...]:
    """The tokens of a value as a prompt tells it: its JSON without the marks."""
    return answers.tokens(" ".join(re.findall(r"[^\s{}\[\]\",:]+", json.dumps(value, ensure_ascii=False))))


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part["text"] for part in content)
    return content or ""
