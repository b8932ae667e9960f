"""From a scenario's request to what is sent to one endpoint."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote

import msgspec

from seatrial.records import Endpoint, Request

CAPS = ("max_tokens", "max_completion_tokens")


class Prepared(msgspec.Struct, frozen=True):
    """A request ready to send. ``path`` is below the base URL, or, beginning with ``//``, from the server's root."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def prepare(request: Request, endpoint: Endpoint, *, valid_chat: bool) -> Prepared:
    """Fill in what only the endpoint knows.

    ``model: None`` in the body and ``{model}`` in the path become the endpoint's model. Where ``valid_chat`` says that
    the request is an ordinary chat, caps grow by the endpoint's factor (a thinking model spends small ones on thought;
    those of a request that says ``exact`` do not) and its extra body (a profile's off-switch, the operator's
    ``--extra-body``) is merged in; faulty requests are sent as they are, for their fault is what is tested.
    """
    headers = dict(request.headers)
    body = request.raw
    if body is None and request.body is not None:
        body = msgspec.json.encode(_fill(request, endpoint, valid_chat=valid_chat))
    if body is not None and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/json"
    return Prepared(
        method=request.method,
        path=request.path.replace("{model}", quote(endpoint.model, safe="")),
        body=body or b"",
        headers=tuple(headers.items()),
    )


def _fill(request: Request, endpoint: Endpoint, *, valid_chat: bool) -> Any:
    body = request.body
    if not isinstance(body, dict):
        return body
    filled = dict(body)
    if "model" in filled and filled["model"] is None:
        filled["model"] = endpoint.model
    if valid_chat:
        for cap in () if request.exact else CAPS:
            value = filled.get(cap)
            if isinstance(value, int) and not isinstance(value, bool):
                filled[cap] = math.ceil(value * endpoint.cap_factor)
        filled = {**endpoint.extra_body, **filled}
    return filled
