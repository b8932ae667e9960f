"""From a scenario's request to what is sent to one endpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

import msgspec

from seatrial.reading import chat, fields, marks, tools
from seatrial.records import Endpoint, Exchange, Listed, Quoted, Request, TokensLeft, Words

RESERVED = "/:@!$&'()*+,;="
"""Characters that a path may hold as they are, beside letters, digits and what never needs an escape (RFC 3986 3.3)."""

CHATS = Request().path
CAPS = ("max_tokens", "max_completion_tokens")

TEXT = (
    "the ship left port at dawn and her crew sang on deck while gulls flew by a tall mast in wind from west to east as "
    "men cut rope set sail took turns with oars cold rain fell over dark sea until one saw land not far off where fire "
    "burned low near sand so they made for it fast before night came down again"
)
NEVER = "\N{SYMBOL FOR UNIT SEPARATOR}"
"""A text that no answer holds."""

UNCALLED = "seatrial0"
"""The id of a call that no server made: nine letters and digits, which the templates that are strict about ids take."""

WORDS = tuple(TEXT.split())
"""Words that are one token each in the vocabularies of most models, and never less than one."""


class Prepared(msgspec.Struct, frozen=True):
    """A request ready to send. ``path`` is below the base URL, or, beginning with ``//``, from the server's root."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str | None], ...] = ()  # None: the header of that name is left out
    authorization: str | None = None  # not the operator's; {key}, {key-}, {key+}: his key, cut, or more; empty: none


def prepare(
    request: Request,
    endpoint: Endpoint,
    *,
    valid_chat: bool,
    got: Mapping[str, Exchange] | None = None,
    mark: Callable[[str], str] = marks.unmarked,
) -> Prepared:
    """Fill in what only the endpoint knows.

    ``model: None`` in the body, ``{model}`` in the path and ``"{model}"`` in raw bytes become the endpoint's model.
    Where ``valid_chat`` says that the request is an ordinary chat, caps grow by the endpoint's factor (a thinking model
    spends small ones on thought; those of a request that says ``exact`` do not), though not beyond half of its context,
    for a cap that has no room is refused, and its extra body (a profile's off-switch, the operator's ``--extra-body``)
    is merged in; faulty requests are sent as they are, for their fault is what is tested. Texts and caps that hang on
    the context are made for it; where it is not known, it is taken for empty. What hangs on an earlier answer is taken
    from it.

    Args:
        got: the answers to earlier requests of the same scenario.
        mark: gives a mark by what a :class:`~seatrial.records.Marked` is of.
    """
    headers = dict(request.headers)
    body = request.raw
    if body is not None:
        body = body.replace(b'"{model}"', msgspec.json.encode(endpoint.model))
    if body is None and request.body is not None:
        body = msgspec.json.encode(_fill(request, endpoint, got or {}, mark, valid_chat=valid_chat))
    if body is not None and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/json"
    return Prepared(
        method=request.method,
        path=_with_model(request.path, endpoint.model),
        body=body or b"",
        headers=tuple(headers.items()),
        authorization=request.authorization,
    )


def _with_model(path: str, model: str) -> str:
    """A path with the model's name in each form that it asks for."""
    every = "".join(f"%{byte:02X}" for byte in model.encode("utf-8", "replace"))
    forms = {"{model}": quote(model, safe=""), "{+model}": quote(model, safe=RESERVED), "{%model}": every}
    for mark, form in forms.items():
        path = path.replace(mark, form)
    return path


def _fill(
    request: Request, endpoint: Endpoint, got: Mapping[str, Exchange], mark: Callable[[str], str], *, valid_chat: bool
) -> Any:
    body = _sized(marks.put(request.body, mark), endpoint.context or 0, got)
    if not isinstance(body, dict):
        return body
    filled = dict(body)
    if isinstance(named := filled.get("model"), Listed):
        filled["model"] = _listed(named, got.get(named.after))
    if "model" in filled and filled["model"] is None:
        filled["model"] = endpoint.model
    if valid_chat and request.path == CHATS:
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
    if isinstance(value, Quoted):
        before = got.get(value.after)
        return _call_id(before) if value.of == "call" else _piece(value, before)
    return value


def _piece(said: Quoted, before: Exchange | None) -> str:
    answer = None if before is None else chat.answers(before).get(0)
    told = "" if answer is None else answer.reasoning if said.of == "thought" else answer.content
    first = _next_word(said, told) if said.of == "words" else said.first
    piece = told[first : first + said.length]
    if len(piece) != said.length:
        return NEVER
    if said.spelt == "in the other case":
        return piece.swapcase()
    return f"\n{piece}\n" if said.spelt == "between line ends" else piece


def _next_word(said: Quoted, told: str) -> int:
    """Where the next piece begins that stands behind a blank, and nowhere before; the end where none does."""
    for at in range(max(said.first, 1), len(told)):
        if told[at - 1].isspace() and not told[at].isspace() and told.find(told[at : at + said.length]) == at:
            return at
    return len(told)


def _call_id(before: Exchange | None) -> str:
    made = {} if before is None else tools.calls(before)
    return next((call.id for calls in made.values() for call in calls if call.id), UNCALLED)


def _listed(named: Listed, before: Exchange | None) -> str | None:
    """The name of a model by its place in a list; None where it has no such place."""
    items = [] if before is None else fields.listing(fields.mapping(before.json).get("data"))
    ids = [name for item in items if (name := fields.string(fields.mapping(item).get("id")))]
    return ids[named.place] if -len(ids) <= named.place < len(ids) else None


def _left(context: int, before: Exchange | None) -> int:
    """Tokens that a context has left beside the prompt of an earlier request; all where it is not known how long."""
    told = None if before is None else fields.mapping(chat.usage(before)).get("prompt_tokens")
    return context - min(context, max(0, fields.integer(told) or 0))
