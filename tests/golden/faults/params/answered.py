"""Faults of single parameters: requests with one of them are not answered."""

from __future__ import annotations

from tests.golden.app.sampling import NARROW
from tests.golden.edits import Json, failure, says
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, fault
from tests.golden.validation import RefusedError

PARAMETER = "params/each-parameter-is-answered"


@fault("seed-crashes", caught_by=PARAMETER, stage="reply", when=says("seed"))
def seed_crashes(reply: Reply, shot: Shot) -> Reply:
    """Any request with a seed gets 500, and none without (HabanaAI/vllm-fork issue 773)."""
    return failure()


@fault("wide-seed-crashes", caught_by=PARAMETER, stage="reply", when=says("seed"))
def wide_seed_crashes(reply: Reply, shot: Shot) -> Reply:
    """A seed beyond 32 bits gives 500: it goes into a field of int32 (pollinations pull request 12338)."""
    seed = shot.call.says("seed")
    return failure() if isinstance(seed, int) and seed > 2**32 else reply


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


def _next_to_nothing(call: Call) -> bool:
    """A chat whose top_p leaves one token: 0, or next to it."""
    share = call.says("top_p")
    return chat(call) and isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share < NARROW


@fault("top-p-zero-refused", caught_by=PARAMETER, stage="body", when=_next_to_nothing)
def top_p_zero_refused(body: Json, shot: Shot) -> Json:
    """A top_p of 0 is refused: it must be in (0, 1] (TaskWeaver issue 231; text-generation-inference issue 2222)."""
    if body["top_p"] != 0:
        return body
    shot.fire()
    raise RefusedError("top_p must be in (0, 1], got 0.0", param="top_p")


@fault("top-p-next-to-zero-crashes", caught_by=PARAMETER, stage="reply", when=_next_to_nothing)
def top_p_next_to_zero_crashes(reply: Reply, shot: Shot) -> Reply:
    """No token is left of a top_p that is 0 or next to it, and the sum of their odds is divided by."""
    return failure(500, "float division by zero")
