"""What a watch must tell apart: an engine that has stopped behind a healthy front, and one that only takes its time."""

from __future__ import annotations

from collections.abc import Iterator

from tests.golden.items import Act, Item, Pause
from tests.golden.registry import Call, Shot, chat, fault, streaming

PREFILL_S, LONG_PREFILL_S = 2.0, 40.0
STEPS = 10


def _engine(call: Call) -> bool:
    return chat(call) or call.path in {"/slots", "/metrics"}


@fault("wedge", stage="wire", when=_engine, family="watch")
def wedge(pieces: Iterator[object], shot: Shot) -> Iterator[object]:
    """From the first chat on, what the engine's loop must answer is read and never answered; /health still is."""
    if shot.memory.setdefault("wedged", False) or chat(shot.call):
        shot.memory["wedged"] = True
        shot.fire()
        yield Act.STALL
    else:
        yield from pieces


@fault("slow-prefill", stage="events", when=streaming, family="watch")
def slow_prefill(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The first token comes after two seconds, in which the prompt is worked on step by step."""
    shot.fire()
    yield from _prefilled(shot, PREFILL_S)
    yield from items


@fault("long-prefill", stage="events", when=streaming, family="watch")
def long_prefill(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The first token comes after 40 seconds, in which the prompt is worked on step by step."""
    shot.fire()
    yield from _prefilled(shot, LONG_PREFILL_S)
    yield from items


def _prefilled(shot: Shot, seconds: float) -> Iterator[Item]:
    """The wait, while /slots tells how far the prompt has been worked on."""
    told = shot.call.told
    for step in range(STEPS):
        if told is not None:
            told.prefilled = told.prompt_tokens * step // STEPS
        yield Pause(seconds / STEPS)
    if told is not None:
        told.prefilled = None
