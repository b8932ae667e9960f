"""What servers tell of their own work, made into the fields of a :class:`~seatrial.records.Meter`.

Totals and states only: windowed gauges say nothing between two looks, and llama.cpp resets them for whoever reads them
next. Whatever a server sends, a field is a number that makes sense or None. A body that tells nothing at all raises
:class:`Nonsense`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.kinds.listed import MOST_READ, listed
from seatrial.kinds.prometheus import Nonsense, count, decoded, numbers, something

START_HEADER = "process-start-time-unix"
"""llama.cpp's mark of a start: it changes with each, and is no Unix time in spite of its name."""


class Slots:
    """llama.cpp's ``/slots``, read one after another.

    What it tells of a request under way (prompt tokens worked on, tokens decoded) begins anew with the next one: the
    steps are added up, so that ``progress`` only grows while the same server is asked.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Any, int, int]] = {}
        self._progress = 0

    def read(self, body: bytes) -> dict[str, Any]:
        """Fields of a meter.

        Raises:
            Nonsense: no list of slots.
        """
        slots = decoded(body)
        if not isinstance(slots, list) or not slots or not all(isinstance(s, dict) for s in slots[:MOST_READ]):
            raise Nonsense("no list of slots")
        slots = slots[:MOST_READ]
        running = [_processing(s) for s in slots]
        if None in running:
            raise Nonsense("slots that do not say whether they work")
        for position, slot in enumerate(slots):
            self._add(position, slot)
        return {"running": sum(1 for works in running if works), "progress": self._progress}

    def _add(self, position: int, slot: dict[str, Any]) -> None:
        following = slot.get("next_token")
        if isinstance(following, list):
            following = following[0] if following else None
        decoded = count(following.get("n_decoded") if isinstance(following, dict) else slot.get("n_decoded")) or 0
        prompt = count(slot.get("n_prompt_tokens_processed")) or 0
        task, before_prompt, before_decoded = self._seen.get(position, (None, 0, 0))
        if task == slot.get("id_task"):
            self._progress += max(0, prompt - before_prompt) + max(0, decoded - before_decoded)
        else:
            self._progress += prompt + decoded
        self._seen[position] = (slot.get("id_task"), prompt, decoded)


def llama_metrics(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """llama.cpp's ``/metrics``. Tokens are added when a request ends; decodes while it is worked on.

    Raises:
        Nonsense: none of its counters is there.
    """
    told = numbers(body)
    fields: dict[str, Any] = {
        "running": told.get("llamacpp:requests_processing"),
        "waiting": told.get("llamacpp:requests_deferred"),
        "tokens": told.get("llamacpp:tokens_predicted_total"),
        "prompt_tokens": told.get("llamacpp:prompt_tokens_total"),
        "progress": told.get("llamacpp:n_decode_total"),
    }
    return something(fields) | {"start": headers.get(START_HEADER, "")[:64]}


def props_asleep(body: bytes) -> tuple[bool, bool | None]:
    """(whether this is llama.cpp's ``/props``, whether it says that the server sleeps; None: it does not say)."""
    try:
        told = decoded(body)
    except Nonsense:
        return False, None
    if not isinstance(told, dict) or not {"total_slots", "default_generation_settings"} & told.keys():
        return False, None
    asleep = told.get("is_sleeping")
    return True, asleep if isinstance(asleep, bool) else None


def is_router(body: bytes) -> bool:
    """Whether this is ``/props`` of llama.cpp's router, which starts a server for each model and has no slots itself.

    It fills in ``default_generation_settings``, so that it looks like a server that has loaded a model.
    """
    try:
        told = decoded(body)
    except Nonsense:
        return False
    return isinstance(told, dict) and told.get("role") == "router"


def loaded(body: bytes, model: str) -> tuple[bool, str]:
    """(whether the ``/models`` of a router say that a model is loaded, the command line of its server where told)."""
    for item in listed(body):
        aliases = item.get("aliases")
        if model == item.get("id") or (isinstance(aliases, list) and model in aliases):
            status = item.get("status")
            told = status if isinstance(status, dict) else {}
            words = told.get("args")
            return told.get("value") == "loaded", " ".join(map(str, words)) if isinstance(words, list) else ""
    return False, ""


def _processing(slot: dict[str, Any]) -> bool | None:
    """``is_processing`` of builds since October 2024, or the ``state`` of older ones."""
    works = slot.get("is_processing")
    if isinstance(works, bool):
        return works
    state = slot.get("state")
    return bool(state) if isinstance(state, int) else None
