"""A program that wants JSON: an answer by a schema, streamed."""

from __future__ import annotations

from random import Random
from typing import Any

from load.users import chat as chats
from load.users.asked import AskedOf, Sending, chat, tokens_of, user
from seatrial.given.workload import TrafficPart

KIND = "structured"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "sure": {"type": "boolean"},
        "score": {"type": "integer"},
        "sources": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["answer", "sure", "score", "sources"],
    "additionalProperties": False,
}


def ask(part: TrafficPart, about: AskedOf, draw: Random, _: int) -> Sending:
    text = f"{chats.said(part, about, draw)} Answer as JSON, in few words."
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    return chat(about, part.called, user(text), tokens_of(part, about, draw), response_format=wanted)
