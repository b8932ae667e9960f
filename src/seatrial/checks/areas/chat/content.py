"""That answers say something to whoever reads them, all through a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, tools
from seatrial.records import Exchange, Expect, Finding, Level

ENOUGH = 3
"""Answers that end by themselves: what is missing in all of them is no chance."""

ELSEWHERE = tuple(
    rule + causes.SOME
    for rule in (causes.ANSWERED, causes.DECODES, causes.CHOICES, causes.SCHEMA, causes.EVENTS, causes.CONTENT)
)
ELSEWHERE += tuple(rule + causes.SOME for rule in (causes.FINISHED, causes.FINISH_KNOWN, causes.CAPPED))


@rule(
    row="chat/basic/19",
    level=Level.MUST,
    of=traits.WHOLE_RUN,
    answer=False,
    sampled=True,
    source="OpenAPI document, ChatCompletionResponseMessage.content: the contents of the message; Qwen3 issue 1297, "
    "TensorRT-LLM issue 14502, SGLang pull request 20586: all of it in the thought",
)
def answers_hold_words(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Answers that end by themselves, without a call, hold words in their content: not one of a run does is no answer.

    A thinking model may now and then say nothing after its thought. What never has a content has it elsewhere, or
    nowhere.
    """
    ended = [(name, answer) for name, x in xs.items() if x.status == 200 for answer in _ended(x)]
    if any(answer.content.strip() for _, answer in ended):
        return
    if len(ended) < ENOUGH:
        got = f"{len(ended)} in {len(xs)} answers"
        yield no_evidence("the answers", expected="some that end by themselves", got=got, causes=ELSEWHERE)
        return
    thought = sum(bool(answer.reasoning.strip()) for _, answer in ended)
    so = "clients show an empty answer" + (", and its words as a thought, or not at all" if thought else "")
    got, where = f"none in {len(ended)}; thought in {thought} of them", f"content of {len(ended)} answers"
    yield violation(where, expected="words in some", got=got, so=so, about=ended[-1][0])


def _ended(x: Exchange) -> Iterator[chat.Answer]:
    """The choices of an answer that end by themselves, and have made no call."""
    called = tools.calls(x)
    for index, answer in chat.answers(x).items():
        if answer.reasons == ["stop"] and not called.get(index):
            yield answer
