"""Items of all probes: repeatable from a seed, different between seeds, honest about what they ask for."""

import json
import re
from itertools import pairwise
from random import Random

import pytest

from seatrial.behaviour.items import TRAITS, number_of
from seatrial.behaviour.probe import makers, probes
from seatrial.behaviour.probes.talk import crosstalk, markers
from seatrial.reading.markers import ALL

MANY = 120
FRESH = {"firsts": 2 / 3}
"""Of a maker that asks one of its items again and again, the share that it asks once."""
MAKERS = makers()


def bodies(maker, seed: int, n: int = MANY):
    return [maker.request(seed, number).body for number in range(n)]


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_seed_asks_the_same_and_another_seed_asks_something_else(name):
    maker = MAKERS[name]
    assert bodies(maker, 7) == bodies(maker, 7)
    ours, theirs = ([str(body["messages"]) for body in bodies(maker, seed)] for seed in (7, 8))
    assert sum(a == b for a, b in zip(ours, theirs, strict=True)) < MANY * (1 / 6 + 1 - FRESH.get(name, 1))


@pytest.mark.parametrize("name", MAKERS)
def test_items_differ_within_a_run(name):
    maker = MAKERS[name]
    share = FRESH.get(name, 1 / maker.group)
    assert len({str(body["messages"]) for body in bodies(maker, 0)}) > 0.8 * MANY * share


@pytest.mark.parametrize("name", MAKERS)
def test_bodies_are_valid_chat_requests(name):
    maker = MAKERS[name]
    for number, body in enumerate(bodies(maker, 2, 40)):
        roles = [message["role"] for message in body["messages"] if message["role"] != "system"]
        assert roles[0] == "user"
        assert roles[-1] in {"user", "tool", "assistant"}
        assert all(a != b for a, b in pairwise(roles)), (name, number)
        assert body["stream"] is True
        assert body["stream_options"] == {"include_usage": True}
        assert 0 <= body["seed"] < 2**31
        scenario = maker.scenario(2, number, deadline_s=3.0)
        assert (scenario.traits, scenario.tokens) == (TRAITS, body["max_tokens"])
        assert number_of(maker.named(number)) == number


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_asked_quotes_a_marker(name):
    for body in bodies(MAKERS[name], 1):
        text = json.dumps(body["messages"], ensure_ascii=False, default=str)
        assert not any(marker in text for marker in ALL), name
        assert "think>" not in text


def test_talk_invites_no_repetition():
    for body in bodies(MAKERS["talk"], 1, 400):
        text = " ".join(message["content"] for message in body["messages"])
        assert not re.search(r"\b(list|table|count|enumerate|steps?|repeat|bullet)\b", text, re.IGNORECASE), text


def test_each_probe_can_end_and_has_a_maker_of_its_families():
    for each in probes().values():
        assert each.families <= set(each.maker.families)
        assert 0 < each.share <= 1
        assert each.test.fewest <= each.test.most
        assert each.rule.source
        assert each.so
    turns = [maker.turn for maker in MAKERS.values()]
    assert turns == sorted(set(turns))
    assert markers.no_template_marker_leaks.everywhere


def test_a_slip_of_the_pen_makes_no_code_of_another():
    """Two letters changed about, one changed, one digit off: seldom a code that anybody has."""
    draw, made, slips = Random(4), 0, 0
    for number in range(400):
        own = crosstalk.CODES.item(4, number).truth
        assert own == crosstalk.code(own[3:7])
        for at in range(3, len(own)):
            pool = crosstalk.LETTERS if own[at].isalpha() else "0123456789"
            changed = own[:at] + draw.choice(pool.replace(own[at], "")) + own[at + 1 :]
            turned = own[:at] + own[at + 1 : at + 2] + own[at] + own[at + 2 :]
            for slip in {changed, turned} - {own}:
                slips += 1
                made += crosstalk.CODE.fullmatch(slip) is not None and slip == crosstalk.code(slip[3:7])
    assert slips > 5_000
    assert made <= 3, "of 18,000 one"
