"""Answers hold words: a whole run in which none does is told as that."""

import pytest

from tests.checks.specimens import answer, breaks, choice, delta, ends, found, holds, plain, refused, stream

WORDS = "chat/answers-hold-words"


def thought(text="Hello.", **message):
    held = {"role": "assistant", "content": None, "reasoning_content": text}
    return plain(answer(choice(message=held | message)))


def run(*answers):
    return {f"test-{number}": each for number, each in enumerate(answers)}


def test_one_answer_with_words_is_enough():
    streamed = stream(delta(role="assistant"), delta(reasoning_content="Hm."), ends(), "[DONE]")
    holds(WORDS, [run(plain()), run(thought(), thought(), thought(), plain(), streamed)])


@pytest.mark.parametrize("said", [None, "", " \n"])
def test_answers_of_which_none_holds_words_are_none(said):
    told = breaks(WORDS, run(*[thought(content=said)] * 3), "content of 3 answers", "thought in 3 of them")
    assert "as a thought" in told.consequence
    empty = plain(answer(choice(said)))
    assert "as a thought" not in breaks(WORDS, run(*[empty] * 3), "content", "thought in 0 of them").consequence
    chunks = (delta(role="assistant"), delta(reasoning_content="Hello."), ends(), "[DONE]")
    breaks(WORDS, run(*[stream(*chunks)] * 3), "content of 3 answers", "thought in 3 of them")


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls", "eos"])
def test_what_does_not_end_by_itself_shows_nothing(reason):
    ended = plain(answer(choice("", finish=reason)))
    findings = found(WORDS, run(*[ended] * 9, refused()))
    assert [(f.kind, f.got) for f in findings] == [("no-evidence", "0 in 10 answers")]


def test_a_call_stands_in_place_of_words_and_two_answers_may_be_chance():
    call = {"id": "call_1", "type": "function", "function": {"name": "get", "arguments": "{}"}}
    made = plain(answer(choice(message={"role": "assistant", "content": None, "tool_calls": [call]})))
    assert [f.kind for f in found(WORDS, run(*[made] * 3, thought(), thought()))] == ["no-evidence"]
