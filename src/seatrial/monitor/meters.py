"""What servers tell of their own work, made into the fields of a :class:`~seatrial.records.Meter`.

Totals and states only: windowed gauges say nothing between two looks, and llama.cpp resets them for whoever reads them
next. Whatever a server sends, a field is a number that makes sense or None. A body that tells nothing at all raises
:class:`Nonsense`.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

LARGEST = 2**53
"""Larger totals are no counts of tokens: beyond it a float that passed through JSON has lost its last digit."""

SLOTS_READ = 4096
"""Slots or models of one answer that are looked at."""

START_HEADER = "process-start-time-unix"
"""llama.cpp's mark of a start: it changes with each, and is no Unix time in spite of its name."""

FOR_GOOD_S = 365 * 24 * 3600
"""Ollama keeps a model for ever by an expiry some centuries ahead; whatever expires later than this does not sleep."""

_LINE = re.compile(r"(?m)^([A-Za-z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)")


class Nonsense(ValueError):
    """An answer 200 that does not say what it should; the message is what is wrong with it."""


def count(value: Any) -> int | None:
    """A count as servers print it: ``7``, ``7.0``, ``3.21457e+06`` (six digits: the last ones are lost), or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return round(number) if math.isfinite(number) and 0 <= number <= LARGEST else None


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
        slots = _json(body)
        if not isinstance(slots, list) or not slots or not all(isinstance(s, dict) for s in slots[:SLOTS_READ]):
            raise Nonsense("no list of slots")
        slots = slots[:SLOTS_READ]
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
    told = _numbers(body)
    fields: dict[str, Any] = {
        "running": told.get("llamacpp:requests_processing"),
        "waiting": told.get("llamacpp:requests_deferred"),
        "tokens": told.get("llamacpp:tokens_predicted_total"),
        "prompt_tokens": told.get("llamacpp:prompt_tokens_total"),
        "progress": told.get("llamacpp:n_decode_total"),
    }
    return _something(fields) | {"start": headers.get(START_HEADER, "")[:64]}


def vllm_metrics(body: bytes, _headers: Mapping[str, str]) -> dict[str, Any]:
    """vLLM's ``/metrics``, summed over its engines: it has no windowed gauges, so that reading it changes nothing.

    Raises:
        Nonsense: none of its counters is there.
    """
    told = _numbers(body)
    tokens = told.get("vllm:generation_tokens_total")
    progress = told.get("vllm:iteration_tokens_total_sum")
    fields: dict[str, Any] = {
        "running": told.get("vllm:num_requests_running"),
        "waiting": told.get("vllm:num_requests_waiting"),
        "tokens": tokens,
        "prompt_tokens": told.get("vllm:prompt_tokens_total"),
        "progress": tokens if progress is None else progress,
    }
    start = told.get("process_start_time_seconds")
    return _something(fields) | {"start": "" if start is None else str(start)}


def ollama_ps(body: bytes, now_s: float) -> tuple[dict[str, Any], bool]:
    """(fields of a meter, whether a request would keep a model that is to be unloaded) of Ollama's ``/api/ps``.

    Args:
        now_s: Unix time, against which the models expire.

    Raises:
        Nonsense: no list of models.
    """
    told = _json(body)
    models = told.get("models") if isinstance(told, dict) else None
    if not isinstance(models, list):
        raise Nonsense("no list of loaded models")
    stays = [_stays(m, now_s) for m in models[:SLOTS_READ]]
    return {"asleep": not models}, not (stays and all(stays))


def props_asleep(body: bytes) -> tuple[bool, bool | None]:
    """(whether this is llama.cpp's ``/props``, whether it says that the server sleeps; None: it does not say)."""
    try:
        told = _json(body)
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
        told = _json(body)
    except Nonsense:
        return False
    return isinstance(told, dict) and told.get("role") == "router"


def loaded(body: bytes, model: str) -> tuple[bool, str]:
    """(whether the ``/models`` of a router say that a model is loaded, the command line of its server where told)."""
    for item in _listed(body):
        aliases = item.get("aliases")
        if model == item.get("id") or (isinstance(aliases, list) and model in aliases):
            status = item.get("status")
            told = status if isinstance(status, dict) else {}
            words = told.get("args")
            return told.get("value") == "loaded", " ".join(map(str, words)) if isinstance(words, list) else ""
    return False, ""


def models(body: bytes) -> list[str]:
    """The ids that ``/models`` lists; none where it is no such list."""
    return [item["id"] for item in _listed(body) if isinstance(item.get("id"), str)]


def first_model(body: bytes) -> tuple[str, str]:
    """(id, owner) of the first of ``/models``; empty where it tells none."""
    first = next(iter(_listed(body)), {})
    name, owner = first.get("id"), first.get("owned_by")
    return name if isinstance(name, str) else "", owner if isinstance(owner, str) else ""


def _listed(body: bytes) -> list[dict[str, Any]]:
    try:
        told = _json(body)
    except Nonsense:
        return []
    listed = told.get("data") if isinstance(told, dict) else None
    return [item for item in listed[:SLOTS_READ] if isinstance(item, dict)] if isinstance(listed, list) else []


def _processing(slot: dict[str, Any]) -> bool | None:
    """``is_processing`` of builds since October 2024, or the ``state`` of older ones."""
    works = slot.get("is_processing")
    if isinstance(works, bool):
        return works
    state = slot.get("state")
    return bool(state) if isinstance(state, int) else None


def _stays(model: Any, now_s: float) -> bool:
    expires = model.get("expires_at") if isinstance(model, dict) else None
    try:
        return datetime.datetime.fromisoformat(str(expires)).timestamp() - now_s > FOR_GOOD_S
    except (ValueError, OverflowError, OSError):
        return False


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Nonsense("no JSON") from error  # where it breaks is another place each time: it would never be said once


def _numbers(body: bytes) -> dict[str, int]:
    """Every series of a Prometheus text that is a count, summed over its labels; what is not a number is left out."""
    told: dict[str, int] = {}
    for name, _, value in _LINE.findall(body.decode("utf-8", "replace")):
        number = count(value)
        if number is not None:
            told[name] = told.get(name, 0) + number
    return told


def _something(fields: dict[str, Any]) -> dict[str, Any]:
    if all(value is None for value in fields.values()):
        raise Nonsense("none of the counters that are looked for")
    return fields
