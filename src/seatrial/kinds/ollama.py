"""Ollama: which models it has loaded, and whether a question would keep one. Not yet met.

What stands here was read in its published source: ``server/routes.go`` and ``api/types.go`` for ``/api/ps`` and
``/api/version``, ``openai/openai.go`` for ``/v1/models``. It has no ``/health`` and answers 404 there, which shows that
it is up. The suites cannot tell it: ``owned_by`` is the namespace of a model, not the server's name.
"""

from __future__ import annotations

import datetime
from typing import Any

from seatrial.kinds.kind import ASLEEP, KEEPS_AWAKE, Clue, Heard, Kind, Met, Page, Question, Tells
from seatrial.kinds.listed import MOST_READ, version
from seatrial.kinds.prometheus import Nonsense, decoded

FOR_GOOD_S = 365 * 24 * 3600
"""Ollama keeps a model for ever by an expiry some centuries ahead; whatever expires later than this does not sleep."""


def loaded_models(heard: Heard) -> Tells:
    """``/api/ps``. Ollama unloads a model that nobody asks: work would load one, or put off its end.

    Raises:
        Nonsense: no list of models.
    """
    told = decoded(heard.body)
    models = told.get("models") if isinstance(told, dict) else None
    if not isinstance(models, list):
        raise Nonsense("no list of loaded models")
    stays = [_stays(model, heard.at_s) for model in models[:MOST_READ]]
    forbidden = ASLEEP if not models else "" if all(stays) else KEEPS_AWAKE
    return Tells({"asleep": not models}, forbidden)


def meet(heard: Heard, _arguments: str) -> Met | None:
    """Known by its list of loaded models."""
    try:
        return Met(forbidden=loaded_models(heard).forbidden or "")
    except Nonsense:
        return None


def _stays(model: Any, now_s: float) -> bool:
    expires = model.get("expires_at") if isinstance(model, dict) else None
    try:
        return datetime.datetime.fromisoformat(str(expires)).timestamp() - now_s > FOR_GOOD_S
    except (ValueError, OverflowError, OSError):
        return False


KIND = Kind(
    sign=Clue(path="/api/ps", turn=3, meet=meet),
    version=Page(path="/api/version", read=version),
    questions=(Question(path="/api/ps", name="ollama /api/ps", reader=lambda: loaded_models),),
)
