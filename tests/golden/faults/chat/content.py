"""Faults of the content of answers: nobody gets to read what is said."""

from __future__ import annotations

from tests.golden.edits import Json, each_choice
from tests.golden.registry import Shot, fault

WORDS = "chat/answers-hold-words"


def _moved(choice: Json, to: str) -> Json:
    """A choice whose content is told in another field, or nowhere."""
    held = "delta" if "delta" in choice else "message"
    said = choice[held].get("content")
    if not said:
        return choice
    elsewhere = {to: (choice[held].get(to) or "") + said} if to else {}
    return {**choice, held: {**choice[held], "content": None, **elsewhere}}


@fault("answer-told-as-thought", caught_by=WORDS, stage=("whole", "chunk"))
def answer_told_as_thought(body: Json, shot: Shot) -> Json:
    """The parser waits for the end of a thought that never began: the whole answer is reasoning_content, and content is
    null (Qwen3 issue 1297, xinference issue 3673, SGLang pull request 20586)."""
    return each_choice(body, lambda c: _moved(c, "reasoning_content"))


@fault("answers-of-nothing", caught_by=WORDS, stage=("whole", "chunk"))
def answers_of_nothing(body: Json, shot: Shot) -> Json:
    """Each answer is 200, counted and ended, and holds nothing (llama-cpp-python issue 1195)."""
    return each_choice(body, lambda c: _moved(c, ""))
