"""Faults of the pages by which a server is run: health, and counters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.golden.edits import Json, failure, get
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, fault, freedom

READY = "ops/health-says-ready"
TRUE = "ops/ready-means-that-chats-are-answered"
READ = "ops/counters-can-be-read"
FALL = "ops/totals-never-fall"
TOKENS = "ops/generated-tokens-are-counted"
DRAFTS = "ops/drafts-are-counted"
LOAD = "ops/health-is-told-under-load"


def _whole(call: Call) -> bool:
    return chat(call) and call.says("stream") is not True


@fault("health-never-ready", caught_by=READY, stage="reply", when=get("/health"))
def health_never_ready(reply: Reply, shot: Shot) -> Reply:
    """The page of health says 503 for good: what it waits for never comes, and chats are answered."""
    return failure(503, "Loading model")


@fault("engine-gone", caught_by=TRUE, stage="reply", when=_whole)
def engine_gone(reply: Reply, shot: Shot) -> Reply:
    """The engine behind the server is gone: chats give 500, and /health stays 200."""
    return failure(message="EngineDeadError") if reply.status == 200 else reply


@fault("counters-with-none", caught_by=READ, stage="metrics")
def counters_with_none(numbers: Json, shot: Shot) -> Json:
    """A gauge that has no value yet stands there as None."""
    return {**numbers, "requests_deferred": None}


@fault("totals-fall", caught_by=FALL, stage="metrics")
def totals_fall(numbers: Json, shot: Shot) -> Json:
    """A total is one of the last minute: it falls."""
    shot.memory["read"] = shot.memory.get("read", 0) + 1
    return {**numbers, "prompt_tokens_total": max(0, 1000 - 100 * shot.memory["read"])}


@fault("tokens-counted-in-streams-alone", caught_by=TOKENS, stage=("whole", "metrics"))
def tokens_counted_in_streams_alone(value: Any, shot: Shot) -> Any:
    """Tokens of plain answers are left out of the total."""
    if "choices" in value:
        shot.memory["plain"] = shot.memory.get("plain", 0) + value["usage"]["completion_tokens"]
        return value
    left_out = shot.memory.get("plain", 0)
    return {**value, "tokens_predicted_total": value["tokens_predicted_total"] - left_out} if left_out else value


@fault("drafts-not-counted", caught_by=DRAFTS, stage="metrics")
def drafts_not_counted(numbers: Json, shot: Shot) -> Json:
    """Drafts are told with each answer, and no counter moves."""
    return {**numbers, "spec_decode_num_draft_tokens_total": 0}


@fault("more-accepted-than-drafted", caught_by=DRAFTS, stage="whole")
def more_accepted_than_drafted(body: Json, shot: Shot) -> Json:
    """The first token, which nobody drafts, is counted as accepted."""
    timings = body["timings"]
    return {**body, "timings": {**timings, "draft_n_accepted": timings["draft_n"] + 1}}


def _works(call: Call) -> bool:
    return chat(call) or get("/health")(call)


@fault("health-503-at-work", caught_by=LOAD, stage=("answer", "reply"), when=_works)
def health_503_at_work(value: Any, shot: Shot) -> Any:
    """Once chats were answered /health says 503, no slot available, as llama-server's did in 2024 while all worked."""
    if chat(shot.call):
        shot.memory["worked"] = True
        return value
    return replace(failure(503, "no slot available"), status=503) if shot.memory.get("worked") else value


@freedom(
    "health-without-content",
    of="health",
    source="Kubernetes, probes: a status from 200 to 399 is success; no document says what a page of health answers",
    stage="reply",
    when=get("/health"),
)
def health_without_content(reply: Reply, shot: Shot) -> Reply:
    """The page of health is a 204: there is nothing to tell."""
    return Reply(204, b"", ())
