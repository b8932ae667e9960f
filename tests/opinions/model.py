"""What a real model answers to the items of three makers: the embedded one, asked at its own sampling."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx

from seatrial.behaviour.items import Maker
from seatrial.behaviour.probes.form.instructions import INSTRUCTIONS
from seatrial.behaviour.probes.form.language import LANGUAGES
from seatrial.behaviour.probes.form.objects import JSON
from seatrial.behaviour.probes.form.tools import CALLING
from seatrial.reading.fields import listing, mapping
from seatrial.servers.embedded import ALIAS, model_file
from tests.opinions.opinion import Output

PATIENCE_S = 120.0
LONGEST = 120
"""Tokens of an answer: a model that loops would fill any cap."""


def outputs(items: int, seed: int = 0) -> Iterator[Output]:
    """What the embedded model says to so many items of each maker."""
    command = [
        sys.executable,
        "-m",
        "seatrial.servers.embedded",
        "--with-parent",
        f"--model={model_file()}",
        "--slots=1",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            for maker in (INSTRUCTIONS, LANGUAGES, JSON, CALLING):
                for number in range(items):
                    yield from _asked(url, maker, seed, number)
        finally:
            server.kill()


def _asked(url: str, maker: Maker, seed: int, number: int) -> Iterator[Output]:
    item = maker.item(seed, number)
    body = {**maker.request(seed, number).body, "model": ALIAS, "stream": False}
    body.pop("stream_options", None)
    body["max_tokens"] = min(body["max_tokens"], LONGEST)
    try:
        answer = httpx.post(f"{url}/chat/completions", json=body, timeout=PATIENCE_S)
    except httpx.TimeoutException:  # on a busy machine; what was not said is no output
        return
    message = mapping(mapping(next(iter(listing(mapping(answer.json()).get("choices"))), None)).get("message"))
    text = message.get("content") or ""
    if maker is INSTRUCTIONS:
        yield from (Output("instructions", kind, drawn, text, "model") for kind, drawn in item.truth)
    elif maker is LANGUAGES:
        yield Output("language", item.truth, None, text, "model")
    elif maker is JSON:
        yield Output("json", item.family, item.truth, text, "model")
    elif answer.status_code == 200:  # a call that its server could not parse is no answer
        yield Output("calls", item.family, item.truth, list(_calls(message)), "model", text)


def _calls(message: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    for call in listing(message.get("tool_calls")):
        function = mapping(mapping(call).get("function"))
        try:
            yield function.get("name"), json.loads(function.get("arguments", ""))
        except ValueError:
            yield function.get("name"), function.get("arguments")
