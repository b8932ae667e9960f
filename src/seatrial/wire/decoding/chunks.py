"""A chat chunk as load and benchmarks read it: typed, so that what they do not need is skipped, not built.

Rules read :class:`seatrial.records.Exchange` instead, which keeps every field. Fields follow
``chat.completion.chunk`` of the OpenAI specification; ``reasoning`` and ``reasoning_content`` are what vLLM, SGLang
and llama.cpp call thought. The structs hold no cycles, so the collector need not watch them (``gc=False``).
"""

from __future__ import annotations

from typing import Any

import msgspec


class Function(msgspec.Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    index: int = 0
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct, frozen=True, gc=False):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(msgspec.Struct, frozen=True, gc=False):
    index: int = 0
    delta: Delta = Delta()
    finish_reason: str | None = None


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Counts of any type: an odd one is none, and spoils no answer."""

    prompt_tokens: Any = None
    completion_tokens: Any = None
    total_tokens: Any = None
    prompt_tokens_details: Any = None


UNTOLD = Usage()
"""A usage without a count: it takes none back that was told before."""


class ChatChunk(msgspec.Struct, frozen=True, gc=False):
    choices: list[Choice] = []
    usage: Usage | str | float | list[Any] | bool | None = None
    error: Any = None
    model: Any = None
    timings: Any = None  # llama.cpp's, which tell what became of drafts


decode = msgspec.json.Decoder(ChatChunk).decode
"""Decode the data of one event: ``decode(data: bytes) -> ChatChunk``.

Raises:
    msgspec.DecodeError: not JSON.
    RecursionError: JSON nested deeper than the interpreter's stack.
    msgspec.ValidationError: JSON, but not of this shape; the message names the field.
"""
