"""How the scenarios of this suite are built. Every rule that applies to a scenario judges it, whatever its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from seatrial.checks import traits
from seatrial.checks.traits import Traits
from seatrial.records import Depth, Exchange, Hazard, Request, Scenario

Send = Callable[[Scenario], Mapping[str, Exchange]]
Judge = Callable[..., None]
"""Takes a rule, what it judges, and by name what the rule must know beside that."""

HELLO = "Say hello."
COUNT = "Count from 1 to 200."
SUM = "What is 7 times 6?"
"""An answer that goes on until it is cut."""

NEVER = "\x1e"
"""A stop string that no answer holds: it takes the place of any that a server would put in. It is of ASCII, and one
character: what a server does to others is not in question where it stands."""

OPEN = "Write a sentence about the sea."
"""A prompt with many good answers: how they are drawn shows."""

WORLD = "Repeat: 日本語 🎉 naïve"

TURNS = [
    {"role": "system", "content": "You answer in one word."},
    {"role": "user", "content": "What is the colour of snow?"},
    {"role": "assistant", "content": "White."},
    {"role": "user", "content": "And of coal?"},
]

USAGE = {"include_usage": True}

DRAWN = 0.1
"""A temperature that is not greedy, and strays from the likeliest answer as little as can be."""


def request(prompt: str | list[Any], *, max_tokens: Any = 16, **body: Any) -> Request:
    """One chat request, greedy; ``model: None`` is the endpoint's. ``max_tokens=None`` leaves the cap out.

    Several choices are drawn, if barely: greedy ones would all be the same, and servers refuse to make them.
    """
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    cap = {} if max_tokens is None else {"max_tokens": max_tokens}
    n = body.get("n")
    temperature = DRAWN if isinstance(n, int) and n > 1 else 0
    return Request(body={"model": None, "messages": messages, "temperature": temperature, **cap, **body})


GOOD = request(HELLO, max_tokens=1)
"""What has to be answered before a faulty request and after it: the scenario ``one-token`` of plain chats."""


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
"""A tool as clients have it."""

PLACE = {
    "type": "json_schema",
    "json_schema": {"name": "place", "strict": True, "schema": WEATHER["function"]["parameters"]},  # type: ignore[index]
}

LIKE = "Answer with this JSON object: "
"""How a prompt begins that shows an object. A small model then writes one as short, and fills no line with blanks."""

TOWN = f'{LIKE}{{"town": "Oslo"}}'
"""It asks for another key than the schema of :data:`PLACE` has: who only follows the prompt breaks the schema."""

THINKING = {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": True}}
"""What makes a model think that can: it overrides the profile's off-switch."""


class FirstAsk:
    """An optional area's first request: (its scenario, the request). What a server lacks it says in answer to this."""

    TOOLS = ("tools/tools-asked", request(HELLO, tools=[WEATHER], tool_choice="auto"))
    STRUCTURED = ("structured/structured-asked", request(TOWN, response_format=PLACE, max_tokens=48))
    REASONING = ("reasoning/reasoning-asked", request(SUM, max_tokens=256, **THINKING))
    EMBEDDINGS = ("embeddings/embeddings-asked", Request(path="/embeddings", body={"model": None, "input": "the sea"}))


def optional(scenario: Scenario, asked: tuple[str, Request]) -> Scenario:
    """A scenario of an optional area, which does not apply where the area's first request was declined honestly."""
    return replace(scenario, before=asked)


def full(scenario: Scenario) -> Scenario:
    """A scenario that is sent under ``--depth=full`` alone: the long form of what another one asks in small."""
    return replace(scenario, depth=Depth.FULL)


def embed(given: Any, *, of: Traits = traits.NONE, **body: Any) -> Scenario:
    """One valid request for vectors."""
    asked = Request(path="/embeddings", body={"model": None, "input": given, **body})
    return optional(Scenario(requests={"only": asked}, traits=traits.JSON | of), FirstAsk.EMBEDDINGS)


def chat(prompt: str | list[Any], *, of: Traits = traits.NONE, **body: Any) -> Scenario:
    """One valid chat request. Its traits follow from its body; ``of`` adds to them."""
    return chats(of=of, only=request(prompt, **body))


def chats(*, of: Traits = traits.NONE, **requests: Request) -> Scenario:
    """Valid chat requests by name, all of them streamed or none."""
    body = next(iter(requests.values())).body
    streamed, counted = body.get("stream", False), "stream_options" in body
    borne = traits.STREAM if streamed else traits.COUNTED | traits.JSON
    if streamed and counted:
        borne |= traits.USAGE | traits.COUNTED
    return Scenario(requests=requests, traits=borne | of, tokens=_most_tokens(requests))


def both_ways(prompt: str | list[Any], *, of: Traits, **stream: Any) -> Scenario:
    """The same request, answered plain and as a stream; ``stream`` is what only the second asks for."""
    asked = {"plain": request(prompt), "stream": request(prompt, stream=True, **stream)}
    return Scenario(requests=asked, traits=of, tokens=_most_tokens(asked))


def lengths(cap: str, *, of: Traits, **body: Any) -> Scenario:
    """The same endless prompt under a short and a long cap of the name given: the long answer shows what was cut."""
    short, long = (request(COUNT, **{"max_tokens": None, cap: value}, **body) for value in (4, 24))
    return chats(of=of, short=short, long=long)


def get(path: str, *, of: Traits) -> Scenario:
    """One GET below the base URL."""
    return Scenario(requests={"only": Request(method="GET", path=path)}, traits=of)


def route(told: str, *, body: Any = None) -> Request:
    """A request to a route as the kinds of server tell it: ``GET /path``, below the API where it is one of ``/v1/``."""
    method, _, path = told.partition(" ")
    below = path.removeprefix("/v1") if path.startswith("/v1/") else f"/{path}"
    return Request(method=method, path=below, body=body)


def bearing(asked: Request, authorization: str) -> Request:
    """The same request with another authorization than the operator's; empty: with none."""
    return replace(asked, authorization=authorization)


def alone(asked: dict[str, Request], of: Traits) -> Scenario:
    """Requests that a server may decline, alone on the endpoint: their texts are compared."""
    return replace(declinable(asked, of=of), alone=True)


def faulty(
    bad: Request,
    *,
    of: Traits,
    hazard: Hazard = Hazard.CARELESS,
    known: Request | None = None,
    asked: tuple[str, Request] | None = None,
) -> Scenario:
    """A request that has to be refused, and a good one after it, which was answered before as well.

    Args:
        known: sent before it, where its route is not that of chats: the same request without its fault.
        asked: of an optional area, its first request: the good one before and after.
    """
    before = asked or ("chat/one-token", GOOD)
    first = {} if known is None else {"known": known}
    return Scenario(
        requests={**first, "bad": bad, "good": before[1]},
        before=before,
        traits=traits.FAULTY | of,
        hazard=hazard,
        tokens=16 + _most_tokens({"good": before[1]}),
    )


def all_faulty(bad: Mapping[str, Request], *, of: Traits, asked: tuple[str, Request]) -> Scenario:
    """Several faulty requests of one kind, each a part of a row, of an optional area; one good request after them."""
    one = faulty(next(iter(bad.values())), of=of, asked=asked)
    return replace(one, requests={**bad, "good": asked[1]})


def declinable(requests: Mapping[str, Request], *, of: Traits, asked: tuple[str, Request] | None = None) -> Scenario:
    """Chats with a feature that may be declined by itself; ``of`` has the trait that says so.

    Args:
        asked: of an optional area, its first request.
    """
    return Scenario(requests=dict(requests), traits=of, before=asked, tokens=_most_tokens(requests))


def raw(body: bytes) -> Request:
    """A POST whose body is no chat request."""
    return Request(raw=body)


def _most_tokens(requests: Mapping[str, Request]) -> int:
    bodies = [r.body for r in requests.values()]
    names = ("max_tokens", "max_completion_tokens")
    caps = [min((b[key] for key in names if b.get(key) is not None), default=0) for b in bodies]
    return sum(int(cap * (body.get("n") or 1)) for cap, body in zip(caps, bodies, strict=True))
