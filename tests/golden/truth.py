"""What the golden server really did. It never lies, whatever faults are on; what it tells a scraper may."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 20_000
"""Answers whose times are kept; totals count all."""


@dataclass(slots=True)
class Told:
    """One answer of the model: counts, and the moments (monotonic ns) its first and last token left; 0: none did."""

    id: str
    stream: bool
    prompt_tokens: int
    completion_tokens: int = 0
    first_at: int = 0
    last_at: int = 0
    completed: bool = False
    number: int = 0  # of the answer, from 1
    cached_tokens: int = 0  # of the prompt, known from an earlier one
    reasoning_tokens: int = 0
    calls: int = 0
    drafted: int = 0
    accepted: int = 0
    prefilled: int | None = None  # tokens of the prompt worked on so far; None: all
    faults: list[str] = field(default_factory=list)


class Truth:
    """Counts of one server. Safe to read from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._fired: Counter[str] = Counter()
        self._told: deque[Told] = deque(maxlen=KEPT)

    def count(self, what: str, by: int = 1) -> None:
        """Add to a total: requests, chats, refused, connections."""
        with self._lock:
            self._counts[what] += by

    def fired(self, fault: str, told: Told | None) -> None:
        """A fault changed what was sent."""
        with self._lock:
            self._fired[fault] += 1
            if told is not None:
                told.faults.append(fault)

    def begin(self, identity: str, *, stream: bool, prompt_tokens: int) -> Told:
        """An answer begins: its prompt has been read."""
        told = Told(identity, stream, prompt_tokens)
        with self._lock:
            self._told.append(told)
            self._counts["answers"] += 1
            told.number = self._counts["answers"]
            self._counts["prompt_tokens"] += prompt_tokens
        return told

    def token(self, told: Told, count: int = 1) -> None:
        """Tokens of an answer are made, and leave now."""
        if not count:
            return
        now = time.monotonic_ns()
        with self._lock:
            self._counts["tokens"] += count
            told.completion_tokens += count
            told.first_at = told.first_at or now
            told.last_at = now

    def decided(self, told: Told, *, cached: int, reasoning: int, calls: int, drafted: int) -> None:
        """What an answer is made of: tokens of its prompt that were known, tokens of thought, calls; and its drafts."""
        told.cached_tokens, told.reasoning_tokens, told.calls = cached, reasoning, calls
        told.drafted, told.accepted = drafted, drafted // 2
        with self._lock:
            self._counts.update(cached_tokens=cached, reasoning_tokens=reasoning, calls=calls)
            self._counts.update(drafted=told.drafted, accepted=told.accepted)

    def complete(self, told: Told) -> None:
        """An answer is made to its end."""
        with self._lock:
            self._counts["completed"] += 1
            told.completed = True

    def snapshot(self) -> dict[str, Any]:
        """Everything, as ``/_truth`` gives it."""
        with self._lock:
            names = ("connections", "requests", "chats", "refused", "answers", "completed", "tokens", "prompt_tokens")
            names += (
                "embedded",
                "embedded_tokens",
                "cached_tokens",
                "reasoning_tokens",
                "calls",
                "drafted",
                "accepted",
            )
            return {
                **{name: self._counts[name] for name in names},
                "in_flight": self._counts["in_flight"],
                "fired": dict(self._fired),
                "told": [asdict(told) for told in self._told],
            }
