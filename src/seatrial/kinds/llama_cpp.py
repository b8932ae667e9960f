"""llama.cpp's HTTP server, and whoever speaks its dialect.

``/slots`` and ``/metrics`` are answered by the engine's own loop. A reading of ``/metrics`` resets gauges that somebody
else may be watching. Recent builds answer both within milliseconds while one long batch is decoded, from what the loop
last said: an answer proves less than silence does, and whether work goes on, ``progress`` tells.

``/slots`` counts as work: it wakes a server that sleeps and keeps it awake (tried: ``sleep_idle_seconds`` of 4 s, asked
once a second, never slept; asked while asleep, it loaded its model for 6 s). ``/props`` and ``/v1/models`` do neither
(tried). That a server may
sleep is read from its arguments, or seen when it sleeps as we come. A setting in its environment
(``LLAMA_ARG_SLEEP_IDLE_SECONDS``), in a file of presets, or of a server on another host is not seen: such a server
stays awake while it is watched. The README of autumn 2026 says that ``/metrics`` does not wake it any more: not tried.

The router (``"role": "router"`` in its ``/props``) has no engine's loop of its own, and a question for a model loads
it. It fills in ``default_generation_settings``, so that it looks like a server that has loaded a model. Its
``/models`` say what is loaded, and of a model whose server was killed: ``"value": "unloaded", "failed": true`` (tried
2026-11-28; one that it has unloaded itself does not bear the word).
"""

from __future__ import annotations

import re
from typing import Any

from seatrial.kinds.kind import (
    ASLEEP,
    KEEPS_AWAKE,
    UNLOADED,
    About,
    Clue,
    Cost,
    Forbidden,
    Heard,
    Kind,
    Met,
    Page,
    Question,
    Reader,
    Tells,
)
from seatrial.kinds.listed import MOST_READ, has_failed, is_loaded, listed
from seatrial.kinds.prometheus import Nonsense, count, decoded, numbers, something

START_HEADER = "process-start-time-unix"
"""A mark of a start: it changes with each, and is no Unix time in spite of its name."""

ROUTER = "a router of llama.cpp answers, and behind it each model's own server"

_SLEEPS = re.compile(r"--sleep-idle-seconds(?:[= ](\S+))?")


NO_TASK = (None, -1)


class Slots:
    """``/slots``, read one after another.

    What it tells of a request under way (prompt tokens worked on, tokens decoded) begins anew with the next one: the
    steps are added up, so that ``progress`` only grows while the same server is asked. A slot at rest bears the number
    of its last task: a short request between two readings shows in that alone (``begun``).
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Any, int, int]] = {}
        self._progress = self._begun = 0

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
        first = not self._seen
        for position, slot in enumerate(slots):
            self._add(position, slot, first=first)
        works = sum(1 for each in running if each)
        return {"running": works, "progress": self._progress, "begun": self._begun}

    def _add(self, position: int, slot: dict[str, Any], *, first: bool) -> None:
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
            self._begun += not first and slot.get("id_task") not in NO_TASK
        self._seen[position] = (slot.get("id_task"), prompt, decoded)


def metrics(heard: Heard) -> Tells:
    """``/metrics``. Tokens are added when a request ends; decodes while it is worked on.

    Raises:
        Nonsense: none of its counters is there.
    """
    told = numbers(heard.body)
    fields: dict[str, Any] = {
        "running": told.get("llamacpp:requests_processing"),
        "waiting": told.get("llamacpp:requests_deferred"),
        "tokens": told.get("llamacpp:tokens_predicted_total"),
        "prompt_tokens": told.get("llamacpp:prompt_tokens_total"),
        "progress": told.get("llamacpp:n_decode_total"),
    }
    return Tells(something(fields) | {"start": heard.headers.get(START_HEADER, "")[:64]})


def sleeping(heard: Heard) -> Tells:
    """``/props``, looked at for nothing but whether the server sleeps.

    Raises:
        Nonsense: it does not say.
    """
    asleep = (_props(heard.body) or {}).get("is_sleeping")
    if not isinstance(asleep, bool):
        raise Nonsense("no word on whether it sleeps")
    return Tells({"asleep": asleep}, ASLEEP if asleep else KEEPS_AWAKE)


def may_sleep(arguments: str) -> bool:
    """Whether a command line lets llama-server sleep; a number below zero turns it off."""
    found = _SLEEPS.search(arguments)
    return found is not None and not (found.group(1) or "").startswith("-")


def meet(heard: Heard, arguments: str) -> Met | None:
    """Known by ``/props``, also where another server speaks its dialect."""
    props = _props(heard.body)
    if props is None:
        return None
    if props.get("role") == "router":
        return Met(spares=frozenset({Cost.LOADS}), why=ROUTER)
    asleep = props.get("is_sleeping") is True
    if asleep or may_sleep(arguments):
        return Met(spares=frozenset({Cost.AWAKE}), forbidden=ASLEEP if asleep else KEEPS_AWAKE)
    return Met()


def about(body: bytes) -> About | None:
    """What ``/props`` says of the server; None: it is no JSON object."""
    try:
        told = decoded(body)
    except Nonsense:
        return None
    if not isinstance(told, dict):
        return None
    settings, build, template, file = (
        told.get(key) for key in ("default_generation_settings", "build_info", "chat_template", "model_path")
    )
    return About(
        build=build if isinstance(build, str) else "",
        slots=_whole(told.get("total_slots")),
        context=_whole(settings.get("n_ctx")) if isinstance(settings, dict) else None,
        template=template if isinstance(template, str) else "",
        file=file if isinstance(file, str) else "",
        sampling=_sampling(settings),
        keys=frozenset(told),
    )


SAMPLING = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty")


def _sampling(settings: Any) -> str:
    """What it samples by where a request says nothing."""
    told = settings.get("params") if isinstance(settings, dict) else None
    found = {key: told.get(key) for key in SAMPLING} if isinstance(told, dict) else {}
    numbers = {key: n for key, n in found.items() if isinstance(n, int | float) and not isinstance(n, bool)}
    return ", ".join(f"{key} {n:.3g}" for key, n in numbers.items())


def unloaded(models: bytes, model: str) -> Forbidden:
    """Why a router must not be asked for a model, by its ``/models``: it is not loaded, or its server may sleep.

    One whose server has failed was not unloaded: who asks for it next has it loaded again, or learns that it is gone.
    """
    for item in listed(models):
        aliases = item.get("aliases")
        if model == item.get("id") or (isinstance(aliases, list) and model in aliases):
            if not (is_loaded(item) or has_failed(item)):
                return UNLOADED
            words = item["status"].get("args")
            return KEEPS_AWAKE if isinstance(words, list) and may_sleep(" ".join(map(str, words))) else ""
    return UNLOADED


def _props(body: bytes) -> dict[str, Any] | None:
    """``/props`` of llama.cpp or of a server that speaks its dialect; None: another page."""
    try:
        told = decoded(body)
    except Nonsense:
        return None
    known = isinstance(told, dict) and {"total_slots", "default_generation_settings"} & told.keys()
    return told if known else None


def _reads_slots() -> Reader:
    slots = Slots()
    return lambda heard: Tells(slots.read(heard.body))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _processing(slot: dict[str, Any]) -> bool | None:
    """``is_processing`` of builds since October 2024, or the ``state`` of older ones."""
    works = slot.get("is_processing")
    if isinstance(works, bool):
        return works
    state = slot.get("state")
    return bool(state) if isinstance(state, int) else None


WORK = frozenset({Cost.AWAKE, Cost.LOADS})

KIND = Kind(
    sign=Clue(path="/props", turn=1, meet=meet),
    questions=(
        Question(
            path="/slots", name="llama.cpp /slots", reader=_reads_slots, costs=frozenset({Cost.AWAKE, Cost.LOADS})
        ),
        Question(path="/metrics", name="llama.cpp /metrics", reader=lambda: metrics, costs=WORK | {Cost.GAUGES}),
        Question(path="/props", name="llama.cpp /props", reader=lambda: sleeping, beat=False),
    ),
    about=Page(path="/props", read=about),
    unloaded=unloaded,
    ends=r"cleaning up before exit",
)
