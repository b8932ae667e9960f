"""Whether our questions end what others are being answered: who is convicted, who is trusted, who is counted."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from types import SimpleNamespace

import pytest

from seatrial.records.targets import Harm
from seatrial.wire.transports import bystanders
from seatrial.wire.transports.bystanders import Bystanders
from tests.waiting import PassingTime

ONE = Harm(cuts=1, ended=((0.0, 1.0), (0.0, 0.0)))
"""What is known where one question did harm before."""


@pytest.fixture
def hasty(monkeypatch):
    """A tenth of the time."""
    monkeypatch.setattr(bystanders, "WITHIN_S", 0.05)
    monkeypatch.setattr(bystanders, "AT_ONCE_S", 0.01)
    monkeypatch.setattr(bystanders, "STEP_S", 0.05)
    monkeypatch.setattr(bystanders, "NEXT_S", 0.4)
    monkeypatch.setattr(bystanders, "WATCHED", (20, 30))


class Server:
    """Connections by name; ``drops`` are gone as soon as a question is asked."""

    def __init__(self, *names: str) -> None:
        self.there = set(names)
        self.fresh = 0

    def look(self):
        return frozenset(self.there)

    def drop(self, n: int = 1) -> None:
        """So many end, and their users come again."""
        for name in sorted(self.there)[:n]:
            self.fresh += 1
            self.there.symmetric_difference_update({name, f"again {self.fresh:03}"})


def ask(company, server, dropped=0):
    with company.question("/chat"):
        server.drop(dropped)


def test_a_server_that_drops_the_one_it_serves_is_convicted_by_the_second_and_spared_while_one_is_open(hasty):
    server = Server("a")
    company = Bystanders(server.look)
    ask(company, server, 1)
    assert (company.cuts, company.convicted, company.held_back()) == (1, False, False)
    ask(company, server, 1)
    assert (company.cuts, company.convicted, company.held_back()) == (2, True, True)
    assert Bystanders(server.look, company.known).convicted
    server.there.clear()
    assert not company.held_back(), "nobody is there whom a question could harm"


def test_half_of_them_are_enough_and_fewer_are_not(hasty):
    for open_ones, dropped, cuts in ((2, 1, 2), (4, 2, 2), (3, 1, 0), (5, 2, 0)):
        server = Server(*map(str, range(open_ones)))
        company = Bystanders(server.look)
        for _ in range(2):
            ask(company, server, dropped)
        assert (company.cuts, company.convicted) == (cuts, cuts == 2)


def test_who_serves_all_is_trusted_and_looked_at_more_seldom(hasty):
    server = Server("a", "b")
    looks: list[int] = []
    company = Bystanders(lambda: looks.append(1) or server.look())
    for _ in range(4):
        ask(company, server)
    before = len(looks)
    for _ in range(bystanders.RARE):
        ask(company, server)
    assert len(looks) - before < 2 * bystanders.RARE
    assert (company.cuts, company.convicted) == (0, False)


def test_one_that_survives_all_that_is_open_later_drops_what_it_serves(hasty):
    server = Server("idle")
    company = Bystanders(server.look)
    for _ in range(40):
        ask(company, server)
    for _ in range(60):
        ask(company, server, 1)
    assert company.convicted, "connections that nobody used spoke for it, and not for ever"


def test_short_requests_that_come_and_go_convict_nobody(hasty):
    server, over = Server("a"), threading.Event()

    def users():
        while not over.wait(0.02):
            server.drop()

    coming = threading.Thread(target=users)
    coming.start()
    company = Bystanders(server.look)
    for _ in range(20):
        ask(company, server)
    over.set()
    coming.join()
    assert company.cuts > 1, "most questions are followed by an end"
    assert not company.convicted
    assert not Bystanders(server.look, company.known).convicted, "nor by what it hands over"


def test_where_nobody_is_connected_or_can_be_seen_nothing_waits(monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr(bystanders, "time", SimpleNamespace(sleep=waited.append, monotonic=time.monotonic))
    for look in (lambda: None, frozenset):
        company = Bystanders(look)
        for _ in range(100):
            with company.question("/chat"):
                pass
        assert waited == []
        assert (company.cuts, company.held_back()) == (0, False)


def test_what_was_known_before_counts_and_convicts_only_with_a_trial_of_its_own(hasty):
    server = Server("a")
    company = Bystanders(server.look, ONE)
    assert not company.convicted
    ask(company, server, 1)
    assert company.convicted
    assert Bystanders(server.look, company.known).convicted


def test_a_question_within_a_question_is_no_trial(hasty):
    server = Server("a")
    company = Bystanders(server.look)
    with company.question("/chat"):
        ask(company, server, 1)
    assert company.cuts == 1


def test_two_threads_ask_one_after_the_other_so_that_each_is_a_trial(hasty):
    """What one of them ends is not hidden by the other's."""
    server = Server("a")
    company = Bystanders(server.look)
    asked = threading.Event()

    def other():
        with company.question("/props"):
            asked.set()

    with company.question("/chat"):
        thread = threading.Thread(target=other)
        thread.start()
        server.drop()
    assert company.cuts == 1
    thread.join()
    assert asked.is_set()
    ask(company, server, 1)
    assert company.cuts == 2


def test_a_question_that_fails_is_a_trial_all_the_same(hasty):
    server = Server("a")
    company = Bystanders(server.look)
    with contextlib.suppress(OSError), company.question("/chat"):
        server.drop()
        raise OSError
    ask(company, server, 1)
    assert company.convicted


def test_pages_that_harm_nobody_do_not_speak_for_chats(hasty):
    server = Server("a")
    company = Bystanders(server.look)
    for path in ("/props", "/v1/models", "/api/ps") * 5:
        with company.question(path):
            pass
    ask(company, server, 1)
    ask(company, server, 1)
    assert company.convicted


class Users:
    """So many, each with one request after another, all of about the same length.

    Args:
        drops: who is served when a question comes is dropped so many seconds later.
    """

    def __init__(self, clock: PassingTime, users: int, seconds: float, *, drops: float = 0.0) -> None:
        self.clock, self.seconds, self.drops = clock, seconds, drops
        self.ends = [seconds * random.random() for _ in range(users)]

    def look(self):
        for n in range(len(self.ends)):
            while self.ends[n] < self.clock.now:
                self.ends[n] += self.seconds * random.uniform(0.9, 1.15)
        return frozenset(f"{n} until {end}" for n, end in enumerate(self.ends))

    def convict(self, every: float, times: int, cuts: int = 0) -> bool:
        """Whether so many questions, one every so often, convict, where so many cuts were handed over before."""
        company = Bystanders(self.look, ONE if cuts else None)
        for _ in range(times):
            due = self.clock.now + every
            with company.question("/chat"):
                if self.drops:
                    self.look()
                    self.ends[0] = min(self.ends[0], self.clock.now + self.drops)
            self.clock.now = max(self.clock.now, due)
            if company.convicted:
                return True
        return False


class AtOnce:
    """A thread whose work is done where it begins."""

    def __init__(self, target, args, **_) -> None:
        self.start = lambda: None
        self.work = [(target, args)]

    def join(self) -> None:
        while self.work:
            target, args = self.work.pop()
            target(*args)


@pytest.mark.parametrize(("users", "seconds"), [(1, 0.3), (1, 1.0), (2, 0.65), (2, 1.0), (2, 2.0), (4, 1.0), (4, 10.0)])
@pytest.mark.parametrize("every", [1.0, 10.0])
@pytest.mark.parametrize("cuts", [0, 1])
def test_an_hour_of_users_who_come_and_go_convicts_next_to_nobody(users, seconds, every, cuts, monkeypatch):
    """Also where their requests come in step with the questions."""
    monkeypatch.setattr(bystanders, "time", clock := PassingTime())
    monkeypatch.setattr(bystanders.threading, "Thread", AtOnce)
    random.seed(f"{users} {seconds} {every}")
    guilty = sum(Users(clock, users, seconds).convict(every, 360, cuts) for _ in range(30))
    assert guilty <= 3


@pytest.mark.parametrize(
    ("users", "seconds", "drops", "most"),
    [
        (1, 60.0, 0.02, 2), (1, 60.0, 0.3, 2), (1, 10.0, 0.02, 2), (1, 10.0, 0.3, 2), (2, 10.0, 0.02, 3),
        (1, 3.0, 0.02, 2), (1, 3.0, 0.08, 2), (1, 3.0, 0.3, 3), (1, 1.0, 0.02, 5),
    ],
)  # fmt: skip
def test_a_server_that_drops_whom_it_serves_is_convicted_soon(users, seconds, drops, most, monkeypatch):
    monkeypatch.setattr(bystanders, "time", clock := PassingTime())
    monkeypatch.setattr(bystanders.threading, "Thread", AtOnce)
    random.seed(f"{users} {seconds}")
    assert all(Users(clock, users, seconds, drops=drops).convict(10.0, most) for _ in range(30))
