"""How fast an endpoint is: known of one that answers, not known of one that declines, and never asked without end."""

from __future__ import annotations

from seatrial.behaviour.planning import tokens_a_second
from seatrial.records import Endpoint
from seatrial.trial import speed
from seatrial.wire.transports.http import Client
from tests.behaviour.specimens import exchange
from tests.golden.server import Golden


def measured(golden: Golden, **fields) -> float | None:
    endpoint = Endpoint(name="it", url=golden.url, kind="generic", model=golden.model, models=(golden.model,), **fields)
    return speed.measured(endpoint, lambda: Client(golden.url))


def test_the_tokens_of_all_streams_are_counted():
    with Golden(token_ms=20) as golden:
        found = measured(golden, slots=2)
        told = golden.truth()
    assert told["chats"] == 2
    assert found is not None
    assert 0 < found <= 2 * 1000 / 20, "two streams, a token in 20 ms each"


def test_an_endpoint_that_declines_has_no_speed():
    with Golden(key="right") as golden:
        assert measured(golden) is None


def test_one_that_is_silent_to_the_end_is_no_faster_than_its_silence_proves(monkeypatch):
    monkeypatch.setattr(speed, "LONGEST_S", 0.5)
    with Golden(token_ms=60_000) as golden:
        found = measured(golden, slots=2)
    assert found is not None
    assert 0 < found <= 2 / 0.5, "two streams, and not a token of either in half a second"
    assert tokens_a_second(2 / 6) == "0.33 tokens a second"


def test_what_a_server_counts_is_believed_up_to_what_was_asked_for():
    told = exchange(json={"choices": [], "usage": {"completion_tokens": 10**400}})
    assert speed._tokens(told) == speed.TOKENS


def test_no_more_streams_than_slots_and_never_many():
    told = {"name": "it", "url": "", "kind": "generic", "model": "m", "models": ()}
    assert [speed.streams(Endpoint(**told, slots=slots)) for slots in (None, 1, 6, 64)] == [4, 1, 6, 8]
