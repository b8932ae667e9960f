"""An answer as a person reads it, and the request as a person repeats it."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlsplit

from seatrial.behaviour.answers import Spoken
from seatrial.records import Exchange, Expect
from seatrial.text import visible

LONGEST_BODY = 8_000


def shown(answer: Spoken, limit: int | None = None) -> str:
    r"""All that was said, on one line; control characters, escapes and bidi marks as ``\x1b``.

    Args:
        limit: the most characters; the start and the end are kept, and what is left out is counted.
    """
    parts = [f"[reasoning] {answer.reasoning}"] if answer.reasoning else []
    parts += [answer.content] if answer.content else []
    parts += [f"[call] {call}" for call in answer.calls]
    parts += [f"[error] {answer.error}"] if answer.error else []
    parts += [f"[{answer.finish or 'no finish_reason'}]"]
    return visible(" ".join(parts), limit)


def curl(x: Exchange, expect: Expect) -> str:
    """The request as a shell line; the key stands as ``$OPENAI_API_KEY`` where the request had one.

    The URL is the endpoint's base URL (``expect.settings["url"]``), else made from the Host header.
    """
    words = ["curl", "-N", shlex.quote(visible(_url(x, expect)))]
    if x.method not in {"GET", "POST"}:
        words += ["-X", shlex.quote(visible(x.method))]
    if x.request_body:
        words += ["-H", "'Content-Type: application/json'"]
    if any(name.lower() == "authorization" for name, _ in x.request_headers):
        words += ["-H", '"Authorization: Bearer $OPENAI_API_KEY"']
    if x.request_body:
        words += ["-d", shlex.quote(_body(x))]
    return " ".join(words)


def _url(x: Exchange, expect: Expect) -> str:
    base = expect.settings.get("url")
    if isinstance(base, str) and base:
        parts = urlsplit(base)
        prefix = parts.path.rstrip("/")
        below = x.path if x.path.startswith(f"{prefix}/") else prefix + x.path
        return f"{parts.scheme}://{parts.netloc}{below}"
    host = next((value for name, value in x.request_headers if name.lower() == "host"), "localhost")
    return f"http://{host}{x.path}"


def _body(x: Exchange) -> str:
    """The body, ASCII and without control characters; a long one is named by the exchange instead."""
    if len(x.request_body) > LONGEST_BODY:
        return f"@body-of-{x.id}.json"
    if x.request_json is not None:
        return json.dumps(x.request_json, separators=(",", ":"))
    return visible(x.request_body.decode("utf-8", "backslashreplace"))
