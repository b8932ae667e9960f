"""vLLM. Not yet met: what stands here was read in its published source.

Read: ``vllm/v1/metrics/loggers.py`` and ``stats.py`` for the counters, ``vllm/entrypoints/openai`` for ``owned_by``,
``/health`` and ``/version``. Its API server answers ``/metrics`` from what the engine reported with its last step, so
that an answer proves little, and counters that stand still while requests run are the evidence.
"""

from __future__ import annotations

from typing import Any

from seatrial.kinds.kind import Clue, Heard, Kind, Met, Page, Question, Tells
from seatrial.kinds.listed import first_model, version
from seatrial.kinds.prometheus import numbers, something

OWNER = "vllm"


def metrics(heard: Heard) -> Tells:
    """``/metrics``, summed over its engines: it has no windowed gauges, so that reading it changes nothing.

    Raises:
        Nonsense: none of its counters is there.
    """
    told = numbers(heard.body)
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
    return Tells(something(fields) | {"start": "" if start is None else str(start)})


def meet(models: Heard, _arguments: str) -> Met | None:
    """Known by the owner of its first model; it never sleeps by itself."""
    return Met() if first_model(models.body)[1] == OWNER else None


KIND = Kind(
    sign=Clue(path="/v1/models", turn=2, meet=meet),
    ends=r"Application shutdown complete|Finished server process \[\d+\]",  # uvicorn's, under its API server
    version=Page(path="/version", read=version),
    questions=(Question(path="/metrics", name="vllm /metrics", reader=lambda: metrics),),
)
