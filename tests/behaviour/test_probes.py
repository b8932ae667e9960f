"""Questions: repeatable from a seed, different between seeds, honest about what they ask for."""

import json
import re
from itertools import islice, pairwise

from seatrial.behaviour import probes, rates
from seatrial.reading.markers import ALL

MANY = 400


def asked(seed: int, n: int = MANY):
    return dict(islice(probes.requests(seed), n))


def test_the_same_seed_asks_the_same_and_another_seed_asks_something_else():
    assert asked(7) == asked(7)
    ours, theirs = ([r.body["messages"] for r in asked(seed).values()] for seed in (7, 8))
    assert sum(a == b for a, b in zip(ours, theirs, strict=True)) < MANY / 10


def test_one_question_can_be_asked_again_alone():
    name, request = list(asked(3).items())[123]
    assert probes.request(3, name.partition("-")[0], 123) == request


def test_questions_differ_within_a_run():
    texts = [json.dumps(r.body["messages"]) for r in asked(0, 200).values()]
    assert len(set(texts)) > 170


def test_names_are_unique_and_tell_the_probe():
    names = list(asked(0))
    assert len(names) == MANY
    assert {name.partition("-")[0] for name in names} == set(probes.CYCLE)
    assert probes.short_among(MANY) == sum(map(probes.is_short, names))
    assert probes.short_among(29) >= rates.FEWEST > probes.short_among(28)


def test_nothing_asked_invites_repetition_or_quotes_a_marker():
    for name, request in asked(1).items():
        text = " ".join(message["content"] for message in request.body["messages"])
        assert not any(marker in text for marker in ALL), name
        assert not re.search(r"\b(list|table|count|enumerate|steps?|repeat|bullet)\b", text, re.IGNORECASE), text
        assert "think>" not in text


def test_bodies_are_valid_chat_requests():
    for name, request in asked(2, 80).items():
        body = request.body
        roles = [message["role"] for message in body["messages"]]
        assert roles[0] == roles[-1] == "user"
        assert all(a != b for a, b in pairwise(roles)), name
        assert body["stream"] is True
        assert body["stream_options"] == {"include_usage": True}
        assert body["max_tokens"] == probes.CAPS[name.partition("-")[0]]
        assert 0 <= body["seed"] < 2**31
        scenario = probes.scenario(name, request, deadline_s=3.0)
        assert (scenario.traits, scenario.tokens) == (probes.TRAITS, body["max_tokens"])
