"""Exchanges and texts made to measure: answers as a server would stream them, and prose that does or does not loop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from msgspec.structs import replace

from seatrial.behaviour.items import number_of
from seatrial.behaviour.probe import RateProbe, makers
from seatrial.records import Chunk, Endpoint, Exchange, Expect
from seatrial.wire.transports.prepare import prepare
from tests.golden.answers import prose

ENDPOINT = Endpoint(name="golden", url="", kind="generic", model="golden", models=("golden",), context=1024)
EXPECT = Expect(model="golden", settings={"url": "http://127.0.0.1:8080/v1", "seed": 0, "cut": []})


def exchange(**fields: Any) -> Exchange:
    """A whole, empty 200 but for ``fields``."""
    asked = {"model": "golden", "messages": [{"role": "user", "content": "Say it's so."}]}
    blank: dict[str, Any] = {
        "id": "main-1",
        "endpoint": "golden",
        "scenario": "answers/answers",
        "method": "POST",
        "path": "/v1/chat/completions",
        "request_headers": (("host", "127.0.0.1:8080"),),
        "request_body": json.dumps(asked).encode(),
        "request_json": asked,
        "sent_at": 1_000_000_000,
        "ended_at": 2_500_000_000,
        "status": 200,
        "reason": "OK",
        "http_version": "1.1",
        "headers": (("content-type", "application/json"),),
        "raw": b"HTTP/1.1 200 OK",
        "body": b"",
        "json": None,
        "fault": "",
        "chunks": (),
        "comments": 0,
        "tail": b"",
    }
    return Exchange(**blank | fields)


def streamed(*chunks: Any, **fields: Any) -> Exchange:
    """A stream of these JSON values."""
    made = tuple(Chunk(index=i, at=i, data="", json=value) for i, value in enumerate(chunks))
    return exchange(headers=(("content-type", "text/event-stream"),), chunks=made, **fields)


def said(content: str = "", finish: str | None = "stop", *, reasoning: str = "", **fields: Any) -> Exchange:
    """A streamed answer in pieces of seven characters."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": reasoning[i : i + 7]} for i in range(0, len(reasoning), 7)]
    deltas += [{"content": content[i : i + 7]} for i in range(0, len(content), 7)]
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return streamed(*chunks, **fields)


def refused(**fields: Any) -> Exchange:
    """Nobody listened."""
    return exchange(status=None, reason="", headers=(), raw=b"", error="refused", **fields)


def clean(draw: Random, at_least: int = 300) -> str:
    """Prose that does not repeat itself, of at least so many words."""
    return " ".join(prose(draw, at_least))


def looping(draw: Random, period: int, *, total: int = 190, lead: int = 20) -> str:
    """Prose that falls into an exact loop of ``period`` words and stays in it; ``total`` words at least."""
    turn = clean(draw, 2 * period + 20).split()[:period]
    copies = max(5, -(-total // period))
    return " ".join(clean(draw, lead + 10).split()[:lead] + turn * copies)


def drifting(draw: Random, period: int, *, total: int = 190) -> str:
    """A loop with a counter that goes on."""
    turn = clean(draw, 2 * period + 20).split()[: period - 2]
    start, copies = draw.randrange(1, 90), max(5, -(-total // period))
    return " ".join(f"Attempt {start + i} {' '.join(turn)}" for i in range(copies))


def fuzzy(draw: Random, period: int, *, total: int = 640) -> str:
    """A loop in which each turn swaps one word for a new one."""
    turn = clean(draw, 2 * period + 20).split()[:period]
    copies = max(5, -(-total // period))
    return " ".join(" ".join(_swapped(draw, turn)) for _ in range(copies))


def _swapped(draw: Random, turn: list[str]) -> Iterator[str]:
    at = draw.randrange(len(turn))
    for i, word in enumerate(turn):
        yield f"{word}{draw.randrange(10**6)}x" if i == at else word


def to(name: str, x: Exchange, seed: int = 0) -> Exchange:
    """The same answer, given to the item of that name."""
    asked = makers()[name.rpartition("-")[0]].request(seed, number_of(name))
    return replace(x, request_json=json.loads(prepare(asked, ENDPOINT, valid_chat=True).body))


def names(probe: RateProbe, n: int) -> list[str]:
    """The first n items that a probe reads of its own maker."""
    read = (number for number in range(20 * n) if probe.reads(probe.maker, number))
    return [probe.maker.named(number) for number, _ in zip(read, range(n), strict=False)]
