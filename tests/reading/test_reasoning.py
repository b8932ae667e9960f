"""Thought, as it is read of an answer."""

from __future__ import annotations

import pytest

from seatrial.reading import reasoning
from tests.checks.specimens import DONE, USAGE, choice, delta, ends, plain, stream


def thinks(**fields):
    return plain({"choices": [choice(message={"role": "assistant", "content": "42", **fields})]})


@pytest.mark.parametrize("name", reasoning.FIELDS)
def test_each_field_is_read_whole_and_streamed(name):
    whole = thinks(**{name: "so it is"})
    streamed = stream(delta(**{name: "so it "}), delta(**{name: "is"}), delta(content="42"), ends(), DONE)
    assert reasoning.told(whole) == reasoning.told(streamed) == {0: {name: "so it is"}}
    assert reasoning.fields_used(whole) == reasoning.fields_used(streamed) == [name]
    assert reasoning.is_shown(whole)
    assert reasoning.is_shown(streamed)


def test_two_fields_are_told_apart():
    assert reasoning.told(thinks(reasoning="a", reasoning_content="b")) == {
        0: {"reasoning_content": "b", "reasoning": "a"}
    }


def test_the_order_of_thought_and_words():
    x = stream(
        delta(role="assistant"), delta(reasoning="a"), delta(reasoning="b", content="c"), delta(content="d"), DONE
    )
    assert [(thought, words) for _, _, thought, words in reasoning.steps(x)] == [
        (True, False),
        (True, True),
        (False, True),
    ]


@pytest.mark.parametrize("odd", [None, 5, [], {}, ""])
def test_anything_can_be_read(odd):
    x = thinks(**dict.fromkeys(reasoning.FIELDS, odd))
    assert reasoning.told(x) == {0: {}}
    assert not reasoning.is_shown(x)
    assert reasoning.tokens(plain({"usage": odd})) is None


def test_what_closes_a_thought_shows_it_too():
    assert reasoning.is_shown(plain({"choices": [choice("so it is</think>42")]}))
    assert reasoning.is_marked(" [THINK]so")
    assert reasoning.is_marked("so</think>\n")
    assert not reasoning.is_marked("so <think> it is")


def test_a_count_that_cannot_be_true_is_none():
    counted = {"completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 11}}
    choices = [choice(message={"content": "42", "reasoning": "sixteen"})]
    assert reasoning.spent(plain({"choices": choices, "usage": counted})) == 8


def test_thought_shows_in_the_content_and_in_the_count_too():
    assert reasoning.is_shown(plain({"choices": [choice("<think>so</think>42")]}))
    counted = USAGE | {"completion_tokens_details": {"reasoning_tokens": 7}}
    assert reasoning.is_shown(plain({"usage": counted}))
    assert not reasoning.is_shown(plain({"usage": USAGE | {"completion_tokens_details": {"reasoning_tokens": 0}}}))


@pytest.mark.parametrize(("opens", "closes"), list(zip(reasoning.OPENS, reasoning.CLOSES, strict=True)))
def test_a_thought_is_open_until_its_own_end(opens, closes):
    assert reasoning.is_open(f"\n{opens}The user wants")
    assert not reasoning.is_open(f"{opens}Hm.{closes} It rains.")
    assert not reasoning.is_open(f"It rains. {opens}")


def test_a_thought_of_harmony_ends_at_its_final_channel():
    assert not reasoning.is_open("<|channel|>analysis<|message|>Hm.<|end|><|channel|>final<|message|>It rains.")


def test_the_mark_of_a_thought_is_named():
    assert [reasoning.mark("It rains."), reasoning.mark("Hm.</think>"), reasoning.mark("[THINK]Hm.")] == [
        "",
        "</think>",
        "[THINK]",
    ]
