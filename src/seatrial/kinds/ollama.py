"""Ollama: which models it has loaded, and whether a question would keep one."""

from __future__ import annotations

import datetime
from typing import Any

from seatrial.kinds.listed import MOST_READ
from seatrial.kinds.prometheus import Nonsense, decoded

FOR_GOOD_S = 365 * 24 * 3600
"""Ollama keeps a model for ever by an expiry some centuries ahead; whatever expires later than this does not sleep."""


def ollama_ps(body: bytes, now_s: float) -> tuple[dict[str, Any], bool]:
    """(fields of a meter, whether a request would keep a model that is to be unloaded) of Ollama's ``/api/ps``.

    Args:
        now_s: Unix time, against which the models expire.

    Raises:
        Nonsense: no list of models.
    """
    told = decoded(body)
    models = told.get("models") if isinstance(told, dict) else None
    if not isinstance(models, list):
        raise Nonsense("no list of loaded models")
    stays = [_stays(m, now_s) for m in models[:MOST_READ]]
    return {"asleep": not models}, not (stays and all(stays))


def _stays(model: Any, now_s: float) -> bool:
    expires = model.get("expires_at") if isinstance(model, dict) else None
    try:
        return datetime.datetime.fromisoformat(str(expires)).timestamp() - now_s > FOR_GOOD_S
    except (ValueError, OverflowError, OSError):
        return False
