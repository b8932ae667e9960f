"""Public reports of stops of the same shape: where somebody else has met it, and what was found out there."""

from __future__ import annotations

import signal

from seatrial.records import Family
from seatrial.stops.evidence.ends import code_of, kind_of, signal_of
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import BY_HEALTH, PROBE_RUNGS, Sight
from seatrial.stops.telling.causes import LIMIT, cause, gpu_words

WITHOUT_A_WORD = "ggml-org/llama.cpp #20509: the server is down, and its log ends with ordinary lines"
NO_SOCKET = "ggml-org/llama.cpp #20509: process alive, ESTABLISHED connections, no LISTEN socket"
ENGINE_SILENT = "ggml-org/llama.cpp #27388: /health 200 while /slots hangs"
ENGINE_DEAD = "vllm-project/vllm #39863: the engine's process is gone, its API server answers 200"
UNKILLABLE = "ollama/ollama #11231: a process that does not run and cannot be killed"

OF_FAMILY: dict[Family, tuple[str, ...]] = {
    "DEAF": (NO_SOCKET,),
    "RUNNER REPLACED": ("ollama/ollama #9330: a runner ends under a living parent",),
    "RESTARTED": ("ggml-org/llama.cpp #22847: a supervisor's restart hides the crash",),
}
OF_SIGNAL = {
    signal.SIGABRT: "ggml-org/llama.cpp #27749: SIGABRT about once a day",
    signal.SIGSEGV: "ollama/ollama #5629: SIGSEGV of a runner",
    signal.SIGKILL: WITHOUT_A_WORD,
}
OF_STREAMS: dict[Family, str] = {
    "TRUNCATED": "ollama/ollama #17836: HTTP 200, and the stream ends without its end",
    "EMPTY": "ggml-org/llama.cpp #23438: 200 with empty content",
    "FAILED IN-BAND": "vllm-project/guidellm #743: an error inside a stream that was 200",
}
"""Of the families told from traffic."""


def alike(case: Case) -> tuple[str, ...]:
    """The reports that look like a case; empty where none is known."""
    found: list[str] = []
    if case.planned:
        return ()
    if gpu_words(case):
        found.append("NVIDIA/open-gpu-kernel-modules #1151: Xid 79, the GPU has fallen off the bus")
    if case.shown not in BY_HEALTH and case.shown not in PROBE_RUNGS:  # of what HTTP alone shows no shape is known
        found += _of_family(case)
    if case.exit is not None:
        found += _of_end(case)
    return tuple(dict.fromkeys(found))


def _of_family(case: Case) -> tuple[str, ...]:
    """Reports of the same family."""
    if case.family == "WEDGED":
        return (ENGINE_DEAD if case.child is not None else ENGINE_SILENT,)
    if case.family == "FROZEN":
        return (UNKILLABLE,) if case.shown is Sight.STILL else ()
    return OF_FAMILY.get(case.family, ())


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
