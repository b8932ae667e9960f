"""A recorded request as a command line that anybody can paste, with the key as ``$OPENAI_API_KEY``."""

from __future__ import annotations

import base64
from shlex import quote
from urllib.parse import urlsplit

from seatrial.records import Endpoint, Exchange

_OURS = frozenset({"host", "content-length", "user-agent", "accept", "accept-encoding", "connection", "authorization"})
"""Headers curl sets by itself, or that are written otherwise here."""


def url(exchange: Exchange, endpoint: Endpoint) -> str:
    """Where the request went: below the endpoint's base URL, or from the server's root for a path of ``//``."""
    if exchange.path.startswith("//"):
        parts = urlsplit(endpoint.url)
        return f"{parts.scheme}://{parts.netloc}{exchange.path[1:]}"
    return endpoint.url.rstrip("/") + exchange.path


def command(exchange: Exchange, endpoint: Endpoint, limit: int | None = None) -> str:
    """The curl line of a recorded request; safe to paste whatever the server named its models.

    Args:
        limit: the most characters of the body to show; a line that is cut ends its body in ``...`` and no longer runs.
    """
    parts = ["curl -N"] if b'"stream":true' in exchange.request_body.replace(b" ", b"") else ["curl"]
    if exchange.method not in {"GET", "POST"}:
        parts.append(f"-X {quote(exchange.method)}")
    parts.append(quote(url(exchange, endpoint)))
    for name, value in exchange.request_headers:
        if name.lower() == "authorization":
            parts.append('-H "Authorization: Bearer $OPENAI_API_KEY"')
        elif name.lower() not in _OURS:
            parts.append("-H " + quote(f"{name}: {value}"))
    body, piped = _body(exchange, limit)
    return piped + " ".join(parts + body)


def _body(exchange: Exchange, limit: int | None) -> tuple[list[str], str]:
    """Arguments for the body, and what goes before curl where its bytes cannot stand on a command line."""
    content = exchange.request_body
    if not content:
        return (["-d ''"] if exchange.method == "POST" else []), ""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and text.isprintable():
        shown = text if limit is None or len(text) <= limit else text[: max(limit - 3, 0)] + "..."
        return [("-d " if not text.startswith("@") else "--data-raw ") + quote(shown)], ""
    encoded = base64.b64encode(content).decode("ascii")
    if limit is not None and len(encoded) > limit:
        encoded = encoded[: max(limit - 3, 0)] + "..."
    return ["--data-binary @-"], f"echo {quote(encoded)} | base64 -d | "
