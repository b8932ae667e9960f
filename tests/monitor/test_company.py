"""Others who are served while the ladder asks: what a server makes of them decides whether it is asked again."""

from __future__ import annotations

import pytest

from seatrial.given.errors import ConfigError
from seatrial.monitor.ladder import canary, ladder
from seatrial.records.targets import Harm
from seatrial.servers import locks
from seatrial.wire.transports import bystanders
from tests.monitor.sites import climb, events, reply, site

CHAT, SOON, PORT = "/v1/chat/completions", 0.05, 8080
HARM = Harm(cuts=2, convicted=True)
MODELS = reply(200, {"data": [{"id": "m"}]})


class Others:
    """Who is connected: by a number each, the lowest first to be dropped."""

    def __init__(self, monkeypatch, n):
        self.there, self.last = set(map(str, range(n))), n
        monkeypatch.setattr(ladder, "others", lambda port: frozenset(self.there) if port == PORT else None)
        hasty = {"WITHIN_S": 0.05, "AT_ONCE_S": 0.01, "STEP_S": 0.05, "NEXT_S": 0.4, "WATCHED": (20, 30)}
        for name, value in hasty.items():
            monkeypatch.setattr(bystanders, name, value)

    def drop(self):
        """One of them ends; its user comes again."""
        if self.there:
            self.there.remove(min(self.there))
            self.last += 1
            self.there.add(f"again {self.last:04}")

    def dropping(self, speak):
        """A page that drops one of them when it is asked for."""

        def drop(handler):
            self.drop()
            speak(handler)

        return drop


def serving():
    return site(v1__chat__completions=events("hi"), v1__models=MODELS)


@pytest.fixture
def other(monkeypatch):
    return lambda n: Others(monkeypatch, n)


def test_a_server_that_drops_whom_it_serves_is_asked_when_it_serves_nobody(other):
    users = other(1)
    with site(v1__chat__completions=users.dropping(events("hi"))) as s, climb(s.url, canary_s=SOON, port=PORT) as c:
        c.until(lambda: c.skipped("canary"), "it is held back")
        assert (s.count(CHAT), c.skipped("canary")) == (2, ["would end others' streams"])
        assert [t for t in c.troubles() if "each of 2 questions of ours" in t]
        for _ in range(20):
            c.tick()
        assert s.count(CHAT) == 2
        users.there.clear()
        c.until(lambda: s.count(CHAT) >= 3, "nobody is there whom it could harm")


def test_a_server_that_serves_all_is_asked_whoever_is_there(other):
    users = other(3)
    with site(v1__chat__completions=events("hi")) as s, climb(s.url, canary_s=SOON, port=PORT) as c:
        c.until(lambda: s.count(CHAT) >= 6)
        assert users.there == {"0", "1", "2"}
        assert not c.skipped("canary")


def test_what_it_is_is_not_asked_either_where_two_questions_did_harm_before(other):
    users = other(1)
    with serving() as s, climb(s.url, canary_s=SOON, port=PORT, harm=HARM) as c:
        for _ in range(20):
            c.tick()
        assert not s.asked
        users.there.clear()
        c.until(lambda: s.count(CHAT), "what it is was found out, and it was asked")


@pytest.mark.parametrize("error", [locks.LockTimeout, ConfigError])
def test_a_question_that_is_not_sent_is_no_trial(other, monkeypatch, error):
    users, refused, shared = other(1), [], locks.shared

    def held(*_, **__):
        refused.append(1)
        users.drop()
        raise error("held")

    with site(v1__chat__completions=events("hi")) as s, climb(s.url, canary_s=SOON, port=PORT) as c:
        c.until(lambda: s.count(CHAT))
        monkeypatch.setattr(canary.locks, "shared", held)
        c.until(lambda: len(refused) >= 4)
        monkeypatch.setattr(canary.locks, "shared", shared)
        before = s.count(CHAT)
        c.until(lambda: s.count(CHAT) > before, "it is sent again, for no question of ours ended anything")
        assert not [text for text in c.troubles() if "questions of ours" in text]


def test_of_another_host_nobody_can_say_who_is_connected(other):
    other(1)
    with site(v1__chat__completions=events("hi")) as s, climb(s.url, canary_s=SOON, port=PORT, harm=HARM) as c:
        c.prober.local = False
        c.until(lambda: s.count(CHAT) >= 2)


def test_on_another_host_no_canary_is_sent_before_it_is_known_what_answers(other):
    with site(props=reply(503), v1__chat__completions=events("hi")) as s, climb(s.url, canary_s=SOON) as c:
        c.life, c.prober.local = None, False
        c.until(lambda: s.count("/props") >= 10, "more often than on this host")
        assert not s.count(CHAT)
        s.paths["/props"] = reply(404)
        c.until(lambda: s.count(CHAT), "it is known, and no kind that has a price")


def test_with_an_engine_that_is_not_to_be_asked_nothing_is(other):
    with serving() as s, climb(s.url, canary_s=SOON, engine=False) as c:
        for _ in range(20):
            c.tick()
        assert (s.asked, c.troubles()) == ([], [])
