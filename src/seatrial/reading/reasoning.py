"""Reading what a model thought, in whichever field a server tells it. Every field may be of any type."""

from __future__ import annotations

from typing import Any

from seatrial.reading.channels import THOUGHT, content
from seatrial.reading.chat import answers, choices, completion_tokens, usage
from seatrial.reading.fields import integer, mapping, string
from seatrial.records import Exchange

FIELDS = (*THOUGHT, "thinking")
"""Where servers put thought: llama.cpp and DeepSeek, vLLM and Ollama, Ollama's own route and those that follow it."""

OPENS = (
    *("<think>", "<thinking>", "<thought>", "<reasoning>", "<|channel|>analysis", "<|begin_of_thought|>"),
    *("[THINK]", "<seed:think>", "<|START_THINKING|>", "\N{WHITE LEFT-POINTING TRIANGLE}think"),
    *("<|channel>thought", "<longcat_think>", "<|inner_prefix|>", "<unused94>thought"),
)
"""How thought begins that a server left in the content: Qwen and most others, OpenAI's harmony, Mistral, Seed, Cohere,
Kimi, Gemma 4, LongCat, Apertus, MedGemma."""

CLOSES = (
    *("</think>", "</thinking>", "</thought>", "</reasoning>", "assistantfinal", "<|end_of_thought|>"),
    *("[/THINK]", "</seed:think>", "<|END_THINKING|>", "\N{WHITE LEFT-POINTING TRIANGLE}/think"),
    *("<channel|>", "</longcat_think>", "<|inner_suffix|>", "<unused95>"),
)
"""How it ends. Often that alone is left: many templates put what opens it into the prompt; and of harmony the words are
left where its marks are not printed."""

MARKERS = OPENS + CLOSES

LONGEST = max(map(len, CLOSES))
LEAST = 3
"""Characters of a piece of a marker that are no chance."""

FINAL = "<|channel|>final"
"""What ends harmony's thought where its marks are printed."""


def mark(text: str) -> str:
    """The first marker of thought that stands in a text; empty where none does."""
    return next((mark for mark in MARKERS if mark in text), "")


def is_open(text: str) -> bool:
    """Whether a text begins with a thought, and holds nothing that ends it."""
    begins = [close for mark, close in zip(OPENS, CLOSES, strict=True) if text.lstrip().startswith(mark)]
    return bool(begins) and FINAL not in text and not any(close in text for close in begins)


def is_blank(text: str) -> bool:
    """Whether a text begins with a thought that is empty between its markers."""
    held = text.lstrip()
    pairs = zip(OPENS, CLOSES, strict=True)
    return any(held.startswith(mark) and held.removeprefix(mark).lstrip().startswith(close) for mark, close in pairs)


def torn(thought: str, content: str) -> str:
    """The piece of a marker that is left where a thought ends or its answer begins; empty where none is.

    Only markers in brackets have pieces that are no words.
    """
    ends, begins = thought.rstrip()[-LONGEST:], content.lstrip()[:LONGEST]
    for close in (each for each in CLOSES if each.endswith((">", "]"))):
        for size in range(len(close) - 1, LEAST - 1, -1):
            if ends.endswith(close[:size]):
                return close[:size]
            if begins.startswith(close[-size:]):
                return close[-size:]
    return ""


def told(x: Exchange) -> dict[int, dict[str, str]]:
    """The thought of each choice by the field that held it; a choice without any has none."""
    found: dict[int, dict[str, str]] = {}
    for _where, index, _choice, message in choices(x):
        held = found.setdefault(index, {})
        for name in FIELDS:
            if text := string(message.get(name)):
                held[name] = held.get(name, "") + text
    return found


def pieces(x: Exchange) -> dict[tuple[int, str], list[str]]:
    """The thought of each choice by the field that held it, piece by piece."""
    found: dict[tuple[int, str], list[str]] = {}
    for _where, index, _choice, message in choices(x):
        for name in FIELDS:
            found.setdefault((index, name), []).append(string(message.get(name)) or "")
    return found


def fields_used(x: Exchange) -> list[str]:
    """The fields that held any thought, in the order of :data:`FIELDS`; white space is none."""
    held = {name for texts in told(x).values() for name, text in texts.items() if text.strip()}
    return [name for name in FIELDS if name in held]


MARKS = 4
"""Tokens beside a thought that are none of the answer: its marks, and white space (litellm-docs pull request 559)."""


def steps(x: Exchange) -> list[tuple[str, int, bool, bool]]:
    """(where, choice, holds thought, holds content) of each message or delta that holds either; white space is none."""
    found = []
    for where, index, _choice, message in choices(x):
        thought = any(string(message.get(name)) for name in FIELDS)
        speaks = bool(content(message).strip())
        if thought or speaks:
            found.append((where, index, thought, speaks))
    return found


def tokens(x: Exchange) -> Any:
    """What usage says were tokens of thought; of any type, None where it says nothing."""
    return mapping(mapping(usage(x)).get("completion_tokens_details")).get("reasoning_tokens")


def took_all(x: Exchange) -> bool:
    """Whether each choice was cut, and usage says that it had no token but those of thought and the marks around it."""
    thought, made = integer(tokens(x)) or 0, integer(mapping(usage(x)).get("completion_tokens")) or 0
    cut = all(answer.reasons == ["length"] for answer in answers(x).values())
    return cut and 0 < thought >= made - MARKS


def is_shown(x: Exchange) -> bool:
    """Whether an answer was thought about: in a field of its own, by a marker in the content, or by its count."""
    words = "".join(content(message) for _where, _index, _choice, message in choices(x))
    return bool(fields_used(x) or integer(tokens(x)) or mark(words))


def joined(x: Exchange) -> dict[int, str]:
    """What was thought, by choice, whatever the field."""
    return {index: "".join(held.values()) for index, held in told(x).items()}


def is_marked(thought: str) -> bool:
    """Whether a marker stands before a thought or behind it; within it the model may speak of one."""
    return thought.lstrip().startswith(OPENS) or thought.rstrip().endswith(CLOSES)


def spent(x: Exchange) -> int:
    """Tokens of thought: as counted, else its text's share of all tokens, else a token for four characters.

    A count beyond that of all tokens cannot be true, nor one of all where words were said; it is none.
    """
    counted, whole = integer(tokens(x)), completion_tokens(x)
    thought = sum(map(len, joined(x).values()))
    words = sum(len(answer.content) for answer in answers(x).values())
    if counted and 0 < counted <= (counted if whole is None else whole - bool(words)):
        return counted
    return thought // 4 if whole is None else round(whole * thought / max(1, thought + words))
