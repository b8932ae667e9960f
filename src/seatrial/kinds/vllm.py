"""vLLM: what its counters tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.kinds.prometheus import numbers, something


def vllm_metrics(body: bytes, _headers: Mapping[str, str]) -> dict[str, Any]:
    """vLLM's ``/metrics``, summed over its engines: it has no windowed gauges, so that reading it changes nothing.

    Raises:
        Nonsense: none of its counters is there.
    """
    told = numbers(body)
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
    return something(fields) | {"start": "" if start is None else str(start)}
