"""Small changes to JSON values, made on copies; and the requests that faults pick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.golden.http1 import LIMIT
from tests.golden.items import Reply
from tests.golden.registry import Call, chat, streaming
from tests.golden.validation import FIELDS, MODEL, Malformed, RefusedError, check_messages

Json = dict[str, Any]
HTML = (("Content-Type", "text/html; charset=utf-8"),)
CAPS = ("max_tokens", "max_completion_tokens")
INTEGERS = frozenset({*CAPS, "n", "seed", "top_logprobs"})
NUMBERS = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})
VALID = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]}


def without(value: Json, *names: str) -> Json:
    """Without some keys; the same object where none is there."""
    return {k: v for k, v in value.items() if k not in names} if any(name in value for name in names) else value


def each_choice(body: Json, change: Callable[[Json], Json]) -> Json:
    """With each choice changed; the same object where none was."""
    choices = [change(choice) for choice in body["choices"]]
    same = all(new is old for new, old in zip(choices, body["choices"], strict=True))
    return body if same else {**body, "choices": choices}


def each_message(body: Json, change: Callable[[Json], Json]) -> Json:
    """With the message of each choice changed."""
    return each_choice(body, lambda choice: {**choice, "message": change(choice["message"])})


def with_usage(body: Json, **changes: Callable[[int], Any]) -> Json:
    """With numbers of the usage changed; the same object where it has none."""
    usage = body.get("usage")
    return {**body, "usage": {**usage, **{k: f(usage[k]) for k, f in changes.items()}}} if usage else body


def relabelled(reply: Reply, content_type: str | None) -> Reply:
    """With another Content-Type, or none."""
    others = tuple(pair for pair in reply.headers if pair[0].lower() != "content-type")
    return replace(reply, headers=others if content_type is None else (("Content-Type", content_type), *others))


def html(status: int, title: str) -> Reply:
    """The page a gateway shows."""
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Reply(status, page.encode(), HTML)


def failure(status: int = 500, message: str = "internal error") -> Reply:
    """A server error in its proper shape."""
    return Reply(status, {"error": {"message": message, "type": "server_error", "param": None, "code": None}})


def error_of(reply: Reply) -> Json | None:
    """The error object of a reply as this server makes it; None: it has none."""
    return reply.payload.get("error") if reply.status >= 400 and isinstance(reply.payload, dict) else None


# which requests


def get(path: str) -> Callable[[Call], bool]:
    return lambda call: call.request.method == "GET" and call.path == path


def api(call: Call) -> bool:
    """A request to the API itself: not health, not metrics, not the truth."""
    return call.path.startswith("/v1/") and call.path != "/v1/health"


def empty(call: Call) -> bool:
    return chat(call) and not call.request.body.strip()


def oversized(call: Call) -> bool:
    """A chat whose body is longer than what is taken."""
    return chat(call) and len(call.request.body) > LIMIT


def heads(name: str) -> Callable[[Call], bool]:
    """A chat request with a header of this name."""
    return lambda call: chat(call) and name in call.request.headers


def by(method: str) -> Callable[[Call], bool]:
    return lambda call: call.request.method == method


def foreign(call: Call) -> bool:
    """A request from a page of an origin."""
    return "origin" in call.request.headers


def mislabelled(call: Call) -> bool:
    """A chat whose label says something else than JSON, or that has none."""
    return chat(call) and label(call).partition(";")[0].strip().lower() != "application/json"


def label(call: Call) -> str:
    """The Content-Type of a request, as it is written."""
    return call.request.headers.get("content-type", "")


def takes_gzip(call: Call) -> bool:
    """A request for a stream from a client that takes gzip."""
    return streaming(call) and "gzip" in call.request.headers.get("accept-encoding", "")


def nested(call: Call) -> bool:
    """A chat that is thousands of levels deep somewhere."""
    return chat(call) and b"[" * 1000 in call.request.body


def odd_json(call: Call) -> bool:
    """JSON with a byte order mark, with a key twice, with a lone surrogate, or in bytes that are not UTF-8."""
    body = call.request.body
    twice = body.count(b'"max_tokens"') > 1
    return chat(call) and (body.startswith(b"\xef\xbb\xbf") or twice or b"\\ud800" in body or not_utf8(call))


def not_utf8(call: Call) -> bool:
    """A chat whose bytes are not UTF-8: JSON of an older client, in Latin-1."""
    try:
        call.request.body.decode()
    except UnicodeDecodeError:
        return chat(call)
    return False


def malformed(call: Call) -> bool:
    return chat(call) and isinstance(call.body, Malformed) and not empty(call)


def no_object(call: Call) -> bool:
    return chat(call) and not isinstance(call.body, (dict, Malformed))


def empty_messages(call: Call) -> bool:
    return chat(call) and call.says("messages") == []


def bad_messages(call: Call) -> bool:
    """Messages that are missing or wrong, but not an empty list."""
    if not chat(call) or not isinstance(call.body, dict) or empty_messages(call):
        return False
    try:
        check_messages(call.says("messages"))
    except RefusedError:
        return True
    return False


def other_model(call: Call) -> bool:
    return chat(call) and isinstance(call.says("model"), str) and call.says("model") != MODEL


def whole_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def bad_cap(call: Call) -> bool:
    return chat(call) and any(whole_number(call.says(name)) and call.says(name) < 1 for name in CAPS)


def capped(call: Call) -> bool:
    return chat(call) and any(whole_number(call.says(name)) and call.says(name) > 0 for name in CAPS)


def says(name: str) -> Callable[[Call], bool]:
    """A chat request that sets a parameter."""
    return lambda call: chat(call) and call.says(name) not in (None, False)


def several(call: Call) -> bool:
    return chat(call) and whole_number(call.says("n")) and call.says("n") > 1


def misfits(body: Any) -> tuple[str, ...]:
    """Parameters of the wrong type: not those that are only out of range."""
    if not isinstance(body, dict):
        return ()
    return tuple(name for name, (fits, _) in FIELDS.items() if _wrong(name, body.get(name), fits))


def wrong_type(call: Call) -> bool:
    return chat(call) and bool(misfits(call.body))


def _wrong(name: str, value: Any, fits: Callable[[Any], bool]) -> bool:
    if value is None or fits(value):
        return False
    if name in INTEGERS:
        return not whole_number(value)
    if name in NUMBERS:
        return not isinstance(value, (int, float)) or isinstance(value, bool)
    return True
