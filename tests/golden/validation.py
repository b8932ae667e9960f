"""What a chat request may say. Every refusal is a 4xx with all four fields of the error object."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from tests.golden.app import wants
from tests.golden.items import Reply

MODEL = "golden-1"
"""The one model of the golden server."""


class Malformed:
    """Stands for a request body that is no JSON."""

    def __init__(self, why: str) -> None:
        self.why = why


class RefusedError(Exception):
    """The request is refused; :meth:`reply` is what the client gets."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code

    def reply(self) -> Reply:
        kinds = {401: "authentication_error", 500: "server_error"}
        error = {
            "message": self.message,
            "type": kinds.get(self.status, "invalid_request_error"),
            "param": self.param,
            "code": self.code,
        }
        return Reply(self.status, {"error": error})


class InsteadError(RefusedError):
    """A reply is sent instead of the answer: for faults."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("", status=reply.status)
        self._reply = reply

    def reply(self) -> Reply:
        return self._reply


def parse(body: bytes) -> Any:
    """A request body's JSON, or why it is none. NaN and Infinity are none."""

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    try:
        told = json.loads(body.decode("utf-8"), parse_constant=constant)
        if b"\\ud" in body.lower():  # half of a pair of surrogates is no text, though JSON can spell it
            json.dumps(told, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        return Malformed("the body is empty" if not body.strip() else f"the body is not valid JSON: {str(error)[:100]}")
    return told


def check_named(body: Any) -> tuple[dict[str, Any], str]:
    """An object that names a model, and the name.

    Raises:
        RefusedError: it is none, or it names none.
    """
    if isinstance(body, Malformed):
        raise RefusedError(body.why)
    if not isinstance(body, dict):
        raise RefusedError("the body must be a JSON object")
    named = body.get("model")
    if not isinstance(named, str) or not named:
        raise RefusedError("model must be a non-empty string", param="model")
    return body, named


def check_chat(body: Any) -> dict[str, Any]:
    """A chat request that can be served.

    Raises:
        RefusedError: it cannot, and the message and ``param`` say why.
    """
    body, named = check_named(body)
    check_messages(body.get("messages"))
    for name, (fits, meaning) in FIELDS.items():
        if body.get(name) is not None and not fits(body[name]):
            raise RefusedError(f"{name} must be {meaning}", param=name)
    _together(body)
    if named != MODEL:
        raise RefusedError(
            f"the model {named[:200]!r} does not exist", param="model", code="model_not_found", status=404
        )
    return body


def check_messages(messages: Any) -> None:
    """Raises:
    RefusedError: they are not a list of messages, each with role and text."""
    if not isinstance(messages, list) or not messages:
        raise RefusedError("messages must be a list of at least one message", param="messages")
    for n, message in enumerate(messages):
        where = f"messages[{n}]"
        if not isinstance(message, dict):
            raise RefusedError(f"{where} must be an object", param=where)
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or role not in {"system", "developer", "user", "assistant", "tool"}:
            raise RefusedError(
                f"{where}.role must be system, developer, user, assistant or tool", param=f"{where}.role"
            )
        if content is None and role == "assistant" and isinstance(message.get("tool_calls"), list):
            continue
        if not isinstance(content, str) and not (
            isinstance(content, list) and content and all(map(_text_part, content))
        ):
            raise RefusedError(f"{where}.content must be a string or a list of text parts", param=f"{where}.content")


def _text_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _together(body: Mapping[str, Any]) -> None:
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise RefusedError("top_logprobs needs logprobs: true", param="top_logprobs")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise RefusedError("stream_options needs stream: true", param="stream_options")
    param, wrong = wants.wrong_tools(body)
    if wrong:
        raise RefusedError(f"{param}: {wrong}", param=param)
    if body.get("response_format") is not None and (wrong := wants.wrong_format(body["response_format"])):
        raise RefusedError(f"response_format: {wrong}", param="response_format")
    if wrong := wants.wrong_results(body["messages"]):
        raise RefusedError(wrong, param="messages")


def integer(low: int | None = None, high: int | None = None) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return (low is None or value >= low) and (high is None or value <= high)

    return fits


def number(low: float, high: float) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        return math.isfinite(value) and low <= value <= high

    return fits


def kind(wanted: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, wanted)


def one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _biases(value: Any) -> bool:
    return isinstance(value, dict) and all(
        key.isascii() and key.isdigit() and len(key) < 6 and number(-100, 100)(bias) for key, bias in value.items()
    )


def _modalities(value: Any) -> bool:
    return value in (["text"], ["text", "audio"])


def _stop(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and len(value) <= 4 and all(isinstance(each, str) for each in value)
    )


def _stream_options(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("include_usage", False), bool | None)


def _template(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("enable_thinking", False), bool)


def _choice(value: Any) -> bool:
    return isinstance(value, str | dict)


EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "max_tokens": (integer(1), "an integer of at least 1"),
    "max_completion_tokens": (integer(1), "an integer of at least 1"),
    "n": (integer(1, 128), "an integer from 1 to 128"),
    "seed": (integer(), "an integer"),
    "temperature": (number(0, 2), "a number from 0 to 2"),
    "top_p": (number(0, 1), "a number from 0 to 1"),
    "presence_penalty": (number(-2, 2), "a number from -2 to 2"),
    "frequency_penalty": (number(-2, 2), "a number from -2 to 2"),
    "stop": (_stop, "a string or a list of at most 4 strings"),
    "stream": (kind(bool), "true or false"),
    "stream_options": (_stream_options, "an object with include_usage"),
    "logprobs": (kind(bool), "true or false"),
    "top_logprobs": (integer(0, 20), "an integer from 0 to 20"),
    "chat_template_kwargs": (_template, "an object; enable_thinking is true or false"),
    "reasoning_effort": (one_of(*EFFORTS), f"one of {', '.join(EFFORTS)}"),
    "response_format": (kind(dict), "an object"),
    "logit_bias": (_biases, "an object: ids of tokens, each with a number from -100 to 100"),
    "verbosity": (one_of("low", "medium", "high"), "low, medium or high"),
    "modalities": (_modalities, '["text"], or ["text", "audio"]'),
    "audio": (kind(dict), "an object"),
    "web_search_options": (kind(dict), "an object"),
    "moderation": (kind(dict), "an object"),
    "prediction": (kind(dict), "an object"),
    "tools": (kind(list), "a list of tools"),
    "tool_choice": (_choice, "a word or an object"),
    "parallel_tool_calls": (kind(bool), "true or false"),
    "user": (kind(str), "a string"),
    "metadata": (kind(dict), "an object"),
    "store": (kind(bool), "true or false"),
    "service_tier": (kind(str), "a string"),
    "safety_identifier": (kind(str), "a string"),
    "prompt_cache_key": (kind(str), "a string"),
    "prompt_cache_retention": (one_of("in_memory", "24h"), "in_memory or 24h"),
    "prompt_cache_options": (kind(dict), "an object"),
}
"""Parameters this server knows: what they must be, and in words. Null means absent; others are ignored."""
