"""Faults of single parameters: requests with one of them are not answered."""

from __future__ import annotations

from tests.golden.edits import Json, failure, says
from tests.golden.items import Reply
from tests.golden.registry import Shot, fault
from tests.golden.validation import RefusedError

PARAMETER = "params/each-parameter-is-answered"


@fault("seed-crashes", caught_by=PARAMETER, stage="reply", when=says("seed"))
def seed_crashes(reply: Reply, shot: Shot) -> Reply:
    """Any request with a seed gets 500, and none without (HabanaAI/vllm-fork issue 773)."""
    return failure()


@fault("stop-refused", caught_by=PARAMETER, stage="body", when=says("stop"))
def stop_refused(body: Json, shot: Shot) -> Json:
    """stop is refused as an unknown field: the server knows stop_sequences (LiteLLM pull request 7484, Anthropic's)."""
    shot.fire()
    raise RefusedError("stop: extra inputs are not permitted", param="stop")


@fault("stream-options-refused", caught_by=PARAMETER, stage="body", when=says("stream_options"))
def stream_options_refused(body: Json, shot: Shot) -> Json:
    """stream_options are refused as an unknown field, also of a stream."""
    shot.fire()
    raise RefusedError("stream_options: extra inputs are not permitted", param="stream_options")
