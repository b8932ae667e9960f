"""What a model said: one exchange read as an answer, streamed or not, whatever a server made of it.

Nothing here judges. A field of the wrong type is read as absent: the conformance rules name it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from seatrial.checks.answering import GONE, LATE
from seatrial.reading.channels import content, is_first, said, thought
from seatrial.reading.chat import usage
from seatrial.reading.fields import integer, listing, mapping
from seatrial.reading.tools import Calls
from seatrial.records import BUSY, Exchange
from seatrial.text import shorten

LONGEST = 200_000
"""Characters of each text that are read; of a longer one its end is kept, where a loop shows."""


@dataclass(frozen=True, slots=True)
class Interview:
    """What was asked and answered, by name, and what rules must know of how it came about: their settings."""

    exchanges: Mapping[str, Exchange]
    settings: Mapping[str, Any]
    more: frozenset[str] = frozenset()  # rules of probes beyond the plan that decided within what was left of the time


@dataclass(frozen=True, slots=True)
class Spoken:
    """The first choice of an answer.

    Attributes:
        calls: tool calls in order, ``name(arguments)``.
        finish: the last finish_reason; empty where none came.
        error: message of an error object, in a stream or in place of an answer; empty where there was none.
        trouble: why it is no whole answer (late, cut, refused); empty for one that is.
        silent: why it is no evidence at all (gone, busy, not stored); empty for one that is some.
        tokens: of all of the answer, as the server counts them; None where it does not.
        first_at: when the first word of a stream came, monotonic ns; None where none did.
    """

    content: str = ""
    reasoning: str = ""
    calls: tuple[str, ...] = ()
    finish: str = ""
    error: str = ""
    trouble: str = ""
    silent: str = ""
    tokens: int | None = None
    first_at: int | None = None

    @property
    def whole(self) -> bool:
        return not self.trouble and not self.silent


def read(x: Exchange) -> Spoken:
    """Read an exchange as an answer."""
    if silent := _silent(x):
        return Spoken(silent=silent)
    parts = _Parts()
    for choice in _choices(x):
        parts.add(choice)
    error = next(_errors(x), "")
    return Spoken(
        content=_join(parts.content),
        reasoning=_join(parts.reasoning),
        calls=tuple(f"{name[-LONGEST:]}({arguments[-LONGEST:]})" for name, arguments in parts.calls.joined()),
        finish=parts.finish,
        error=error,
        trouble=_trouble(x, error),
        tokens=integer(mapping(usage(x)).get("completion_tokens")),
        first_at=next(iter(said_at(x)), None),
    )


def said_at(x: Exchange) -> list[int]:
    """When each piece of a stream came that says a word, monotonic ns."""
    return [chunk.at for chunk in x.chunks if any(_says(choice) for choice in chunk.choices)]


def silences(answers: Mapping[str, Spoken]) -> dict[str, int]:
    """How many answers are no evidence, by reason, the most frequent first."""
    return dict(Counter(a.silent for a in answers.values() if a.silent).most_common())


@dataclass(slots=True)
class _Parts:
    content: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    finish: str = ""

    def add(self, choice: Mapping[str, Any]) -> None:
        message = said(choice)
        if isinstance(choice.get("finish_reason"), str):
            self.finish = choice["finish_reason"]
        if isinstance(message, dict):
            self.content.append(content(message))
            self.reasoning.append(thought(message))
            self.calls.add(message)


def _choices(x: Exchange) -> Iterator[Mapping[str, Any]]:
    plain = (choice for choice in listing(mapping(x.json).get("choices")) if isinstance(choice, dict))
    for choice in chain.from_iterable(chunk.choices for chunk in x.chunks) if x.is_stream else plain:
        if is_first(choice):
            yield choice


def _says(choice: Mapping[str, Any]) -> bool:
    """Whether a choice says a word: of content, of thought or of a call."""
    message = mapping(said(choice))
    return bool(content(message) or thought(message) or listing(message.get("tool_calls")))


def _errors(x: Exchange) -> Iterator[str]:
    for body in [c.json for c in x.chunks] if x.is_stream else [x.json]:
        error = body.get("error") if isinstance(body, dict) else None
        if error:
            message = error.get("message") if isinstance(error, dict) else error
            yield shorten(message)


def _silent(x: Exchange) -> str:
    if x.error in GONE:
        return f"nobody answered ({x.error})"
    if x.dropped:
        return "not stored: the run's byte budget was used up"
    return f"status {x.status}" if x.status in BUSY else ""


def _trouble(x: Exchange, error: str) -> str:
    if x.error in LATE:
        return f"no answer within {(x.ended_at - x.sent_at) / 1e9:.0f} s"
    if x.status is None or x.error:
        return f"broken off ({x.error or 'no status line'})"
    if x.status != 200:
        return f"status {x.status}: {error or shorten(x.body[:400].decode('utf-8', 'replace'), 120)}"
    if error:
        return f"an error in a 200: {error}"
    return (
        "" if _is_chat(x) else f"a 200 that is no chat answer: {shorten(x.body[:400].decode('utf-8', 'replace'), 120)}"
    )


def _is_chat(x: Exchange) -> bool:
    """Whether any choice came, whatever is in it: the page of a proxy holds none."""
    return any(chunk.choices for chunk in x.chunks) if x.is_stream else bool(listing(mapping(x.json).get("choices")))


def _join(pieces: list[str]) -> str:
    return "".join(pieces)[-LONGEST:]
