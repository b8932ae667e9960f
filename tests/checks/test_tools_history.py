"""Rules on an earlier turn with several calls, and with words beside them."""

import json

import pytest

from seatrial.checks.causes import PROMPTS, ROLES
from seatrial.records import Outcome
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import ASKED, breaks, choice, found, holds, plain, refused

LONG, SHORT = "It is seven degrees here, and the wind will turn north by noon, so take a coat along.", "Cold."
FAR, NEAR = "the old town of Oslo by the harbour below the castle where the ferry lands at noon", "Oslo"
EACH = "tools/each-result-of-a-turn-reaches-the-model"
WORDS = "tools/words-beside-an-earlier-call-reach-the-model"


def asked(*told, content=""):
    made = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "get", "arguments": json.dumps({"city": city})}}
        for n, (city, _result) in enumerate(told)
    ]
    results = [{"role": "tool", "tool_call_id": f"call_{n}", "content": text} for n, (_city, text) in enumerate(told)]
    return ASKED | {"messages": [{"role": "assistant", "content": content, "tool_calls": made}, *results]}


TURNS = {
    "first": asked((FAR, LONG), (NEAR, SHORT)),
    "last": asked((NEAR, SHORT), (FAR, LONG)),
    "words": asked((NEAR, SHORT), (FAR, LONG), content=LONG),
}


def counted(**prompts):
    """An answer to each turn, with what usage says of its prompt."""
    return {
        name: plain(
            {"choices": [choice("So.")], "usage": {"prompt_tokens": n, "completion_tokens": 1, "total_tokens": n + 1}},
            asked=TURNS[name],
        )
        for name, n in prompts.items()
    }


def test_each_result_of_a_turn_reaches_the_model():
    holds(EACH, [counted(first=90, last=90, words=110), counted(first=90, last=86), counted(first=83, last=90)])
    finding = breaks(EACH, counted(first=90, last=60), "last: usage.prompt_tokens", "60")
    assert finding.grave
    assert finding.causes == ("tools/result-reaches-the-model[*]", *PROMPTS, *ROLES)
    breaks(EACH, counted(first=72, last=90), "first: usage.prompt_tokens", "the first one")


def test_words_beside_an_earlier_call_reach_the_model():
    holds(WORDS, [counted(last=90, words=108), counted(first=50, last=90, words=130)])
    finding = breaks(WORDS, counted(first=90, last=90, words=91), "words: usage.prompt_tokens", "91")
    assert not finding.grave


@pytest.mark.parametrize("rule", [EACH, WORDS])
def test_what_was_not_counted_is_not_judged(rule):
    for lacking in (counted(last=90), counted(first=90, last=90, words=100) | {"last": plain({"usage": ...})}):
        assert [f.kind for f in found(rule, lacking)] == ["no-evidence"]


@pytest.mark.parametrize("rule", [EACH, WORDS])
def test_a_turn_with_several_calls_may_be_declined(rule):
    declined = {name: refused(asked=turn) for name, turn in TURNS.items()}
    assert outcome("SHOULD", found(rule, declined), optional=True) is Outcome.UNSUPPORTED


def test_a_turn_that_is_not_answered_is_one_finding():
    broken = {name: refused(500, asked=turn) for name, turn in TURNS.items()}
    assert breaks(EACH, broken, "first: the status", "500").causes == ("http/valid-request-is-answered[*]",)
    assert [(f.kind, f.optional) for f in found(WORDS, broken)] == [("refusal", True)]
    breaks(WORDS, counted(first=9, last=9) | {"words": refused(500, asked=TURNS["words"])}, "words: the status", "500")
    raised = {"error": {"message": "This model only supports single tool-calls at once!", "type": "server_error"}}
    held = {name: refused(500, raised, asked=turn) for name, turn in TURNS.items()}
    assert outcome("SHOULD", found(EACH, held), optional=True) is Outcome.UNSUPPORTED
