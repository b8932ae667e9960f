"""Reading what a model thought, in whichever field a server tells it. Every field may be of any type."""

from __future__ import annotations

from typing import Any

from seatrial.reading.channels import THOUGHT, content
from seatrial.reading.chat import choices, usage
from seatrial.reading.fields import integer, mapping, string
from seatrial.records import Exchange

FIELDS = (*THOUGHT, "thinking")
"""Where servers put thought: llama.cpp and DeepSeek, vLLM and Ollama, Ollama's own route and those that follow it."""

OPENS = ("<think>", "<thinking>", "<thought>", "<reasoning>", "<|channel|>analysis", "<|begin_of_thought|>")
"""How thought begins that a server left in the content."""


def told(x: Exchange) -> dict[int, dict[str, str]]:
    """The thought of each choice by the field that held it; a choice without any has none."""
    found: dict[int, dict[str, str]] = {}
    for _where, index, _choice, message in choices(x):
        held = found.setdefault(index, {})
        for name in FIELDS:
            if text := string(message.get(name)):
                held[name] = held.get(name, "") + text
    return found


def fields_used(x: Exchange) -> list[str]:
    """The fields that held any thought, in the order of :data:`FIELDS`."""
    held = {name for texts in told(x).values() for name in texts}
    return [name for name in FIELDS if name in held]


def steps(x: Exchange) -> list[tuple[str, int, bool, bool]]:
    """(where, choice, holds thought, holds content) of each message or delta that holds either."""
    found = []
    for where, index, _choice, message in choices(x):
        thought = any(string(message.get(name)) for name in FIELDS)
        if thought or content(message):
            found.append((where, index, thought, bool(content(message))))
    return found


def tokens(x: Exchange) -> Any:
    """What usage says were tokens of thought; of any type, None where it says nothing."""
    return mapping(mapping(usage(x)).get("completion_tokens_details")).get("reasoning_tokens")


def is_shown(x: Exchange) -> bool:
    """Whether an answer was thought about: in a field of its own, by a marker in the content, or by its count."""
    words = "".join(content(message) for _where, _index, _choice, message in choices(x))
    return bool(fields_used(x) or integer(tokens(x)) or any(mark in words for mark in OPENS))
