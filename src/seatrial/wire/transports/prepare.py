"""From a scenario's request to what is sent to one endpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

import msgspec

from seatrial.reading import chat, fields
from seatrial.records import Endpoint, Exchange, Request, TokensLeft, Words

CAPS = ("max_tokens", "max_completion_tokens")

TEXT = (
    "the ship left port at dawn and her crew sang on deck while gulls flew by a tall mast in wind from west to east as "
    "men cut rope set sail took turns with oars cold rain fell over dark sea until one saw land not far off where fire "
    "burned low near sand so they made for it fast before night came down again"
)
WORDS = tuple(TEXT.split())
"""Words that are one token each in the vocabularies of most models, and never less than one."""


class Prepared(msgspec.Struct, frozen=True):
    """A request ready to send. ``path`` is below the base URL, or, beginning with ``//``, from the server's root."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def prepare(
    request: Request, endpoint: Endpoint, *, valid_chat: bool, got: Mapping[str, Exchange] | None = None
) -> Prepared:
    """Fill in what only the endpoint knows.

    ``model: None`` in the body and ``{model}`` in the path become the endpoint's model. Where ``valid_chat`` says that
    the request is an ordinary chat, caps grow by the endpoint's factor (a thinking model spends small ones on thought;
    those of a request that says ``exact`` do not), though not beyond half of its context, for a cap that has no room is
    refused, and its extra body (a profile's off-switch, the operator's
    ``--extra-body``) is merged in; faulty requests are sent as they are, for their fault is what is tested. Texts and
    caps that hang on the context are made for it; where it is not known, it is taken for empty.

    Args:
        got: the answers to earlier requests of the same scenario.
    """
    headers = dict(request.headers)
    body = request.raw
    if body is None and request.body is not None:
        body = msgspec.json.encode(_fill(request, endpoint, got or {}, valid_chat=valid_chat))
    if body is not None and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/json"
    return Prepared(
        method=request.method,
        path=request.path.replace("{model}", quote(endpoint.model, safe="")),
        body=body or b"",
        headers=tuple(headers.items()),
    )


def _fill(request: Request, endpoint: Endpoint, got: Mapping[str, Exchange], *, valid_chat: bool) -> Any:
    body = _sized(request.body, endpoint.context or 0, got)
    if not isinstance(body, dict):
        return body
    filled = dict(body)
    if "model" in filled and filled["model"] is None:
        filled["model"] = endpoint.model
    if valid_chat:
        for cap in () if request.exact else CAPS:
            value = filled.get(cap)
            if isinstance(value, int) and not isinstance(value, bool):
                most = max(value, endpoint.context // 2) if endpoint.context else math.inf
                filled[cap] = min(math.ceil(value * endpoint.cap_factor), most)
        filled = {**endpoint.extra_body, **filled}
    return filled


def _sized(value: Any, context: int, got: Mapping[str, Exchange]) -> Any:
    """A body with what hangs on the context put in its place."""
    if isinstance(value, dict):
        return {key: _sized(each, context, got) for key, each in value.items()}
    if isinstance(value, list):
        return [_sized(each, context, got) for each in value]
    if isinstance(value, Words):
        start = value.first % len(WORDS)
        left = _left(context, got.get(value.after)) if value.after else 0
        return " ".join(islice(cycle(WORDS), start, start + max(0, int(context * value.share) + left + value.more)))
    if isinstance(value, TokensLeft):
        return max(1, _left(context, got.get(value.after)) + value.more)
    return value


def _left(context: int, before: Exchange | None) -> int:
    """Tokens that a context has left beside the prompt of an earlier request; all where it is not known how long."""
    told = None if before is None else fields.mapping(chat.usage(before)).get("prompt_tokens")
    return context - min(context, max(0, fields.integer(told) or 0))
