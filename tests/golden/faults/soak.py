"""Faults that show under load: streams that do not end as they should, and counters that disagree."""

from __future__ import annotations

from collections.abc import Iterator

from tests.golden.answers import Answer
from tests.golden.edits import Json, failure, get, with_usage
from tests.golden.faults.sse import has_token
from tests.golden.items import DONE, Act, Item, Raw, encode
from tests.golden.registry import Shot, chat, fault, streaming
from tests.golden.validation import InsteadError

TERMINATE = "soak/streams-terminate"
ANSWERED = "soak/requests-are-answered"
REQUESTS = "soak/requests-agree-with-the-server"
TOKENS = "soak/tokens-agree-with-the-server"
ONE = "soak/streams-name-one-model"


@fault("no-terminator", caught_by=TERMINATE, stage="events", when=streaming, family="soak")
def no_terminator(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream ends cleanly without finish_reason, usage and [DONE]."""
    for item in items:
        finishes = isinstance(item, dict) and any(choice["finish_reason"] for choice in item["choices"])
        if finishes or item is DONE or (isinstance(item, dict) and item.get("usage")):
            shot.fire()
        else:
            yield item


def _after_some(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The first few tokens of a stream: one to three, and never its end."""
    left = shot.draw.randrange(1, 4)
    for item in items:
        if item is DONE or (isinstance(item, dict) and not has_token(item) and "role" not in _delta(item)):
            break
        yield item
        left -= has_token(item)
        if not left:
            break
    shot.fire()


def _delta(item: Json) -> Json:
    return item["choices"][0]["delta"] if item["choices"] else {}


@fault("cut", caught_by=TERMINATE, stage="events", when=streaming, family="soak")
def cut(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream's connection is closed after a few tokens, its body not ended."""
    yield from _after_some(items, shot)
    yield Act.CUT


@fault("reset", caught_by=TERMINATE, stage="events", when=streaming, family="soak")
def reset(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream's connection is reset after a few tokens."""
    yield from _after_some(items, shot)
    yield Act.RESET


@fault("stall", caught_by=TERMINATE, stage="events", when=streaming, family="soak")
def stall(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream falls silent after a few tokens and stays open."""
    yield from _after_some(items, shot)
    yield Act.STALL


@fault("error-in-200", caught_by=ANSWERED, stage="events", when=streaming, family="soak")
def error_in_200(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream that began with 200 ends with an error event after a few tokens."""
    yield from _after_some(items, shot)
    yield Raw(b"data: " + encode(failure(message="the engine failed").payload) + b"\n\n")


@fault("empty", caught_by=ANSWERED, stage="draft", when=chat, family="soak")
def empty(answer: Answer, shot: Shot) -> Answer:
    """An answer ends at once, without a token."""
    return Answer((), ())


@fault("server-error", caught_by=ANSWERED, stage="body", when=chat, family="soak")
def server_error(body: Json, shot: Shot) -> Json:
    """A valid request gets 500."""
    shot.fire()
    raise InsteadError(failure())


@fault("never-answered", caught_by=ANSWERED, stage="wire", when=chat, family="soak")
def never_answered(pieces: Iterator[object], shot: Shot) -> Iterator[object]:
    """A request is read and never answered."""
    shot.fire()
    yield Act.STALL


@fault("ghost-requests", caught_by=REQUESTS, stage="draft", when=chat, family="soak")
def ghost_requests(answer: Answer, shot: Shot) -> Answer:
    """A request is worked on twice, as by a retry inside the server; the truth and the counters tell of both."""
    if not shot.fired:
        shot.fire()
        shot.truth.count("chats")
        ghost = shot.truth.begin("ghost", stream=False, prompt_tokens=1)
        shot.truth.token(ghost)
        shot.truth.complete(ghost)
    return answer


@fault("counters-lie", caught_by=TOKENS, stage="metrics", when=get("/metrics"), family="soak")
def counters_lie(numbers: dict[str, int], shot: Shot) -> dict[str, int]:
    """The counter of made tokens is a tenth and one too high."""
    return {**numbers, "tokens_predicted_total": numbers["tokens_predicted_total"] * 11 // 10 + 1}


@fault("counters-lose-prompts", caught_by=TOKENS, stage="metrics", when=get("/metrics"), family="soak")
def counters_lose_prompts(numbers: dict[str, int], shot: Shot) -> dict[str, int]:
    """The counter of prompt tokens has half of them."""
    return {**numbers, "prompt_tokens_total": numbers["prompt_tokens_total"] // 2 + 1}


@fault("counters-lose-requests", caught_by=REQUESTS, stage="metrics", when=get("/metrics"), family="soak")
def counters_lose_requests(numbers: dict[str, int], shot: Shot) -> dict[str, int]:
    """The counter of chat requests has half of them."""
    return {**numbers, "chats_total": numbers["chats_total"] // 2 + 1}


@fault("usage-inflated", caught_by=TOKENS, stage=("whole", "chunk"), when=chat, family="soak")
def usage_inflated(body: Json, shot: Shot) -> Json:
    """usage tells of three tokens more than were made, and adds up."""
    return with_usage(body, completion_tokens=lambda n: n + 3, total_tokens=lambda n: n + 3)


@fault("another-model-under-load", caught_by=ONE, stage="chunk", when=streaming, family="soak")
def another_model_under_load(body: Json, shot: Shot) -> Json:
    """Under load every second stream comes from another model."""
    if "second" not in shot.scratch:
        shot.scratch["second"] = shot.memory["second"] = not shot.memory.get("second", True)
    return {**body, "model": "golden-0-mini"} if shot.scratch["second"] else body
