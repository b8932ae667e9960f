"""The server's own totals, to be held against what the users received."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from seatrial.wire.transports.load import Answer

QUIET_S = 0.25
LONGEST_S = 15.0


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of server's names for the totals, as its ``/metrics`` prints them; empty: it does not count that."""

    name: str
    tokens: str
    prompt_tokens: str = ""
    requests: str = ""
    busy: str = ""  # requests being worked on: 0 once all of them are counted


SOURCES = (
    Source(  # who counts its chats counts whole prompts with them
        "/metrics",
        tokens="llamacpp:tokens_predicted_total",
        prompt_tokens="llamacpp:prompt_tokens_total",
        requests="llamacpp:chats_total",
        busy="llamacpp:requests_processing",
    ),
    # llama.cpp counts the prompt tokens it computed, not those it found in its cache: no total to hold usage against
    Source(
        "llama.cpp's /metrics",
        tokens="llamacpp:tokens_predicted_total",
        busy="llamacpp:requests_processing",
    ),
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals at one moment; None: not counted there. ``source`` says whose they are, or why there are none."""

    source: str
    tokens: int | None = None
    prompt_tokens: int | None = None
    requests: int | None = None
    busy: int | None = None


def totals(answer: Answer) -> Totals:
    """Read the totals from an answer of ``/metrics`` (Prometheus text format 0.0.4)."""
    if answer.status != 200:
        return Totals(answer.error or f"/metrics answers {answer.status}")
    found = _samples(answer.body)
    for source in SOURCES:
        if source.tokens in found and (not source.requests or source.requests in found):
            return Totals(
                source.name,
                tokens=found[source.tokens],
                prompt_tokens=found.get(source.prompt_tokens),
                requests=found.get(source.requests),
                busy=found.get(source.busy),
            )
    return Totals("/metrics counts no tokens under a known name")


def quiet(read: Callable[[], Totals], sleep: Callable[[float], None] = time.sleep) -> Totals:
    """Read until two readings agree and nothing is being worked on: a server may count a moment after it answers.

    After ``LONGEST_S`` the last reading stands, and its source says that it still moved.
    """
    before = read()
    if before.tokens is None:
        return before
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        sleep(QUIET_S)
        now = read()
        if now == before and not now.busy:
            return now
        before = now
    return Totals(
        f"{before.source}, still moving after {LONGEST_S:g} s", before.tokens, before.prompt_tokens, before.requests
    )


def _samples(text: bytes) -> dict[str, int]:
    """Samples by name, those of several label sets summed; what is no whole number is left out."""
    found: dict[str, int] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        name, _, rest = line.partition("{") if "{" in line else line.partition(" ")
        value = rest.rpartition("} ")[2].split()
        if line.startswith("#") or not value:
            continue
        try:
            number = float(value[0])
        except ValueError:
            continue
        if number.is_integer():
            found[name.strip()] = found.get(name.strip(), 0) + int(number)
    return found
