"""The typed chunk: what load reads of it, and what it refuses."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.wire.decoding.chunks import Usage, decode


def test_a_delta() -> None:
    chunk = decode(b'{"id":"x","choices":[{"index":1,"delta":{"content":"a","reasoning":"b"},"finish_reason":"stop"}]}')
    [choice] = chunk.choices
    assert (choice.index, choice.delta.content, choice.delta.reasoning, choice.delta.role) == (1, "a", "b", None)
    assert (choice.finish_reason, chunk.usage, chunk.error) == ("stop", None, None)


def test_a_tool_call() -> None:
    [choice] = decode(b'{"choices":[{"delta":{"tool_calls":[{"index":2,"function":{"arguments":"{"}}]}}]}').choices
    assert choice.delta.tool_calls
    assert (choice.delta.tool_calls[0].index, choice.delta.tool_calls[0].id) == (2, None)
    assert choice.delta.tool_calls[0].function
    assert choice.delta.tool_calls[0].function.arguments == "{"


def test_usage_and_error() -> None:
    usage = decode(b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}').usage
    assert isinstance(usage, Usage)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (1, 2, 3)
    assert decode(b'{"error":{"message":"m"}}').error == {"message": "m"}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[DONE]", b"\xff", b"[" * 5000], ids=["empty", "cut", "done", "not-utf8", "deep"]
)
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        decode(data)


@pytest.mark.parametrize("data", [b"[]", b'{"choices":null}', b'{"choices":[{"delta":{"content":[]}}]}'])
def test_what_is_no_chunk(data: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(data)
