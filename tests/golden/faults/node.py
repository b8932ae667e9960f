"""What the official SDK for Node makes something else of, and the one for Python does not."""

from __future__ import annotations

from collections.abc import Iterator

from tests.golden.edits import Json, each_choice
from tests.golden.faults.tools.calls import first, of_function, streamed
from tests.golden.items import Item
from tests.golden.registry import Shot, fault, streaming

NODE = "sdk/node-gives-the-answer-that-was-sent"


@fault("stream-usage-without-id", caught_by=NODE, stage="chunk", when=streaming)
def stream_usage_without_id(body: Json, shot: Shot) -> Json:
    """The chunk with usage has an empty id: ChatCompletionStream of openai-node takes nothing from such a chunk."""
    return {**body, "id": ""} if body.get("usage") else body


@fault("call-name-in-pieces", caught_by=NODE, stage="events", when=streamed)
def call_name_in_pieces(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The name of a streamed call comes in two pieces: ChatCompletionStream of openai-node keeps the last alone."""
    for item in items:
        made = item["choices"][0]["delta"].get("tool_calls") if isinstance(item, dict) and item["choices"] else None
        if not made or not first(made[0]):
            yield item
            continue
        shot.fire()
        name, index = made[0]["function"]["name"], made[0]["index"]
        entry = of_function(made[0], name=name[:2])
        yield each_choice(item, lambda c, entry=entry: {**c, "delta": {**c["delta"], "tool_calls": [entry]}})
        entry = {"index": index, "function": {"name": name[2:]}}
        yield each_choice(item, lambda c, entry=entry: {**c, "delta": {"tool_calls": [entry]}})
