"""A recorded request as a command line that anybody can paste: the key stands as ``$OPENAI_API_KEY``, and the value of
a header of the operator's as a variable named like the header."""

from __future__ import annotations

import base64
import re
from shlex import quote
from urllib.parse import urlsplit

from seatrial.records import Endpoint, Exchange
from seatrial.wire.masking.headers import LESS, MORE, STARRED

_OURS = frozenset({"host", "content-length", "user-agent", "accept", "accept-encoding", "connection"})
"""Headers curl sets by itself, or that are written otherwise here; of these Host only where it is that of the URL."""

_KEYS = {LESS: "${OPENAI_API_KEY%?}", MORE: "${OPENAI_API_KEY}x"}
"""A key that was sent in part, or with more, as a shell writes it."""


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
        if name.lower() == "authorization" and STARRED.fullmatch(value):
            key = _KEYS.get(value[-1], "$OPENAI_API_KEY")
            parts.append(f'-H "Authorization: {value.rpartition(" ")[0] or "Bearer"} {key}"')
        elif STARRED.fullmatch(value):
            parts.append("-H " + _secret(name))
        elif name.lower() not in _OURS or (name.lower() == "host" and not _is_of(value, endpoint)):
            parts.append("-H " + word(f"{name}: {value}"))
    body, piped = _body(exchange, limit)
    return piped + " ".join(parts + body)


def _is_of(host: str, endpoint: Endpoint) -> bool:
    """Whether curl sends this Host by itself, for it is that of the endpoint's URL."""
    parts = urlsplit(endpoint.url)
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return host.lower().removesuffix(usual) == parts.netloc.lower().removesuffix(usual)


def word(text: str) -> str:
    r"""A text as one word of a shell; what a terminal would obey stands escaped, as ``$'\x1b'``, and means the same."""
    if text.isprintable():
        return quote(text)
    return "$'" + "".join(_escaped(c) for c in text) + "'"


def _escaped(c: str) -> str:
    if c in "\\'":
        return "\\" + c
    if c.isprintable():
        return c
    return f"\\x{ord(c):02x}" if ord(c) < 0x80 else f"\\U{ord(c):08x}"


def _secret(name: str) -> str:
    """A header whose value is not ours to show, as ``"X-Auth-Token: $X_AUTH_TOKEN"``."""
    variable = re.sub(r"\W", "_", name, flags=re.ASCII).upper()
    variable = "_" + variable if variable[:1].isdigit() else variable
    if re.fullmatch(r"[\w.-]+", name, re.ASCII):
        return f'"{name}: ${variable}"'
    return word(f"{name}: ") + f'"${variable}"'


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
