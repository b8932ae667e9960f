"""How the scenarios of this suite are built, and the rules that judge them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seatrial.checks import models, sse
from seatrial.checks.rules import Rule
from seatrial.records import Exchange, Request, Scenario

RULES = (models, sse)
"""Every scenario is judged by every rule that applies to it, whatever file it stands in."""

Send = Callable[[Scenario], Mapping[str, Exchange]]
Judge = Callable[[Rule, Mapping[str, Exchange]], None]

CARELESS_S = 15.0
"""A faulty request is refused at once or not at all: seconds until no answer is the answer."""


def request(prompt: str | list[dict[str, Any]], *, max_tokens: int | None = 16, **body: Any) -> Request:
    """One chat request, greedy; the endpoint's model is filled in where it is sent."""
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    cap = {} if max_tokens is None else {"max_tokens": max_tokens}
    return Request(body={"model": None, "messages": messages, "temperature": 0, **cap, **body})


def chat(prompt: str | list[dict[str, Any]], *, of: Iterable[str] = (), **body: Any) -> Scenario:
    """One valid chat request. Its traits follow from its body; ``of`` adds to them."""
    return chats(of=of, only=request(prompt, **body))


def chats(*, of: Iterable[str] = (), **requests: Request) -> Scenario:
    """Valid chat requests by name, all of them streamed or none."""
    bodies = [r.body for r in requests.values()]
    streamed = bodies[0].get("stream", False)
    counted = not streamed or "stream_options" in bodies[0]
    traits = {"chat", "stream" if streamed else "plain", *of}
    traits |= {"counted"} if counted else set()
    traits |= {"usage"} if streamed and counted else set()
    traits |= set() if streamed else {"json"}
    tokens = sum(_most_tokens(body) for body in bodies)
    return Scenario(requests=requests, traits=frozenset(traits), tokens=tokens)


def get(path: str, *, of: Iterable[str]) -> Scenario:
    """One GET below the base URL."""
    return Scenario(requests={"only": Request(method="GET", path=path)}, traits=frozenset(of))


def _most_tokens(body: dict[str, Any]) -> int:
    caps: list[int] = [body[key] for key in ("max_tokens", "max_completion_tokens") if key in body]
    return min(caps) * int(body.get("n", 1))
