"""The odds of two endpoints: the same, changed, damaged, of another tokenizer; and few prompts prove nothing."""

import math
from random import Random

import pytest

from seatrial.behaviour.probes.odds.sane import log_probabilities_are_those_of_the_answer
from seatrial.behaviour.probes.steady import pace
from seatrial.comparing import claims, odds, speeds
from seatrial.comparing.decision import decide
from seatrial.comparing.pairs import items
from seatrial.records import ClaimWord, Decisions, Measure, OddsWord, OperatorClaim
from seatrial.report.decision import page, plain
from tests.comparing.made import case, item, items_of, side


def softmax(logits):
    total = math.fsum(map(math.exp, logits))
    return [math.exp(value) / total for value in logits]


def asked(noise=0.0, *, n=64, x=30, endpoint="A", vocabulary="t", seed=1):
    """What a model tells of first tokens: of the same logits, with noise of its own."""
    made = []
    for number in range(n + x):
        draw = Random(f"{'x' if number >= n else number}")
        mine = Random(f"{endpoint}/{seed}/{'x' if number >= n else number}")
        logits = [draw.gauss(0, 4) for _ in range(60)]
        told = softmax([value + mine.gauss(0, 1) * noise for value in logits])
        head = sorted(enumerate(told), key=lambda each: -each[1])[:20]
        likely = {f"{vocabulary}{token}": math.log(p) for token, p in head}
        family = "x" if number >= n else "open"
        made.append(item(number, probe=odds.PROBE, endpoint=endpoint, family=family, likely=likely))
    return items([case(made, rule=odds.PROBE, endpoint=endpoint)])


def test_the_names_of_probes_are_those_that_there_are():
    assert log_probabilities_are_those_of_the_answer.rule.id == odds.PROBE
    assert pace.an_answer_that_has_begun_does_not_stall.rule.id == speeds.PACE


@pytest.mark.parametrize(
    ("noise", "word"),
    [(0.0, OddsWord.KEPT), (0.02, OddsWord.KEPT), (0.42, OddsWord.CHANGED), (2.0, OddsWord.DAMAGED)],
)
def test_noise_on_the_logits_is_told_by_its_size(noise, word):
    told = odds.drift(asked(), asked(noise, endpoint="B"))
    assert (told.word, told.n, told.again) == (word, 64, (30, 30))
    assert told.nats_low <= told.nats <= told.nats_high
    assert told.same_low <= told.same / told.n <= told.same_high
    assert (told.chance < 0.01) is (noise > 0), "an odd that is off by ever so little is seen, and weighs nothing"


def test_what_proves_nothing():
    assert odds.drift(asked(), {}) is None
    few = odds.drift(asked(n=10), asked(2.0, n=10, endpoint="B"))
    assert (few.word, few.n) == (OddsWord.OPEN, 10)
    alone = odds.drift(asked(n=0), asked(n=0, endpoint="B"))
    assert (alone.word, alone.n, alone.nats_high) == (OddsWord.OPEN, 0, None)
    strange = odds.drift(asked(), asked(endpoint="B", vocabulary="other"))
    assert strange.word is OddsWord.STRANGE


def test_it_stands_on_the_page_and_rules_nothing():
    sides = [
        side(name, case(items_of(160), endpoint=name), case(asked(noise, endpoint=name).values(), rule=odds.PROBE,
             endpoint=name, level="SHOULD"))
        for name, noise in (("A", 0.0), ("B", 2.0))
    ]  # fmt: skip
    made = decide(*sides)
    assert made.odds.word is OddsWord.DAMAGED
    assert made.cut == "CUT OVER"
    told = Decisions(exit=0, margin=0.05, decisions=(made,))
    assert "odds of the first token" in page.render(told)
    assert "first token" in plain.render(told)
    assert "odds damaged" in plain.render(told)


def test_a_claim_on_speed_is_held_against_what_was_asked_alone():
    crowded = [item(n, figures={"tokens": 101.0, "seconds": 11.0, "first_s": 1.0}) for n in range(40)]
    alone = [
        item(100 + n, probe=speeds.PACE, figures={"tokens": 101.0, "seconds": 2.0, "first_s": 1.0}) for n in range(9)
    ]
    claim = OperatorClaim(says="90 tok/s", measure=Measure.TOKENS_PER_SECOND, at_least=90)
    both = items([case(crowded), case(alone, rule=speeds.PACE)])
    assert claims.tell(claim, both, None).word is ClaimWord.CONFIRMED
    few = items([case(crowded), case(alone[:3], rule=speeds.PACE)])
    assert claims.tell(claim, few, None).word is ClaimWord.UNRESOLVED, "beside others it says nothing of one alone"
