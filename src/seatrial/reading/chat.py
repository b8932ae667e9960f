"""Reading a chat answer, plain or streamed, whose every field may be of any type.

A server on trial may put anything anywhere (``choices: 5``, ``delta: null``, ``usage: []``). What is read here is of
the type it says, or None, or left out; whether that is right is for the rules to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from seatrial.reading.channels import THOUGHT, content, thought, tokens
from seatrial.reading.fields import integer, listing, mapping, string
from seatrial.records import NAME_SHOWN, Chunk, Exchange

GROWING = 4
"""Deltas, each the one before with more behind it, that are no chance."""

PAIRS = 8
"""Deltas, each of which comes twice in a row, that are no chance."""

WHOLE = 80
"""Characters of a delta that is all that was told before it, and no chance."""

FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")


@dataclass
class Answer:
    """One choice of an answer, of a plain body or joined from a stream."""

    index: int
    content: str = ""
    reasoning: str = ""
    finishes: list[tuple[str, Any]] = field(default_factory=list)  # where, value: those that are not null
    logprobs: list[Any] = field(default_factory=list)  # entries of logprobs.content
    has_logprobs: bool = False

    @property
    def reasons(self) -> list[Any]:
        """What was given as finish_reason; nulls are left out."""
        return [reason for _, reason in self.finishes]


def asks_for_stream(x: Exchange) -> bool:
    return mapping(x.request_json).get("stream") is True


def chunks(x: Exchange) -> list[Chunk]:
    """The chunks of a stream that hold an object, up to its [DONE], where clients leave; where none does, all."""
    held = [chunk for chunk in x.chunks if isinstance(chunk.json, dict)]
    end = next((chunk.index for chunk in x.chunks if chunk.done), None)
    return [chunk for chunk in held if end is None or chunk.index < end] or held


def deltas(x: Exchange) -> Iterator[tuple[Chunk, int, dict[str, Any], dict[str, Any]]]:
    """(chunk, choice index, choice, its delta) of a stream up to its [DONE], in order; choices without a whole index
    are left out."""
    for chunk in chunks(x):
        for choice in chunk.choices:
            index = integer(choice.get("index"))
            if index is not None:
                yield chunk, index, choice, mapping(choice.get("delta"))


def answers(x: Exchange) -> dict[int, Answer]:
    """The choices of an answer by index, however it was sent."""
    found: dict[int, Answer] = {}
    for where, index, choice, message in choices(x):
        answer = found.setdefault(index, Answer(index))
        answer.content += content(message)
        answer.reasoning += thought(message)
        if choice.get("finish_reason") is not None:
            answer.finishes.append((where, choice["finish_reason"]))
        if isinstance(mapping(choice.get("logprobs")).get("content"), list):
            answer.has_logprobs = True
            answer.logprobs += tokens(choice)
    return found


def messages(x: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, message or delta) of every choice that has one that is an object."""
    for where, _index, choice, message in choices(x):
        if isinstance(choice.get("delta" if asks_for_stream(x) else "message"), dict):
            yield where, message


def choices(x: Exchange) -> Iterator[tuple[str, int, dict[str, Any], dict[str, Any]]]:
    """(where, index, choice, message or delta) of every choice, however it was sent."""
    if asks_for_stream(x):
        for chunk, index, choice, delta in deltas(x):
            yield f"chunk {chunk.index}, choice {index}", index, choice, delta
        return
    for position, choice in enumerate(listing(mapping(x.json).get("choices"))):
        if isinstance(choice, dict):
            yield f"choice {position}", position, choice, mapping(choice.get("message"))


def usage(x: Exchange) -> Any:
    """What the answer says under ``usage``: of a stream, the last one that is not null. Of any type."""
    if not asks_for_stream(x):
        return mapping(x.json).get("usage")
    said = (mapping(chunk.json).get("usage") for chunk in reversed(x.chunks))
    return next((u for u in said if u is not None), None)


def told_again(pieces: Sequence[str]) -> str:
    """How the deltas of a text tell again what was told before them; empty where they do not."""
    told = [piece for piece in pieces if piece]
    grown = [len(new) > len(old) and new.startswith(old) for old, new in pairwise(told)]
    if len(told) >= GROWING and all(grown):
        return f"each with all before it: {told[0]!r}, {told[1]!r} ..."
    if told[::2] == told[1::2] and len(set(told)) >= PAIRS:
        return f"each twice: {told[0]!r}, {told[1]!r}, {told[2]!r}, {told[3]!r} ..."
    before = 0
    for n, piece in enumerate(told):
        if len(piece) == before >= WHOLE and piece == "".join(told[:n]):
            return f"all of it once more: {piece[:40]!r} ..."
        before += len(piece)
    return ""


SAID = ("content", "refusal", "tool_calls", "function_call", "audio", *THOUGHT)
"""Where a message or a delta says anything: words, thought, calls, sound."""


def says_anything(x: Exchange) -> bool:
    """Whether an answer holds anything for its reader, wherever a server put it: even in a choice without an index."""
    bodies = (mapping(x.json), *(mapping(chunk.json) for chunk in x.chunks))
    choices = (choice for body in bodies for choice in listing(body.get("choices")))
    return any(_filled(choice) for choice in map(mapping, choices))


def _filled(choice: Mapping[str, Any]) -> bool:
    if string(choice.get("text")):
        return True
    said = (mapping(choice.get(key)).get(field) for key in ("delta", "message") for field in SAID)
    return any(value.strip() if isinstance(value, str) else value for value in said)


def names(x: Exchange) -> list[str]:
    """What an answer calls its model: of a stream each name once, in order. What is no text, or blank, is no name."""
    said = (mapping(body).get("model") for body in (x.json, *(chunk.json for chunk in x.chunks)))
    return list(dict.fromkeys(name[:NAME_SHOWN] for name in said if isinstance(name, str) and name.strip()))


def completion_tokens(x: Exchange) -> int | None:
    """The tokens of an answer, as usage has them; None where it has none, or counts words as no token at all."""
    told = integer(mapping(usage(x)).get("completion_tokens"))
    return None if told == 0 and says_anything(x) else told


def prompt_tokens(x: Exchange) -> int | None:
    """The tokens of a prompt, as usage has them; None where it has none, or 0: nobody has counted."""
    return integer(mapping(usage(x)).get("prompt_tokens")) or None


def cap(x: Exchange) -> int | None:
    """The most tokens a choice may have, as asked: the smaller of the two names of the cap."""
    asked = mapping(x.request_json)
    caps = [c for key in ("max_tokens", "max_completion_tokens") if (c := integer(asked.get(key))) is not None]
    return min(caps, default=None)


def wanted(x: Exchange) -> int:
    """How many choices were asked for."""
    return integer(mapping(x.request_json).get("n")) or 1
