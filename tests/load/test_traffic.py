"""What is asked: seeded, by weight, each kind as its name says."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import Any

import msgspec
import pytest

from load.users import makers
from load.users.asked import AskedOf, Sending
from load.users.traffic import Traffic
from seatrial.given import workload
from seatrial.given.workload import KINDS, TrafficPart, Workload
from tests.load.simulated import ENDPOINT, traffic


def of(*parts: TrafficPart, seed: int = 1, **changed: Any) -> Traffic:
    endpoint = msgspec.structs.replace(ENDPOINT, **changed)
    return Traffic(Workload(name="own", parts=parts), AskedOf(endpoint, seed, 48, 2))


def body(asked: Sending) -> dict[str, Any]:
    return msgspec.json.decode(asked.body)


def test_each_kind_has_a_maker() -> None:
    assert set(makers()) == set(KINDS)


@pytest.mark.parametrize("name", workload.known())
def test_the_nth_request_depends_on_the_seed_alone(name: str) -> None:
    first, again, other = (traffic(name, seed) for seed in (7, 7, 8))
    asked = [[each.request() for _ in range(30)] for each in (first, again, other)]
    assert asked[0] == asked[1] != asked[2]
    assert len({each.body for each in asked[0]}) > 15


def test_parts_come_by_their_weights() -> None:
    mix = of(TrafficPart(kind="chat", weight=3), TrafficPart(kind="structured", weight=1))
    found = Counter(mix.request().workload for _ in range(800))
    assert found["chat"] == pytest.approx(600, abs=60)
    assert set(found) == {"chat", "structured"}


def test_a_chat_streams_with_usage_and_a_cap() -> None:
    asked = of(TrafficPart(kind="chat"), cap_factor=1.5, extra_body={"cache_prompt": False}).request()
    sent = body(asked)
    assert (sent["max_tokens"], sent["stream"], sent["stream_options"]) == (72, True, {"include_usage": True})
    assert (asked.cap, asked.path, sent["cache_prompt"]) == (72, "/chat/completions", False)


def test_lengths_are_of_the_range_and_mixed() -> None:
    mix = of(TrafficPart(kind="chat", prompt=(20, 400), answer=(16, 256)))
    asked = [mix.request() for _ in range(200)]
    words = sorted(len(body(each)["messages"][0]["content"].split()) for each in asked)
    assert 18 <= words[0] < 40
    assert 250 < words[-1] <= 401
    assert words[100] < 150  # long ones are rarer
    assert 16 <= min(each.cap for each in asked) < 40
    assert 200 < max(each.cap for each in asked) <= 256


def test_an_agent_s_turns_grow_from_one_prefix() -> None:
    mix = of(TrafficPart(kind="agent", system=300, tools=12, turns=4, thinks=True), context=32768)
    turns = [body(mix.request()) for _ in range(16)]
    lane = turns[0:8:2]  # two lanes
    for earlier, later in itertools.pairwise(lane):
        assert later["messages"][: len(earlier["messages"])] == earlier["messages"]
        assert len(later["messages"]) == len(earlier["messages"]) + 2
    calls, results = lane[3]["messages"][-2:]
    assert results["tool_call_id"] == calls["tool_calls"][0]["id"]
    names = [tool["function"]["name"] for tool in lane[0]["tools"]]
    assert calls["tool_calls"][0]["function"]["name"] in names
    assert len(set(names)) == 12
    assert len({turn["messages"][0]["content"] for turn in turns}) == 1  # one system prompt
    assert len(turns[8]["messages"]) == 2  # a new conversation
    assert turns[8]["messages"][1] != turns[0]["messages"][1]
    assert lane[0]["reasoning_effort"] == "medium"
    assert len(lane[0]["messages"][0]["content"].split()) > 300


@pytest.mark.parametrize("context", [1024, 2048, 8192])
@pytest.mark.parametrize("name", workload.known())
def test_what_is_asked_fits_the_context(name: str, context: int) -> None:
    """By bytes: JSON and these words come to a token for 3.5 of them, and mostly for more."""
    mix = traffic(name, endpoint=msgspec.structs.replace(ENDPOINT, context=context))
    asked = [mix.request() for _ in range(150)] + [mix.fill()]
    assert max(len(each.body) / 3.5 for each in asked) < context
    assert all(b'"tools":[]' not in each.body for each in asked)


def test_other_kinds_are_what_they_say() -> None:
    structured = body(of(TrafficPart(kind="structured")).request())
    assert structured["response_format"]["json_schema"]["strict"] is True
    vectors = of(TrafficPart(kind="embeddings")).request()
    assert (vectors.path, vectors.wants, vectors.cap) == ("/embeddings", "vectors", 0)
    assert all(isinstance(text, str) for text in body(vectors)["input"])
    leaving = of(TrafficPart(kind="cancel", answer=(64, 64)))
    assert {1 <= leaving.request().leave_after <= 16 for _ in range(50)} == {True}
    long = of(TrafficPart(kind="long"), context=8192)
    sizes = [len(long.request().body.split()) for _ in range(20)]
    assert max(sizes) < 0.6 * 8192 / 1.5 + 30
    assert min(sizes) > 500


def test_what_must_be_refused_is_wrong_for_every_server() -> None:
    mix = traffic()
    asked = {mix.invalid().body for _ in range(30)}
    assert len(asked) == 3
    for raw in asked:
        try:
            said = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            continue
        assert not isinstance(said.get("messages"), list)
    assert mix.invalid().wants == "refusal"
    look = mix.look()
    assert (look.workload, look.canary, look.wants) == ("look", False, "stream")
    assert re.search(rb"\d{6} is the number", look.body)
