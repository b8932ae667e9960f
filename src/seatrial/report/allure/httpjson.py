"""A recorded exchange as the HTTP attachment that Allure 3 shows: redacted, and cut to its head and tail."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from seatrial.records import Endpoint, Exchange
from seatrial.report.words import curl
from seatrial.text import readable
from seatrial.wire.masking.headers import STARRED

MIME = "application/vnd.allure.http+json"
EXTENSION = "httpexchange"
REDACTED = "__ALLURE_REDACTED__"
HEAD, TAIL = 12_000, 6_000
"""Bytes of a body that are shown; the whole stands in the run directory."""

_SECRET = re.compile(r"authorization|cookie|api[-_]?key|token|secret", re.IGNORECASE)


def attachment(exchange: Exchange, endpoint: Endpoint | None, start_ms: int, stop_ms: int) -> bytes:
    """The attachment's JSON; times are milliseconds of the wall clock."""
    document: dict[str, Any] = {
        "schemaVersion": 1,
        "start": start_ms,
        "stop": stop_ms,
        "request": _request(exchange, endpoint),
    }
    if exchange.status is not None:
        document["response"] = _response(exchange)
    if exchange.error:
        document["error"] = {"name": exchange.error, "message": readable(exchange.detail.encode("utf-8", "replace"))}
    return msgspec.json.encode(document)


def _request(exchange: Exchange, endpoint: Endpoint | None) -> dict[str, Any]:
    return {
        "method": exchange.method,
        "url": curl.url(exchange, endpoint) if endpoint else exchange.path,
        "httpVersion": "1.1",
        "headers": _headers(exchange.request_headers),
        "body": _body(exchange.request_body, "application/json"),
    }


def _response(exchange: Exchange) -> dict[str, Any]:
    body = _body(exchange.body, readable(exchange.content_type.encode("utf-8", "replace")))
    if exchange.is_stream:
        done = any(chunk.done for chunk in exchange.chunks)
        body["stream"] = {"type": "sse", "complete": done and not exchange.error, "chunkCount": len(exchange.chunks)}
    return {
        "status": exchange.status,
        "statusText": readable(exchange.reason.encode("utf-8", "replace")),
        "httpVersion": exchange.http_version,
        "headers": _headers(exchange.headers),
        "body": body,
    }


def _headers(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {"name": readable(name.encode("utf-8", "replace")), "value": _value(name, value)}
        for name, value in list(pairs)[:100]
    ]


def _value(name: str, value: str) -> str:
    if _SECRET.search(name) or STARRED.fullmatch(value):
        return REDACTED
    return readable(value.encode("utf-8", "replace")[:4000])


def _body(content: bytes, media: str) -> dict[str, Any]:
    cut = len(content) > HEAD + TAIL
    if cut:  # before it is made readable: only what is shown may cost time
        left_out = len(content) - HEAD - TAIL
        text = f"{readable(content[:HEAD])}\n...({left_out} bytes left out)...\n{readable(content[-TAIL:])}"
    else:
        text = readable(content)
    # A body of a media type Allure would render (HTML, SVG) is shown as the text it is.
    shown = media if media in {"application/json", "text/event-stream", "text/plain"} else "text/plain"
    return {"contentType": shown, "encoding": "utf8", "value": text, "size": len(content), "truncated": cut}
