"""The price of an unknown server's health page: found out by its words, by the engine behind, by its time."""

from __future__ import annotations

import random

import pytest

from seatrial.kinds import detect
from seatrial.kinds.kind import Heard
from seatrial.monitor.ladder import price as price_module
from seatrial.monitor.ladder.price import CALLS, EAGER, PAIRS, UNASKED, UNREAD, WORKS, Pairs, Price
from seatrial.records import SECOND, Ask, Meter
from seatrial.wire.transports.probe import ProbeAnswer

MS = 1_000_000
LISTS = b'{"healthy_endpoints": [{"model": "m"}], "unhealthy_endpoints": [], "healthy_count": 1}'


class Engine:
    """An engine behind a gateway, read once a second by a clock of its own, while looks are asked for.

    Args:
        dear: it works for each look.
        others: in so many of a hundred seconds it works for somebody else.
        chats: a chat of ours each so many seconds, for which it works too; 0: none.
    """

    def __init__(self, *, dear: bool, others: float = 0, chats: int = 0, seed: int = 1) -> None:
        self.dear, self.others, self.chats, self.rng = dear, others, chats, random.Random(seed)
        self.now, self.work, self.looks = 100 * SECOND, 7, 0
        self.pairs = Pairs(self.now)

    def shown(self) -> Engine:
        """A chat of ours is over, which its counts have shown."""
        self.read()
        self.pairs.chatted(self.now, self.now)
        self.work += 1
        for _ in range(3):
            self.now += SECOND
            self.read()
        return self

    def read(self) -> None:
        self.pairs.read(Meter(name="b", source="s", progress=self.work, running=0), self.now)

    def second(self, *, answered: bool = True) -> None:
        """A look where one may leave, then what others do, and a reading."""
        self.now += SECOND // 10
        if self.pairs.may_ask(self.now):
            self.looks += 1
            self.work += self.dear
            self.now += 20 * MS
            self.pairs.over(self.now, answered=answered)
        self.work += self.rng.random() * 100 < self.others
        if self.chats and self.now // SECOND % self.chats == 0:
            self.work += 3
            self.pairs.chatted(self.now, self.now)
        self.now += 9 * SECOND // 10
        self.read()

    def run(self, seconds: int = 120) -> Engine:
        for _ in range(seconds):
            if self.pairs.convicted or self.pairs.free:
                break
            self.second()
        return self


def test_an_engine_that_works_at_each_look_and_at_no_other_time_works_for_them():
    engine = Engine(dear=True).run()
    assert (engine.pairs.convicted, engine.pairs.free, engine.looks) == (True, False, PAIRS)


def test_one_look_that_leaves_it_at_rest_is_enough():
    engine = Engine(dear=False).shown().run()
    assert (engine.pairs.convicted, engine.pairs.free, engine.looks) == (False, True, 1)


def test_counts_that_do_not_show_our_own_chats_show_no_look_either():
    engine = Engine(dear=False)
    engine.read()
    for _ in range(2):
        engine.pairs.chatted(engine.now, engine.now)
        for _ in range(5):
            engine.second()
    assert (engine.pairs.free, engine.pairs.blind(engine.now)) == (False, True)
    engine.shown()
    assert not engine.pairs.blind(engine.now)


def test_a_chat_before_the_first_reading_is_no_measure_and_totals_need_none():
    pairs, now = Pairs(0), 5 * SECOND
    for _ in range(3):
        pairs.chatted(now - SECOND, now)
    for second in range(6, 20):
        if pairs.may_ask(second * SECOND + MS):
            pairs.over(second * SECOND + 2 * MS, answered=True)
        pairs.read(Meter(name="b", source="totals", tokens=7, running=0), (second + 1) * SECOND)
    assert pairs.free


def test_of_two_pages_the_one_that_tells_totals_is_read():
    engine = Engine(dear=False).shown()
    for _ in range(20):
        engine.second()
        meter = Meter(name="b", source="slots", progress=engine.rng.randrange(10**9), running=0)
        engine.pairs.read(meter, engine.now)
    assert not engine.pairs.convicted
    totals = Engine(dear=True)
    for _ in range(40):
        totals.second()
        totals.pairs.read(Meter(name="b", source="totals", tokens=totals.work, running=0), totals.now)
    assert totals.pairs.convicted


def test_a_look_that_nobody_answered_shows_nothing():
    engine = Engine(dear=False).shown()
    for _ in range(5):
        engine.second(answered=False)
    assert not engine.pairs.free


@pytest.mark.parametrize("others", [10, 30, 50, 70, 90])
def test_others_who_use_the_engine_convict_no_look(others):
    wrong = sum(Engine(dear=False, others=others, seed=seed).shown().run(600).pairs.convicted for seed in range(300))
    assert wrong <= 3


@pytest.mark.parametrize("others", [10, 30])
def test_a_dear_look_is_found_out_among_others_too(others):
    found = [Engine(dear=True, others=others, seed=seed).run(600) for seed in range(100)]
    assert all(engine.pairs.convicted and not engine.pairs.free for engine in found)


def test_while_the_engine_never_rests_looks_are_rare_and_nothing_is_concluded():
    engine = Engine(dear=True, others=100).run(100)
    assert (engine.pairs.convicted, engine.pairs.free) == (False, False)
    assert 8 <= engine.looks <= 10


@pytest.mark.parametrize("every", [5, 10])
@pytest.mark.parametrize("dear", [True, False])
def test_chats_of_ours_are_not_taken_for_looks(every, dear):
    engine = Engine(dear=dear, chats=every).run(200)
    assert (engine.pairs.convicted, engine.pairs.free) == (dear, not dear)
    assert engine.looks <= EAGER + 12


def test_an_engine_that_counts_nothing_shows_nothing():
    pairs = Pairs(0)
    for second in range(30):
        pairs.read(Meter(name="b", source="s", running=1), second * SECOND)
    assert pairs.blind(30 * SECOND)
    assert not pairs.convicted


# the price of one endpoint


@pytest.fixture
def clock(monkeypatch):
    """The time that a price sees; a test moves it."""
    now = [100 * SECOND]
    monkeypatch.setattr(price_module.time, "monotonic_ns", lambda: now[0])
    return now


def looked(price: Price, body: bytes = b'{"status":"ok"}', took: int = 2 * MS, error: str = "") -> None:
    price.looked(ProbeAnswer(status=None if error else 200, body=body, took_ns=took, error=error))


def chat(took: int, name: str = "a") -> Ask:
    return Ask(name=name, rung="canary", id="canary-1", asked_at=SECOND, ended_at=SECOND + took, outcome="ok")


def test_an_answer_that_lists_what_it_called_is_the_last_one_whatever_kind_answers():
    said: list[str] = []
    price = Price("a", say=said.append)
    price.instead = "/livez"
    price.met(known=True)
    assert price.may_ask()
    looked(price, LISTS)
    assert (price.may_ask(), price.why) == (False, CALLS)
    price.met(known=True)
    price.forget()
    looked(price, LISTS)
    assert (price.may_ask(), said) == (False, [f"{CALLS}; it is not asked any more, but GET /livez"])


@pytest.mark.parametrize(
    "body",
    [b"", b'{"status":"ok"}', b'["healthy_endpoints"]', b'{"healthy_endpoints": 3}', b'"healthy_endpoints"',
     b'{"healthy_endpoints": [', b'{"message": "\\"healthy_endpoints\\": []"}', b"[" * 9_999 + b'"healthy_endpoints"'],
)  # fmt: skip
def test_other_answers_have_no_price_in_their_words(body):
    assert not detect.priced(Heard(body))


@pytest.mark.parametrize("body", [LISTS, b'{"unhealthy_endpoints": [{"error": "500"}]}'])
def test_so_do_these(body):
    assert detect.priced(Heard(body))


@pytest.mark.parametrize("dear", [True, False])
def test_a_gateway_is_found_out_by_the_engine_behind(clock, dear):
    said: list[str] = []
    price, asked, work = Price("gw", "b", learns=True, say=said.append), 0, 0
    price.met(known=True)  # it hands on the dialect of what stands behind it, and may be dear all the same
    for second in range(60):
        if second == 5:  # a chat of ours, which the counts show
            price.take(Ask(name="b", rung="canary", id="canary-1", asked_at=clock[0], ended_at=clock[0], outcome="ok"))
        if price.may_ask():
            asked += 1
            work += dear
            looked(price)
        clock[0] += SECOND
        work += second == 5
        price.take(Meter(name="b", source="s", progress=work, running=0))
        price.take(Meter(name="other", source="s", progress=clock[0], running=1))
    assert price.may_ask() is not dear
    assert asked == PAIRS if dear else asked >= 45
    assert said == ([f"{WORKS}; it is not asked any more, but whether its port takes connections"] if dear else [])


def test_where_nothing_can_be_seen_of_the_engine_the_price_is_called_unknown_and_the_page_is_asked(clock):
    said: list[str] = []
    price = Price("gw", "b", learns=True, say=said.append)
    assert not price.may_ask()
    clock[0] += 21 * SECOND
    assert [price.may_ask() for _ in range(3)] == [True] * 3
    assert said == [UNREAD]
    price = Price("gw", "b", learns=False, say=said.append)
    assert [price.may_ask() for _ in range(3)] == [True] * 3
    assert said == [UNREAD, UNASKED]


def test_a_server_without_anything_behind_it_is_asked_and_nothing_is_said():
    said: list[str] = []
    price = Price("a", say=said.append)
    for _ in range(40):
        assert price.may_ask()
        looked(price)
    assert said == []


TIMED = {
    "as long as a chat": (210 * MS, "", 230 * MS, True),
    "given up each time": (800 * MS, "deadline", 2000 * MS, True),
    "slow, and chats slower": (300 * MS, "", 600 * MS, False),
    "quick chats tell nothing": (40 * MS, "", 45 * MS, False),
    "quick": (2 * MS, "", 230 * MS, False),
    "refused": (2 * MS, "refused", 230 * MS, False),
}


@pytest.mark.parametrize("case", TIMED)
def test_a_look_that_never_takes_less_time_than_a_chat_is_taken_for_one(case):
    look, error, took, dear = TIMED[case]
    price = Price("a")
    price.met(known=False)
    for _ in range(12):
        looked(price, took=look, error=error)
    price.take(chat(took))
    assert price.may_ask()
    price.take(chat(took, "b"))
    assert price.may_ask(), "one chat is no measure, nor one of another's"
    price.take(chat(took))
    assert price.may_ask() is not dear


def test_one_quick_look_shows_that_looks_are_no_chats_and_a_known_kind_is_not_measured():
    quick, known = Price("a"), Price("a")
    quick.met(known=False)
    known.met(known=True)
    looked(quick, took=3 * MS)
    for price in (quick, known):
        for _ in range(12):
            looked(price, took=210 * MS)
        for _ in range(3):
            price.take(chat(230 * MS))
        assert price.may_ask()
