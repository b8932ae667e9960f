"""What is said alone of the families in which a process has ended."""

from __future__ import annotations

from seatrial.records import Family
from seatrial.stops.evidence.ends import CRASHES, signal_of
from seatrial.stops.state.case import Case
from seatrial.stops.telling.families.family_words import FamilyWords

HIDDEN = "ggml-org/llama.cpp #22847: a supervisor's restart hides the crash"
OF_A_RUNNER = "ollama/ollama #9330: a runner ends under a living parent"
PROCESS = "the process itself"


def _stopped(case: Case) -> str:
    return PROCESS if case.main is not None else "the connection: refused"


def _restarted(case: Case) -> str:
    return PROCESS if case.main is not None else "the LISTEN socket: another one took its place"


def _hidden(case: Case) -> tuple[str, ...]:
    return (HIDDEN,) if signal_of(case.exit) in CRASHES else ()


WORDS: dict[Family, FamilyWords] = {
    "STOPPED": FamilyWords(rung=_stopped),
    "RESTARTED": FamilyWords(rung=_restarted, alike=_hidden),
    "RUNNER REPLACED": FamilyWords(alike=lambda _: (OF_A_RUNNER,)),
}
