"""Public reports of stops of the same shape: where somebody else has met it, and what was found out there.

A report is named only where what it is about was seen: that of a log which ends with ordinary lines where a log was
read and ends so, the report of a runner where a runner ended.
"""

from __future__ import annotations

import signal

from seatrial.stops.evidence import log_words
from seatrial.stops.evidence.ends import code_of, kind_of, signal_of
from seatrial.stops.evidence.testified import fresh, gpu_words
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import BY_HEALTH, PROBE_RUNGS
from seatrial.stops.telling.causes import LIMIT, cause
from seatrial.stops.telling.families.wedged import ENGINE_DEAD
from seatrial.stops.telling.own import own_of

OFF_THE_BUS = "NVIDIA/open-gpu-kernel-modules #1151: Xid 79, the GPU has fallen off the bus"
FOR_MEMORY = "ollama/ollama #11231: killed by the kernel for memory"
WITHOUT_A_WORD = "ggml-org/llama.cpp #20509: the server is down, and its log ends with ordinary lines"
BY_ITSELF = "ggml-org/llama.cpp #18546: it ends itself without a word"
ABORTS = "ggml-org/llama.cpp #27749: SIGABRT about once a day"
RUNNER_CRASHES = "ollama/ollama #5629: SIGSEGV of a runner"


def alike(case: Case) -> tuple[str, ...]:
    """The reports that look like a case; empty where none is known."""
    found: list[str] = []
    if case.planned:
        return ()
    if any("Xid 79 " in word for word in gpu_words(case)):
        found.append(OFF_THE_BUS)
    if case.shown not in BY_HEALTH and case.shown not in PROBE_RUNGS:  # of what HTTP alone shows no shape is known
        own = own_of(case).alike
        found += () if own is None else own(case)
    if case.exit is not None:
        found += _of_end(case)
    return tuple(dict.fromkeys(found))


def _of_end(case: Case) -> list[str]:
    """Reports of processes that ended alike."""
    if kind_of(case) == "oom":
        return [FOR_MEMORY]
    if cause(case).startswith(LIMIT):
        return []
    number, code = signal_of(case.exit), code_of(case.exit)
    of_runner = case.of_child or case.family == "RUNNER REPLACED"
    found = []
    if case.of_child and any("which lives, /health 200" in text for text in case.evidence):
        found.append(ENGINE_DEAD)
    if number == signal.SIGSEGV and of_runner:
        found.append(RUNNER_CRASHES)
    if number == signal.SIGABRT and log_words.said(fresh(case), "abort"):
        found.append(ABORTS)
    if code in (0, 1) and _ordinary(case):
        found.append(BY_ITSELF)
    if code is None and number in (None, signal.SIGKILL) and case.family == "STOPPED" and _ordinary(case):
        found.append(WITHOUT_A_WORD)
    return found


def _ordinary(case: Case) -> bool:
    """Whether a log was read that ends with lines which claim nothing."""
    return bool(case.testimony.log) and not log_words.words(case.testimony.log)
