"""What ``/models`` of any kind lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.kinds.kind import About
from seatrial.kinds.prometheus import Nonsense, decoded
from seatrial.records import NAME_SHOWN, ROOT, Offered

MOST_READ = 4096
"""Slots or models of one answer that are looked at."""

ALIASES_KEPT = 16
OF_META = ("n_params", "size", "n_vocab")
"""What llama.cpp says in ``meta`` of the file that it has loaded, and what no renaming changes."""


def models(body: bytes) -> list[str]:
    """The ids that ``/models`` lists; none where it is no such list. A pattern of a gateway, as ``*``, is no id."""
    return [item["id"] for item in listed(body) if _named(item)]


def first_model(body: bytes) -> tuple[str, str]:
    """(id, owner) of the first of ``/models``; empty where it tells none."""
    first = next(iter(listed(body)), {})
    name, owner = first.get("id"), first.get("owned_by")
    return name if isinstance(name, str) else "", owner if isinstance(owner, str) else ""


def offered(body: bytes) -> tuple[Offered, ...]:
    """The models that ``/models`` lists, without patterns, in order of their names."""
    found = {item["id"]: _offered(item) for item in listed(body) if _named(item)}
    return tuple(found[name] for name in sorted(found))


def version(body: bytes) -> About | None:
    """What a page tells that holds a version alone; None: it is another page."""
    try:
        told = decoded(body)
    except Nonsense:
        return None
    found = told.get("version") if isinstance(told, dict) else None
    return About(build=found) if isinstance(found, str) else None


def is_loaded(item: Mapping[str, Any]) -> bool:
    """Whether a router says of a listed model that it is loaded; where no router answers, none says so."""
    status = item.get("status")
    return isinstance(status, dict) and status.get("value") == "loaded"


def has_failed(item: Mapping[str, Any]) -> bool:
    """Whether a router says of a listed model that its server ended by itself, or could not begin."""
    status = item.get("status")
    return isinstance(status, dict) and status.get("failed") is True


CONTEXTS = ("max_model_len", "context_length", "context_window", "max_context_length", "n_ctx")
"""Where servers say how long a listed model's context is: vLLM and SGLang first, others by the other names."""


def context(item: Mapping[str, Any]) -> int | None:
    """Tokens of a listed model's context, as it is announced; None where it is not."""
    meta = item.get("meta")
    told = [place.get(name) for place in (item, meta if isinstance(meta, dict) else {}) for name in CONTEXTS]
    return next((n for n in told if isinstance(n, int) and not isinstance(n, bool) and n > 0), None)


def listed(body: bytes) -> list[dict[str, Any]]:
    """The items of ``/models``, at most :data:`MOST_READ`; none where it is no such list."""
    try:
        told = decoded(body)
    except Nonsense:
        return []
    listed = told.get("data") if isinstance(told, dict) else None
    return [item for item in listed[:MOST_READ] if isinstance(item, dict)] if isinstance(listed, list) else []


def _named(item: Mapping[str, Any]) -> bool:
    return isinstance(item.get("id"), str) and "*" not in item["id"]


def _offered(item: Mapping[str, Any]) -> Offered:
    aliases, meta, root = item.get("aliases"), item.get("meta"), item.get("root")
    names = [a for a in aliases if isinstance(a, str)] if isinstance(aliases, list) else []
    told = {key: meta[key] for key in OF_META if _is_size(meta.get(key))} if isinstance(meta, dict) else {}
    if isinstance(root, str) and root:  # vLLM's: a path, or a name of a hub's; the folder may move
        told[ROOT] = root.rstrip("/").rpartition("/")[2]
    marks = {key: str(value)[:NAME_SHOWN] for key, value in told.items()}
    return Offered(
        id=item["id"][:NAME_SHOWN], aliases=tuple(name[:NAME_SHOWN] for name in names[:ALIASES_KEPT]), marks=marks
    )


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63
