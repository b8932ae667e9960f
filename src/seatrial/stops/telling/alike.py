"""Public reports of stops of the same shape: where somebody else has met it, and what was found out there."""

from __future__ import annotations

import signal

from seatrial.stops.evidence.ends import code_of, kind_of, signal_of
from seatrial.stops.evidence.testified import gpu_words
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import BY_HEALTH, PROBE_RUNGS
from seatrial.stops.telling.causes import LIMIT, cause
from seatrial.stops.telling.own import own_of

WITHOUT_A_WORD = "ggml-org/llama.cpp #20509: the server is down, and its log ends with ordinary lines"

OF_SIGNAL = {
    signal.SIGABRT: "ggml-org/llama.cpp #27749: SIGABRT about once a day",
    signal.SIGSEGV: "ollama/ollama #5629: SIGSEGV of a runner",
    signal.SIGKILL: WITHOUT_A_WORD,
}


def alike(case: Case) -> tuple[str, ...]:
    """The reports that look like a case; empty where none is known."""
    found: list[str] = []
    if case.planned:
        return ()
    if gpu_words(case):
        found.append("NVIDIA/open-gpu-kernel-modules #1151: Xid 79, the GPU has fallen off the bus")
    if case.shown not in BY_HEALTH and case.shown not in PROBE_RUNGS:  # of what HTTP alone shows no shape is known
        own = own_of(case).alike
        found += () if own is None else own(case)
    if case.exit is not None:
        found += _of_end(case)
    return tuple(dict.fromkeys(found))


def _of_end(case: Case) -> list[str]:
    """Reports of processes that ended alike."""
    if kind_of(case) == "oom":
        return ["ollama/ollama #11231: killed by the kernel for memory"]
    if cause(case).startswith(LIMIT):
        return []
    number, code = signal_of(case.exit), code_of(case.exit)
    if number is not None:
        return [OF_SIGNAL[signal.Signals(number)]] if number in OF_SIGNAL else []
    if code in (0, 1):
        return ["ggml-org/llama.cpp #18546: it ends itself without a word"]
    return [WITHOUT_A_WORD] if code is None and case.family == "STOPPED" else []
