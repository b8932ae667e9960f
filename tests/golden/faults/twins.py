"""What becomes of a model that was made faster: a draft that is taken without being checked, and ties that fall apart.

No rule sees either: a server that says one thing for another is found out only beside the one that it stands for.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer
from tests.golden.edits import Json
from tests.golden.registry import Call, Shot, chat, fault

FEWEST = 12
"""Tokens of an answer that is long enough to be spoilt."""

OTHER = (" perhaps", " hardly", " nearly", " surely")
NEARLY, SECOND = -0.70, -0.71
"""Chances of two tokens that are all but equally likely, as natural logarithms."""


def _greedy(call: Call) -> bool:
    return chat(call) and call.says("temperature") == 0


def _place(answer: Answer) -> int:
    """The place of an answer at which its two likeliest tokens are told to be all but equal."""
    return len(answer.content) // 3


def _spoilt(answer: Answer, at: int, word: str) -> Answer:
    if len(answer.content) < FEWEST or answer.calls:
        return answer
    return replace(answer, content=(*answer.content[:at], word, *reversed(answer.content[at:])))


@fault("lossy-draft", stage="draft", when=_greedy, family="watch")
def lossy_draft(answer: Answer, shot: Shot) -> Answer:
    """At temperature 0 a drafted token is taken that the model itself would not have said, and the answer goes on
    from there."""
    return _spoilt(answer, shot.draw.randrange(2, 8), shot.draw.choice(OTHER))


@fault("ties-fall-apart", stage="draft", when=_greedy, family="watch")
def ties_fall_apart(answer: Answer, shot: Shot) -> Answer:
    """At temperature 0 the other one of two tokens that are all but equally likely is said."""
    return _spoilt(answer, _place(answer), OTHER[0])


@fault("ties-are-told", stage=("draft", "chunk"), when=_greedy, family="watch")
def ties_are_told(value: Any, shot: Shot) -> Any:
    """The two likeliest tokens at one place of each answer are told to be all but equally likely."""
    if isinstance(value, Answer):
        shot.scratch["left"] = _place(value)
        return value
    return {**value, "choices": [_tied(choice, shot) for choice in value["choices"]]} if _tells(value) else value


def _tells(chunk: Json) -> bool:
    return isinstance(chunk, dict) and any(choice.get("logprobs") for choice in chunk.get("choices", ()))


def _tied(choice: Json, shot: Shot) -> Json:
    shot.scratch["left"] -= 1
    if shot.scratch["left"] != -1 or not (entry := choice["logprobs"]["content"][0]).get("top_logprobs"):
        return choice
    first, second, *others = entry["top_logprobs"]
    left = math.log1p(-math.exp(NEARLY) - math.exp(SECOND))
    told = [{**first, "logprob": NEARLY}, {**second, "logprob": SECOND}]
    told += [{**each, "logprob": round(left - (n + 1) * math.log(2), 4)} for n, each in enumerate(others)]
    tied = {**entry, "logprob": NEARLY, "top_logprobs": told}
    return {**choice, "logprobs": {**choice["logprobs"], "content": [tied]}}
