"""Reading an answer whose every field may be of any type.

A server on trial may put anything anywhere (``choices: 5``, ``delta: null``, ``usage: []``). What is read here is of
the type it says, or None, or left out; whether that is right is for the rules to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from seatrial.checks.rules import no_evidence, violation
from seatrial.records import Chunk, Exchange, Finding

FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")

THOUGHT = ("reasoning_content", "reasoning")
"""Where servers put what a model thinks; no document names the field."""


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


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def integer(value: Any) -> int | None:
    """The value if it is a whole number; a boolean is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def bad(xs: Mapping[str, Exchange]) -> dict[str, Exchange]:
    """The faulty requests of a scenario: all but those that only show the server still answers."""
    return {name: x for name, x in xs.items() if name != "good"}


def unreadable(x: Exchange) -> Finding | None:
    """Why a 200 cannot be judged by its fields, or None; that it is so is judged by other rules."""
    return no_chunk(x) if asks_for_stream(x) else no_object(x)


def unanswered(x: Exchange) -> Finding | None:
    """Why there is no choice to judge, or None; that there has to be one is judged by chat/choices-are-indexed."""
    if nothing := unreadable(x):
        return nothing
    return None if answers(x) else no_evidence("choices", expected="a choice to judge", got="none")


def no_chunk(x: Exchange) -> Finding | None:
    """Why there is no chunk to judge, or None."""
    if any(isinstance(chunk.json, dict) for chunk in x.chunks):
        return None
    return no_evidence("the stream", expected="an event with a JSON object", got=x.content_type or "no content type")


def no_object(x: Exchange) -> Finding | None:
    """Why there is no JSON object to judge, or None."""
    if isinstance(x.json, dict):
        return None
    return no_evidence("the body", expected="a JSON object", got=x.fault or x.body[:200].decode("utf-8", "replace"))


def uncounted(x: Exchange) -> Finding | None:
    """Why tokens cannot be held against a cap, or None."""
    if completion_tokens(x) is not None:
        return None
    return no_evidence("usage.completion_tokens", expected="a whole number", got=usage(x))


def not_refused(x: Exchange, so: str = "") -> Iterator[Finding]:
    """A finding where a faulty request was not answered with a 4xx."""
    if x.status is None or not 400 <= x.status < 500:
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        yield violation("the status", expected="a 4xx", got=got, so=so if x.status == 200 else "")


def asks_for_stream(x: Exchange) -> bool:
    return mapping(x.request_json).get("stream") is True


def deltas(x: Exchange) -> Iterator[tuple[Chunk, int, dict[str, Any], dict[str, Any]]]:
    """(chunk, choice index, choice, its delta) of a stream, in order; choices without a whole index are left out."""
    for chunk in x.chunks:
        for choice in chunk.choices:
            index = integer(choice.get("index"))
            if index is not None:
                yield chunk, index, choice, mapping(choice.get("delta"))


def answers(x: Exchange) -> dict[int, Answer]:
    """The choices of an answer by index, however it was sent."""
    found: dict[int, Answer] = {}
    for where, index, choice, message in _choices(x):
        answer = found.setdefault(index, Answer(index))
        answer.content += string(message.get("content")) or ""
        answer.reasoning += next((m for key in THOUGHT if (m := string(message.get(key)))), "")
        if choice.get("finish_reason") is not None:
            answer.finishes.append((where, choice["finish_reason"]))
        entries = mapping(choice.get("logprobs")).get("content")
        if isinstance(entries, list):
            answer.has_logprobs = True
            answer.logprobs += entries
    return found


def messages(x: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, message or delta) of every choice that has one that is an object."""
    for where, _index, choice, message in _choices(x):
        if isinstance(choice.get("delta" if asks_for_stream(x) else "message"), dict):
            yield where, message


def _choices(x: Exchange) -> Iterator[tuple[str, int, dict[str, Any], dict[str, Any]]]:
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


def completion_tokens(x: Exchange) -> int | None:
    return integer(mapping(usage(x)).get("completion_tokens"))


def cap(x: Exchange) -> int | None:
    """The most tokens a choice may have, as asked: the smaller of the two names of the cap."""
    asked = mapping(x.request_json)
    caps = [c for key in ("max_tokens", "max_completion_tokens") if (c := integer(asked.get(key))) is not None]
    return min(caps, default=None)


def wanted(x: Exchange) -> int:
    """How many choices were asked for."""
    return integer(mapping(x.request_json).get("n")) or 1
