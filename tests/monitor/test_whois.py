"""Who serves is asked once in each life, after what costs nothing, and of nobody whose streams that would end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from seatrial.kinds import listed
from seatrial.records import Identity, Offered
from seatrial.wire.transports import probe
from tests.monitor.sites import Climb, climb, hang, reply, site, then

MODELS = {"object": "list", "data": [{"id": "b"}, {"id": "a", "aliases": ["x"], "owned_by": "somebody"}]}
GONE = probe.ProbeAnswer(error="refused")
UP = probe.ProbeAnswer(status=200)


def identities(c: Climb) -> list[Identity]:
    return [line for line in list(c.lines) if isinstance(line, Identity)]


def test_it_is_told_once_in_each_life():
    with site(v1__models=reply(200, MODELS)) as s, climb(s.url) as c:
        (first,) = c.until(lambda: identities(c))
        assert [each.id for each in first.models] == ["a", "b"]
        assert first.models[0].aliases == ("x",)
        assert (first.name, first.build, first.at > 0) == ("a", "", True)
        for _ in range(20):
            c.tick()
        assert (len(identities(c)), s.count("/v1/models")) == (1, 1), "what tells the kind is not asked again"
        c.life.incarnation = "two"
        c.until(lambda: len(identities(c)) == 2)


def test_a_build_is_read_where_the_kind_tells_it():
    props = {"total_slots": 1, "build_info": "b6123-abc", "model_path": "/models/qwen.gguf"}
    meta = {"n_params": 7, "size": 9, "n_vocab": True, "n_embd": 3}
    models = {"data": [{"id": "chat", "meta": meta, "root": "/hub/qwen/"}]}
    with site(props=reply(200, props), v1__models=reply(200, models)) as s, climb(s.url) as c:
        (told,) = c.until(lambda: identities(c))
        assert told.build == "b6123-abc"
        assert told.models == (
            Offered(id="chat", marks={"n_params": "7", "size": "9", "root": "qwen", "file": "qwen.gguf"}),
        )
        assert (s.count("/props"), s.count("/v1/models")) == (1, 1)


def test_a_page_of_the_version_is_asked_where_a_kind_has_one():
    models = {"data": [{"id": "m", "owned_by": "vllm"}]}
    with site(v1__models=reply(200, models), version=reply(200, {"version": "0.11.0"})) as s, climb(s.url) as c:
        (told,) = c.until(lambda: identities(c))
        assert (told.build, s.count("/version")) == ("0.11.0", 1)


def test_one_that_loads_is_asked_again_and_one_that_hangs_costs_only_itself(monkeypatch):
    monkeypatch.setattr("seatrial.monitor.ladder.scheduler.LEARN_S", 0.2)
    props = reply(200, {"total_slots": 1, "build_info": "b1"})
    slots = reply(200, [{"id": 0, "is_processing": False}])
    with site(props=props, slots=slots, v1__models=then(reply(503), reply(200, MODELS))) as s, climb(s.url) as c:
        assert c.until(lambda: identities(c))[0].models
    with site(props=props, slots=slots, v1__models=hang) as s, climb(s.url) as c:
        assert c.until(lambda: identities(c))[0].models == ()
        assert s.count("/v1/models") == 3
        assert c.until(lambda: c.asks("scheduler"))[0].outcome == "ok"


def test_one_that_did_not_say_what_it_is_for_long_is_asked_who_serves_all_the_same():
    late = then(*[reply(503)] * 5, reply(404))
    with site(props=late, v1__models=reply(200, MODELS)) as s, climb(s.url) as c:
        assert c.until(lambda: identities(c))[0].models
        assert s.count("/props") == 5


def test_nothing_is_asked_of_an_engine_that_is_not_to_be_observed():
    with site(v1__models=reply(200, MODELS)) as s, climb(s.url, engine=False) as c:
        for _ in range(20):
            c.tick()
        assert s.asked == []


def test_a_server_without_a_process_to_see_is_asked_again_once_it_was_gone_and_is_back():
    with site(v1__models=reply(200, MODELS)) as s, climb(s.url) as c:
        c.life, c.prober.local = None, False
        c.until(lambda: identities(c))
        for number in (2, 3):
            c.prober.heard = GONE
            c.tick()
            c.prober.heard = UP
            c.until(lambda n=number: len(identities(c)) == n)
        assert s.count("/v1/models") == 3


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"data":[1,{"id":2},{"id":"*"}]}', b"\xff", b'{"data":{}}'])
def test_a_list_of_nothing_is_none(body):
    assert listed.offered(body) == ()


@pytest.mark.parametrize("value", [True, -1, 2**63, "7", None, 1e9, {}])
def test_a_mark_that_is_no_size_is_left_out(value: Any):
    data = {"data": [{"id": "a" * 999, "meta": {"size": value}, "aliases": [1, "b" * 999] * 99, "root": value or 0}]}
    (found,) = listed.offered(msgspec.json.encode(data))
    assert (len(found.id), len(found.aliases), len(found.aliases[0])) == (200, 16, 200)
    assert found.marks == ({"root": "7"} if value == "7" else {})
