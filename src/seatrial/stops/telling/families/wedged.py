"""What is said of a WEDGED alone. Its reader states cause and hypotheses itself (``telling.silence``)."""

from __future__ import annotations

from seatrial.records import Family
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import WORK_RUNGS, Sight
from seatrial.stops.telling.families.family_words import FamilyWords

ENGINE_SILENT = "ggml-org/llama.cpp #27388: /health 200 while /slots hangs"
ENGINE_DEAD = "vllm-project/vllm #39863: the engine's process is gone, its API server answers 200"


def _rung(case: Case) -> str:
    return WORK_RUNGS[case.shown]


def _alike(case: Case) -> tuple[str, ...]:
    if case.shown is Sight.SCHEDULER:
        return (ENGINE_SILENT,)
    gone = case.child is not None and case.shown not in (Sight.GATEWAY, Sight.BEHIND)
    return (ENGINE_DEAD,) if gone and "/health: 200" in case.evidence else ()


WORDS: dict[Family, FamilyWords] = {"WEDGED": FamilyWords(rung=_rung, alike=_alike, stated=True)}
