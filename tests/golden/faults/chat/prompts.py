"""Faults of what usage says of prompts, and markers that are read."""

from __future__ import annotations

from dataclasses import replace

from seatrial.reading import markers
from tests.golden.answers import Answer, tokens
from tests.golden.edits import Json, with_usage
from tests.golden.registry import Shot, chat, fault

PROMPT = "chat/prompt-tokens-are-those-of-the-prompt"
MARKED = "chat/markers-in-a-text-change-no-roles"
LEAK = "chat/content-holds-no-marker"


@fault("prompt-tokens-of-what-is-new", caught_by=PROMPT, stage="whole")
def prompt_tokens_of_what_is_new(body: Json, shot: Shot) -> Json:
    """prompt_tokens leaves out what was known of the prompt."""
    known = body["usage"]["prompt_tokens_details"]["cached_tokens"]
    return with_usage(body, prompt_tokens=lambda n: n - known, total_tokens=lambda n: n - known) if known else body


@fault("prompt-tokens-of-one", caught_by=PROMPT, stage="whole")
def prompt_tokens_of_one(body: Json, shot: Shot) -> Json:
    """prompt_tokens is a fixed number."""
    more = 12 - body["usage"]["prompt_tokens"]
    return with_usage(body, prompt_tokens=lambda n: n + more, total_tokens=lambda n: n + more)


@fault("markers-are-read", caught_by=MARKED, stage="whole")
def markers_are_read(body: Json, shot: Shot) -> Json:
    """A marker in a user's text becomes the one token that ends a turn (a template rendered, then tokenized)."""
    found = markers.ANY.findall(repr(shot.call.says("messages")))
    less = sum(len(tokens(marker)) - 1 for marker in found)
    return with_usage(body, prompt_tokens=lambda n: n - less, total_tokens=lambda n: n - less) if less else body


@fault("end-of-sequence-in-the-content", caught_by=LEAK, stage="draft", when=chat)
def end_of_sequence_in_the_content(answer: Answer, shot: Shot) -> Answer:
    """What ends a sequence is the end of the content (a text file of the vocabulary that marks it as text)."""
    return replace(answer, content=(*answer.content[:3], "</s>")) if answer.content else answer


@fault("role-in-the-content", caught_by=LEAK, stage="draft", when=chat)
def role_in_the_content(answer: Answer, shot: Shot) -> Answer:
    """The content begins with the role of its turn: the model wrote the head that the template should have."""
    return replace(answer, content=("assistant", "\n\n", *answer.content)) if answer.content else answer


@fault("marker-in-the-content", caught_by=LEAK, stage="answer", when=chat)
def marker_in_the_content(answer: Answer, shot: Shot) -> Answer:
    """The marker that ends a turn is a part of the content."""
    return replace(answer, content=(*answer.content[:-1], "<|im_end|>")) if answer.content else answer
