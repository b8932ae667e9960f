"""Faults in what is said: loops, markers of a template, answers that do not end; and a build known to be bad."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from tests.golden.answers import Answer, prose, tokens
from tests.golden.edits import Json, get
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, fault
from tests.golden.validation import MODEL

LOOPS = "loops/answers-do-not-loop"
ENDS = "stops/answers-end-by-themselves"
MARKERS = "markers/no-template-marker-leaks"
BUILD = "identity/no-known-bad-build"
ENDLESS = 8192
"""Tokens of an answer that only its cap ends."""


def _runaway(answer: Answer, sentences: Iterator[str]) -> Answer:
    """An answer that goes on with sentences until a cap ends it."""
    content = list(answer.content)
    while len(content) < ENDLESS:
        content += tokens(" " + next(sentences))
    return replace(answer, content=tuple(content), finish="length")


@fault("loop", caught_by=LOOPS, stage="draft", when=chat, family="behaviour")
def loop(answer: Answer, shot: Shot) -> Answer:
    """An answer falls into repeating one sentence until its cap ends it."""
    sentence = next(prose(shot.draw, 1))
    return _runaway(answer, iter(lambda: sentence, None))


@fault("drift-loop", caught_by=LOOPS, stage="draft", when=chat, family="behaviour")
def drift_loop(answer: Answer, shot: Shot) -> Answer:
    """An answer repeats one sentence in which only a number changes, until its cap ends it."""
    sentences = (f"Step {n}: close valve {n + 1} and read the gauge again." for n in range(1, ENDLESS))
    return _runaway(answer, sentences)


@fault("loop-in-thought", caught_by=LOOPS, stage="draft", when=chat, family="behaviour")
def loop_in_thought(answer: Answer, shot: Shot) -> Answer:
    """A thought (or the answer, where there is none) doubts itself in the same words until the cap ends it."""
    doubt = tokens(" Wait, but the second valve may be closed. Let me think again.") * (ENDLESS // 16)
    if answer.reasoning:
        return replace(answer, reasoning=answer.reasoning + doubt, finish="length")
    return replace(answer, content=answer.content + doubt, finish="length")


@fault("leak", caught_by=MARKERS, stage="draft", when=chat, family="behaviour")
def leak(answer: Answer, shot: Shot) -> Answer:
    """Markers of the chat template follow the answer."""
    return answer.then("<|im_end|>\n<|im_start|>user\n")


@fault("leak-think", caught_by=MARKERS, stage="draft", when=chat, family="behaviour")
def leak_think(answer: Answer, shot: Shot) -> Answer:
    """The end of a thought stands in the answer."""
    return replace(answer, content=(*tokens("So I will say this.\n</think>\n\n"), *answer.content))


@fault("no-stop", caught_by=ENDS, stage="draft", when=chat, family="behaviour")
def no_stop(answer: Answer, shot: Shot) -> Answer:
    """An answer never ends by itself: fluent prose until its cap."""
    return _runaway(answer, prose(random.Random(shot.draw.random()), ENDLESS * 2))


@fault("truncated-answer", caught_by=ENDS, stage="draft", when=chat, family="behaviour")
def truncated_answer(answer: Answer, shot: Shot) -> Answer:
    """An answer says stop and holds nothing but a space."""
    return replace(answer, content=(" ",))


BAD_MODEL = "GLM-4.7-Flash-Q4_K_M"
BAD_PROPS = {"build_info": "b7700-0d1e2f3a4", "model_path": f"/models/{BAD_MODEL}.gguf"}


def _tells_or_chats(call: Call) -> bool:
    return chat(call) or get("/props")(call) or get("/v1/models")(call)


@fault("known-bad-build", caught_by=BUILD, stage=("reply", "body", "whole", "chunk"), when=_tells_or_chats,
       family="behaviour")  # fmt: skip
def known_bad_build(value: Reply | Json, shot: Shot) -> Reply | Json:
    """The server says that it is a llama.cpp whose build spoils the model it serves."""
    if not isinstance(value, Reply):
        if not isinstance(value, dict):
            return value
        before, after = (BAD_MODEL, MODEL) if "messages" in value else (MODEL, BAD_MODEL)
        return {**value, "model": after} if value.get("model") == before else value
    if value.status != 200 or chat(shot.call):
        return value
    if shot.call.path == "/props":
        return replace(value, payload={**value.payload, **BAD_PROPS})
    items = [{**item, "id": BAD_MODEL, "owned_by": "llamacpp"} for item in value.payload["data"]]
    return replace(value, payload={**value.payload, "data": items})
