"""Who sends next: closed users by themselves, the others what arrives, and a canary in the place of one of ours."""

from __future__ import annotations

import gevent
from gevent.event import Event

from load import desk as desks
from load.desk import Desk
from load.users.asked import Sending
from load.users.ticket import Ticket

OWN, CANARY = Sending(b"own", "chat"), Sending(b"canary", "canary", canary=True)


def test_numbers_are_free_again_when_a_user_has_left() -> None:
    desk = Desk(Event())
    assert [desk.enter() for _ in range(3)] == [0, 1, 2]
    desk.leave(1)
    assert [desk.enter(), desk.enter()] == [1, 3]


def test_closed_users_and_places(monkeypatch) -> None:
    monkeypatch.setattr(desks, "JITTER_S", 0.0)
    stopped = Event()
    desk = Desk(stopped)
    desk.admit(2, lambda: OWN, "closed")
    first = desk.take(0)
    assert first is not None
    assert (first.asked, first.phase, first.patient, desk.busy) == (OWN, "closed", True, 1)
    assert desk.hurry(Ticket(CANARY, "closed"))
    assert not desk.hurry(Ticket(CANARY, "closed"))  # the one before it still waits
    second = desk.take(1)
    assert second is not None
    assert (second.asked, second.patient, desk.busy) == (CANARY, False, 2)
    assert not desk.quiet(0)
    desk.done()
    desk.done()
    assert desk.quiet(0)

    idle = [gevent.spawn(desk.take, number) for number in (2, 3)]
    gevent.sleep(0)
    arrives = [Ticket(OWN, "open", at=n) for n in (1, 2, 3)]
    assert [desk.offer(ticket) for ticket in arrives] == [True, True, False]
    gevent.joinall(idle)
    assert [task.value for task in idle] == arrives[:2]

    desk.dismiss()
    waiting = [gevent.spawn(desk.take, number) for number in range(3)]
    gevent.sleep(0)
    desk.admit(1, lambda: OWN, "fill")  # one of those who wait sends by himself again
    waiting[0].join()
    stopped.set()
    desk.stop()
    gevent.joinall(waiting)
    assert [task.value and task.value.phase for task in waiting] == ["fill", None, None]


def test_what_waits_for_the_place_of_a_closed_user_is_not_sent_in_a_later_phase(monkeypatch) -> None:
    monkeypatch.setattr(desks, "JITTER_S", 0.0)
    desk = Desk(Event())
    desk.admit(1, lambda: OWN, "closed")
    assert desk.hurry(late := Ticket(CANARY, "closed"))
    assert desk.dismiss() == [late]
    desk.admit(1, lambda: OWN, "fill")
    sent = desk.take(0)
    assert sent is not None
    assert (sent.asked, sent.phase) == (OWN, "fill")
