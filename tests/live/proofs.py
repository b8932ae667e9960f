"""What goes wrong, and what has to be said of it: the rules that name it, its size and since when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from seatrial.records import SECOND
from tests.golden.faults.lasting import LINES_A_SECOND, SLOWER, STALL_S

ONSET_S = 75.0
"""By how much what is told may be off: it is told to the minute."""

SOAK = "soak/"
ENDS, ANSWERED = "streams-terminate", "requests-are-answered"
MORE_ERRORS = "errors-do-not-multiply"
TOKENS, REQUESTS = "tokens-agree-with-the-server", "requests-agree-with-the-server"


@dataclass(frozen=True)
class Truth:
    """What the server really did, as its ``/_truth`` told at the end.

    Attributes:
        on_at: when its fault was switched on, monotonic ns.
        told: of each answer what was counted, in order; ``fired``: how often a fault did something.
    """

    on_at: int
    told: tuple[dict[str, Any], ...]
    fired: int

    def first(self) -> int:
        """When the fault first showed in an answer, monotonic ns; when it was switched on, where none tells."""
        return min((told["first_at"] for told in self.told if told["faults"] and told["first_at"]), default=self.on_at)

    def cached(self) -> tuple[float, float]:
        """Means of the known parts of prompts before the fault and after it, of the agent's alone."""
        long = [told for told in self.told if told["prompt_tokens"] >= LONG and told["first_at"]]
        sides = ([t for t in long if (t["first_at"] < self.on_at) is before] for before in (True, False))
        before, after = (_mean(t["cached_tokens"] / t["prompt_tokens"] for t in side) for side in sides)
        return before, after


LONG = 1000
"""Tokens of an agent's prompt, at least."""


def _mean(shares: Iterable[float]) -> float:
    found = list(shares)
    return sum(found) / len(found) if found else 0.0


@dataclass(frozen=True)
class Proof:
    """One fault.

    Attributes:
        what: in words.
        fault: of the golden server, ``NAME`` or ``NAME:RATE``; empty: none, and nothing may be called.
        rule: that has to name it; empty: a stop has to.
        size: what finds its size in the words of the finding; the first group is a number.
        truth: its true size; ``near``: by which part of it the found one may be off, ``least`` by how much at least.
        also: rules that may call it too, for they are as true.
        unsure: rules that it leaves without evidence.
        proven: the record itself proves it, however the load kept its times.
        stop: the family of the stop that it is.
        at_first: it shows in single answers, and its beginning is the first of them.
        rps, token_ms, workload: requests a second, pace of the server, and what is asked.
    """

    what: str
    fault: str = ""
    rule: str = ""
    size: str = ""
    truth: Callable[[Truth], float] = lambda _: 0.0
    near: float = 0.0
    least: float = 0.0
    unit: str = ""
    also: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    proven: bool = False
    stop: str = ""
    at_first: bool = False
    rps: float = 1.5
    token_ms: int = 25
    workload: str = "short"

    def sized(self, text: str) -> float | None:
        """The size that a text tells; None where it tells none."""
        found = re.search(self.size, text) if self.size else None
        return float(found[1]) if found is not None else None

    def sizes_agree(self, found: float, true: float) -> bool:
        return abs(found - true) <= max(self.near * abs(true), self.least)

    def began(self, truth: Truth, start: int) -> float:
        """Since when it is wrong, in seconds after the load began."""
        return ((truth.first() if self.at_first else truth.on_at) - start) / SECOND


OF_ALL = r"^(\d+) of \d+ (?:streams|requests)"
STEPPED = r"([+-]\d+) % from one moment on"


def _fired(truth: Truth) -> float:
    return float(truth.fired)


def _kilobytes(_: Truth) -> float:
    return 1024.0


def _lines(_: Truth) -> float:
    return float(LINES_A_SECOND)


def _stood(_: Truth) -> float:
    return STALL_S


def _fewer(_: Truth) -> float:
    return 100 * (1 / SLOWER - 1)


def _points(truth: Truth) -> float:
    before, after = truth.cached()
    return 100 * (after - before)


BROKEN: dict[str, Any] = {
    "size": OF_ALL, "truth": _fired, "at_first": True, "also": (MORE_ERRORS,), "unsure": (TOKENS,), "proven": True,
    "rps": 6.0, "token_ms": 5,
}  # fmt: skip
"""Of a fault in single streams: many are asked for, and of those that are broken nobody learns what they cost."""

PROOFS: dict[str, Proof] = {
    "clean": Proof("nothing: short chats"),
    "clean-agent": Proof("nothing: an agent's long prompts", workload="agent", rps=0.5, token_ms=4),
    "leak": Proof(
        "1 MB a request is kept", "keeps-a-megabyte", "memory-does-not-grow", r"([\d.e+]+) kB a request", _kilobytes,
        near=0.15, unit="kB a request", proven=True,
    ),
    "slower": Proof(
        "15 % slower", "slower", "pace-does-not-drop", STEPPED, _fewer, least=3, unit="% tokens a second",
        also=("latency-does-not-step", "latency-does-not-drift"), token_ms=60,
    ),
    "stall": Proof(
        "a stall of 60 s", "stands-still", truth=_stood, least=10, unit="s", stop="WEDGED", proven=True,
        unsure=(TOKENS, REQUESTS),
    ),
    "cut": Proof("1 stream in 500 is cut", "cut:0.002", ENDS, unit="streams", **BROKEN),
    "no-terminator": Proof("1 stream in 500 has no terminator", "no-terminator:0.002", ENDS, unit="streams", **BROKEN),
    "error": Proof(
        "an error after content in 1 of 100", "error-in-200:0.01", ANSWERED, unit="requests", **BROKEN,
    ),
    "log": Proof(
        "10,000 log lines a second", "floods-its-log", "the-log-is-not-flooded", r"(\d+) lines a second", _lines,
        near=0.25, unit="lines/s", proven=True,
    ),
    "cache": Proof(
        "a cache that stops helping", "forgets-prompts", "the-prompt-cache-keeps-helping", r"([+-]\d+) points of 100",
        _points, least=5, unit="points of 100", workload="agent", rps=0.5, token_ms=4,
    ),
}  # fmt: skip
