"""The prober: which page it asks for a server's health, and that a page which has a price is not asked before that."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading

import pytest

from seatrial.monitor.ladder import prober as prober_module
from seatrial.monitor.ladder.prober import Prober
from seatrial.wire.transports import probe
from tests.monitor.sites import hang, reply, site

DOOR = "/health/liveliness"
ALIVE = reply(200, b'"I\'m alive!"')


@contextlib.contextmanager
def probing(s):
    """A prober of a site, and what asks once and gives what it heard."""
    wake = os.eventfd(0)
    prober = Prober("127.0.0.1", s.url.removesuffix("/v1"), wake)

    def look():
        assert prober.ask()
        os.eventfd_read(wake)
        return prober.heard

    yield prober, look
    prober.close()
    os.close(wake)


def test_the_prober_asks_the_page_it_is_told():
    with site(livez=reply(200)) as s, probing(s) as (prober, look):
        for path, status in (("/health", 404), ("/livez", 200)):
            prober.path = path
            assert (look().status, s.asked[-1]) == (status, path)


def test_a_health_page_that_has_a_price_is_never_asked():
    with site(health=reply(200), health__liveliness=ALIVE) as s, probing(s) as (prober, look):
        assert [look().status for _ in range(3)] == [200, 200, 200]
        assert (set(s.asked), prober.path) == ({DOOR}, DOOR)


def test_who_is_there_is_asked_once_and_anew_where_another_may_have_come():
    with site(health=reply(200)) as s, probing(s) as (prober, look):
        for _ in range(3):
            look()
        assert s.asked == [DOOR, "/health", "/health", "/health"]
        s.paths[DOOR] = ALIVE
        prober.forget()
        assert look().status == 200
        assert s.asked[4:] == [DOOR]


@pytest.mark.parametrize("speak", [reply(502), reply(503), reply(429)])
def test_an_answer_of_nobody_stands_for_health_a_few_times(speak):
    with site(health=reply(200), health__liveliness=speak) as s, probing(s) as (_, look):
        heard = [look().status for _ in range(6)]
        assert heard[3:] == [200, 200, 200]
        assert 200 not in heard[:3]
        assert s.count(DOOR) == 4, "a server that fails at strange paths is asked for them no more once it is well"


@pytest.mark.parametrize("body", [b"", b"ok", b'"I am alive"', b"[" * 100_000, b'{"I\'m alive!": 1}', b"<html>"])
def test_a_page_for_any_path_is_no_sign(body):
    with site(health=reply(200, b"ok"), health__liveliness=reply(200, body)) as s, probing(s) as (_, look):
        look()
        assert look().body == b"ok"
        assert s.asked == [DOOR, "/health", "/health"]


def test_a_server_that_hangs_at_strange_paths_is_asked_for_its_health(monkeypatch):
    monkeypatch.setattr(prober_module, "DEADLINE_S", 0.1)
    with site(health=reply(200), health__liveliness=hang) as s, probing(s) as (_, look):
        heard = [look() for _ in range(4)]
        assert [h.error for h in heard[:3]] == ["deadline"] * 3
        assert heard[3].status == 200
        look()
        assert s.asked[-2:] == ["/health", "/health"]


def slowly(seconds, speak):
    """An answer that takes its time."""

    def late(handler):
        threading.Event().wait(seconds)
        speak(handler)

    return late


@pytest.mark.parametrize("door", [hang, slowly(0.45, reply(502))], ids=["hangs", "slow"])
def test_a_door_that_takes_the_time_leaves_health_a_second_of_its_own(monkeypatch, door):
    monkeypatch.setattr(prober_module, "DEADLINE_S", 0.5)
    with site(health=slowly(0.15, reply(200)), health__liveliness=door) as s, probing(s) as (_, look):
        assert [look().status for _ in range(5)][3:] == [200, 200]
        assert s.asked == [DOOR] * 3 + ["/health"] * 2


def test_where_both_hang_they_are_asked_in_turn(monkeypatch):
    monkeypatch.setattr(prober_module, "DEADLINE_S", 0.1)
    with site(health=hang, health__liveliness=hang) as s, probing(s) as (prober, look):
        assert {look().error for _ in range(6)} == {"deadline"}
        assert s.asked == [DOOR, DOOR, DOOR, "/health", DOOR, "/health"]
        s.paths[DOOR] = ALIVE
        assert look().status == 200
        assert prober.path == DOOR, "a kind that comes up late is known before its page that has a price is asked"


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def leave(handler):
    """Close without a word."""


@pytest.mark.parametrize(("speak", "word"), [(reset, "reset"), (leave, "cut")])
def test_a_server_that_breaks_off_at_strange_paths_is_asked_for_its_health(speak, word):
    with site(health=reply(200), health__liveliness=speak) as s, probing(s) as (_, look):
        heard = [look() for _ in range(6)]
        assert [h.error for h in heard[:3]] == [word] * 3
        assert [h.status for h in heard[3:]] == [200] * 3
        assert s.asked == [DOOR] * 4 + ["/health"] * 3
        s.paths["/health"] = reset
        look()
        look()
        assert s.asked[-2:] == ["/health", DOOR], "another may be there now"


def test_where_nobody_is_there_health_is_not_asked_however_long(monkeypatch):
    asked: list[str] = []
    gone = probe.ProbeAnswer(error="refused")
    monkeypatch.setattr(prober_module.probe, "get", lambda url, **_: asked.append(url.partition("/health")[2]) or gone)
    with site() as s, probing(s) as (_, look):
        assert {look().error for _ in range(8)} == {"refused"}
    assert set(asked) == {"/liveliness"}


CALLS = reply(200, {"healthy_endpoints": [{"model": "m"}], "unhealthy_endpoints": []})


def test_a_page_that_turns_out_dear_is_not_asked_again_but_another_that_answers():
    with site(health=CALLS) as s, probing(s) as (prober, look):
        assert (look().status, prober.page) == (200, "/health")
        assert [look().status for _ in range(3)] == [404] * 3
        assert s.asked == [DOOR, "/health", DOOR, DOOR, DOOR]
        assert prober.page == DOOR


def test_where_no_other_page_answers_only_the_port_is_tried():
    with site(health=CALLS, health__liveliness=reply(502)) as s, probing(s) as (prober, look):
        heard = [look() for _ in range(6)]
        assert s.count("/health") == 1
        assert {(h.status, h.error) for h in heard[4:]} == {(None, prober_module.NOT_ASKED)}
        assert prober.page == ""
        s.server.shutdown()
        s.server.server_close()
        assert look().error == "refused"
