"""What ``/models`` of any kind lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.kinds.prometheus import Nonsense, decoded

MOST_READ = 4096
"""Slots or models of one answer that are looked at."""


def models(body: bytes) -> list[str]:
    """The ids that ``/models`` lists; none where it is no such list. A pattern of a gateway, as ``*``, is no id."""
    return [item["id"] for item in listed(body) if isinstance(item.get("id"), str) and "*" not in item["id"]]


def first_model(body: bytes) -> tuple[str, str]:
    """(id, owner) of the first of ``/models``; empty where it tells none."""
    first = next(iter(listed(body)), {})
    name, owner = first.get("id"), first.get("owned_by")
    return name if isinstance(name, str) else "", owner if isinstance(owner, str) else ""


def is_loaded(item: Mapping[str, Any]) -> bool:
    """Whether a router says of a listed model that it is loaded; where no router answers, none says so."""
    status = item.get("status")
    return isinstance(status, dict) and status.get("value") == "loaded"


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
