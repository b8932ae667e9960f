"""What keeps sending honest: what waited for others of ours is sent again alone, and what leaves at once overlaps."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from seatrial.checks import traits
from seatrial.given.options import Options
from seatrial.reading import marks
from seatrial.reading.chat import answers
from seatrial.records import LEFT, SECOND, Happening, Leaving, Marked, Request, Scenario, Wave, Width
from seatrial.trial.sending import pace
from seatrial.trial.sending import sender as sending
from seatrial.verdict import doing
from seatrial.wire.transports import http
from tests.golden.faults import legal
from tests.golden.items import Pause
from tests.golden.server import Golden
from tests.trial.senders import at_once, chat, of, sender_to


@pytest.mark.parametrize("stream", [True, False])
def test_a_request_that_waited_for_another_one_of_ours_is_sent_again_alone(trial, stream):
    """Twenty at once to a server of one slot, each of a quarter of a second: the last ones end too late, by us."""
    trial.options = Options(timeout_s=2.0)
    with Golden(["one-at-a-time"], token_ms=10) as golden:
        sender, endpoint = sender_to(trial, golden)
        came = at_once(sender, endpoint, [chat(stream=True)] * 19 + [chat(stream=stream)])
    assert [(x.status, x.error) for x in came] == [(200, "")] * 20
    assert of(trial, Happening.QUEUED)
    (said,) = doing.notices(trial.rundir.in_time())
    assert "having waited for others of this run" in said
    assert "-n 0" not in said  # there were no workers


@pytest.mark.parametrize(("slots", "sent"), [(2, 3), (8, 4), (None, 4)])
def test_what_leaves_at_once_is_worked_on_at_once(trial, slots, sent):
    """One more than there are slots; they overlap, or the server would not have worked on two at a time."""
    one = chat(stream=True).requests["only"]
    crowd = Scenario(requests={str(n): one for n in range(4)}, traits=traits.NONE, at_once=True)
    trial.options = Options(timeout_s=30.0)
    with Golden(token_ms=50) as golden:
        sender, endpoint = sender_to(trial, golden, slots=slots)
        came = sender.send("context/crowd", crowd, endpoint)
    assert [(name, x.status) for name, x in came.items()] == [(str(n), 200) for n in range(sent)]
    assert max(x.sent_at for x in came.values()) < min(x.ended_at for x in came.values())


def test_waves_are_as_wide_as_the_endpoint_and_their_marks_are_apart(trial):
    told = {"role": "user", "content": Marked(text="Repeat: {mark}")}
    echo = Request(body={"model": None, "messages": [told], "max_tokens": 30, "stream": True})
    scenario = Scenario(
        requests={"echo": echo, "leaver": msgspec.structs.replace(echo, leaves=Leaving.WORDS)},
        traits=traits.NONE,
        waves=(Wave(of=("echo",)), Wave(of=("leaver",), width=Width.ONE)),
    )
    trial.options = Options(timeout_s=30.0)
    with Golden(token_ms=20) as golden:
        sender, endpoint = sender_to(trial, golden, slots=2)
        came = sender.send("concurrency/echoes", scenario, endpoint)
    assert [(name, x.error) for name, x in came.items()] == [("echo-1.1", ""), ("echo-1.2", ""), ("leaver-2.1", LEFT)]
    said = [answers(x)[0].content for x in came.values() if not x.error]
    assert [marks.found(text) for text in said] == [
        marks.found(x.request_body.decode()) for x in list(came.values())[:2]
    ]
    assert len(set(said)) == 2


def test_where_the_server_says_that_it_has_one_slot_none_waits(trial):
    trial.options = Options(timeout_s=2.0)
    with Golden(["one-at-a-time"], token_ms=30) as golden:
        sender, endpoint = sender_to(trial, golden, slots=1)
        came = at_once(sender, endpoint, [chat(stream=True)] * 4)
    assert [(x.status, x.error) for x in came] == [(200, "")] * 4
    assert not of(trial, Happening.QUEUED)


def test_a_server_that_stalls_is_not_excused_by_our_number(trial):
    """None of ours was answered while it was silent: there was no queue."""
    with Golden(["never-answered"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        came = at_once(sender, endpoint, [chat(stream=True)] * 3)
    assert {x.error for x in came} == {"deadline"}
    assert not of(trial, Happening.QUEUED)


def test_with_slots_for_all_a_silent_stream_is_the_servers_own(trial):
    with Golden(["never-answered:0.5"], seed=3) as golden:
        sender, endpoint = sender_to(trial, golden, slots=4)
        came = at_once(sender, endpoint, [chat(stream=True)] * 4)
        assert golden.truth()["fired"]["never-answered"] == sum(bool(x.error) for x in came) > 0
    assert not of(trial, Happening.QUEUED)


def test_the_end_of_the_time_for_it_bounds_a_repetition(trial):
    trial.options = Options(timeout_s=30.0)
    with Golden(["one-at-a-time", "stall"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        x = sender.send("chat/x", chat(stream=True), endpoint, time.monotonic() + 0.5)["only"]
    assert x.error == "deadline"
    assert (x.ended_at - x.sent_at) / SECOND < trial.options.timeout_s / 2


def test_a_stalling_server_costs_three_whole_silences(trial, monkeypatch):
    monkeypatch.setattr(pace, "LEAST_S", 0.3)
    with Golden(["stall"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        trial.options = Options(timeout_s=600.0)  # nothing but patience ends a silence
        with monkeypatch.context() as brief:
            for module in (pace, sending):
                brief.setattr(module, "IDLE_S", 1.0)
            came = [sender.send(f"sse/{n}", chat(stream=True), endpoint)["only"] for n in range(3)]
        came += [sender.send(f"sse/{n}", chat(stream=True), endpoint)["only"] for n in range(3, 7)]
    took = [(x.ended_at - x.sent_at) / SECOND for x in came]
    assert min(took[:3]) > 0.9
    assert max(took[3:]) < http.IDLE_S / 2
    assert {x.error for x in came[3:]} == {"idle"}
    assert [event.text for event in of(trial, Happening.SHORTENED)] == [x.id for x in came[3:]]
    (said,) = doing.notices(trial.rundir.in_time())
    assert said == "it: after three stalls, 4 streams were given 0.3 s of silence before being given up"


def test_a_heavy_request_keeps_its_patience(trial, monkeypatch):
    monkeypatch.setattr(pace, "LEAST_S", 0.1)
    with Golden(["stall"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        for n in range(3):
            sender.send(f"sse/{n}", chat(stream=True), endpoint)
        light = chat(stream=True)
        heavy = Scenario(requests=light.requests, traits=light.traits, hazard=2)
        x = sender.send("sse/heavy", heavy, endpoint)["only"]
    assert (x.ended_at - x.sent_at) / SECOND > 0.9


def test_a_heavy_request_with_a_deadline_of_its_own_may_be_silent_until_then(trial, monkeypatch):
    monkeypatch.setattr(sending, "IDLE_S", 0.1)
    light = chat(stream=True)
    with Golden(["stall"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        long = Scenario(requests=light.requests, traits=light.traits, hazard=2, deadline_s=1.0)
        x = sender.send("context/long", long, endpoint)["only"]
    assert (x.ended_at - x.sent_at) / SECOND > 0.9


def test_a_server_that_works_on_at_what_we_gave_up_is_waited_for(trial, monkeypatch):
    """It does not see that a client has left: what was sent again waits for what was given up before."""
    monkeypatch.setattr(legal, "_in_turn", _deaf_to_leaving)
    with Golden(["one-at-a-time"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        came = at_once(sender, endpoint, [chat(stream=True)] * 3)
    assert [(x.status, x.error) for x in came] == [(200, "")] * 3
    assert len(of(trial, Happening.QUEUED)) > 1


def _deaf_to_leaving(pieces: Any, shot: Any) -> Any:
    """Each answer takes 0.6 s of the server's time from when it is its turn, whoever still listens."""
    free_at = shot.memory["free"] = max(shot.memory.get("free", 0.0), time.monotonic()) + 0.6
    yield Pause(free_at - time.monotonic())
    yield from pieces
