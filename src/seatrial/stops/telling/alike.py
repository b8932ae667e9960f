"""Public reports of stops of the same shape: where somebody else has met it, and what was found out there."""

from __future__ import annotations

import signal

from seatrial.records import Family
from seatrial.stops.evidence import sights
from seatrial.stops.evidence.ends import (
    code_of,
    kind_of,
    signal_of,
)
from seatrial.stops.evidence.sights import PROBE_RUNGS
from seatrial.stops.state.server import Case
from seatrial.stops.telling.causes import (
    LIMIT,
    cause,
    gpu_words,
)

WITHOUT_A_WORD = "ggml-org/llama.cpp #20509: the server is down, and its log ends with ordinary lines"
NO_SOCKET = "ggml-org/llama.cpp #20509: process alive, ESTABLISHED connections, no LISTEN socket"
ENGINE_SILENT = "ggml-org/llama.cpp #27388: /health 200 while /slots hangs"
ENGINE_DEAD = "vllm-project/vllm #39863: the engine's process is gone, its API server answers 200"
RUNNER = "ollama/ollama #9330: a runner ends under a living parent"

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
    if case.shown in sights.BY_HEALTH or case.shown in PROBE_RUNGS:
        pass  # of what HTTP alone shows no shape is known
    elif case.family == "DEAF":
        found.append(NO_SOCKET)
    elif case.family == "WEDGED":
        found.append(ENGINE_DEAD if case.child is not None else ENGINE_SILENT)
    elif case.family == "RUNNER REPLACED":
        found.append(RUNNER)
    elif case.family == "RESTARTED":
        found.append("ggml-org/llama.cpp #22847: a supervisor's restart hides the crash")
    elif case.family == "FROZEN" and case.shown == "still":
        found.append("ollama/ollama #11231: a process that does not run and cannot be killed")
    if case.exit is not None:
        found += _of_end(case)
    return tuple(dict.fromkeys(found))


def _of_end(case: Case) -> list[str]:
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
