"""How long silence is borne: what is learnt of a server's pace, and from how many stalls."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.records import SECOND, Event, Happening, Record
from seatrial.trial.sending import pace
from seatrial.trial.sending.pace import Pace, Patience
from seatrial.verdict import doing
from tests.behaviour.specimens import exchange, streamed
from tests.trial.senders import ROLE, first_word_at

GIVEN = Patience(60.0, 30.0)


def stalled(after: float = 0.0, seconds: float = 30.0) -> tuple[Any, tuple[tuple[int, int], ...]]:
    """A stream that gave a byte ``after`` seconds, and then nothing for so many seconds."""
    x = streamed(ROLE, error="idle", sent_at=SECOND, ended_at=int((1 + after + seconds) * SECOND))
    return x, ((int((1 + after) * SECOND), 1),)


def well(*reads: float) -> tuple[Any, tuple[tuple[int, int], ...]]:
    frames = tuple((int((1 + at) * SECOND), 1) for at in reads)
    return streamed(ROLE, sent_at=SECOND, ended_at=frames[-1][0]), frames


def test_after_three_stalls_alike_streams_are_given_three_times_the_longest_gap(tmp_path):
    known = Pace(tmp_path)
    known.learn("it", "stream", *well(0.5, 3.0, 3.1), GIVEN)
    for n in range(3):
        assert known.patience("it", "stream", 60.0) == GIVEN, n
        known.learn("it", "stream", *stalled(), GIVEN)
    short = known.patience("it", "stream", 60.0)
    assert (short.deadline_s, short.short) == (60.0, True)
    assert short.idle_s == pytest.approx(7.5)
    assert not known.patience("it", "plain answer", 60.0).short
    assert not known.patience("other", "stream", 60.0).short
    assert Pace(tmp_path).patience("it", "stream", 60.0) == short  # another process of the run
    known.learn("it", "stream", *well(0.1), short)
    assert known.patience("it", "stream", 60.0) == GIVEN


@pytest.mark.parametrize(("answered", "given"), [(None, 15.0), (2.0, 15.0), (9.0, 27.0), (50.0, 60.0)])
def test_a_careless_request_is_given_what_a_slow_server_takes_for_a_good_one(tmp_path, answered, given):
    known = Pace(tmp_path)
    if answered is not None:
        known.learn("it", "plain answer", *well(answered), GIVEN)
        known.learn("it", "page", *well(55.0), GIVEN)
    assert known.careless("it", 60.0) == given
    assert known.careless("it", 10.0) == 10.0


def test_at_least_five_seconds_where_none_ended_well_or_quickly(tmp_path):
    known = Pace(tmp_path)
    for _ in range(3):
        known.learn("it", "stream", *stalled(), GIVEN)
    assert known.patience("it", "stream", 60.0) == Patience(60.0, 5.0, short=True)
    assert known.patience("it", "stream", 3.0) == Patience(3.0, 3.0)  # less than that was asked for


def test_one_that_ends_well_between_them_begins_the_count_anew(tmp_path):
    known = Pace(tmp_path)
    for _ in range(4):
        known.learn("it", "stream", *stalled(), GIVEN)
        known.learn("it", "stream", *stalled(), GIVEN)
        known.learn("it", "stream", *well(0.1), GIVEN)
    assert not known.patience("it", "stream", 60.0).short


def test_comments_without_end_and_no_word_are_silence_too(tmp_path):
    known = Pace(tmp_path)
    pings = tuple((n * SECOND, 8) for n in range(2, 62))
    for _ in range(3):
        x = streamed(error="deadline", sent_at=SECOND, ended_at=61 * SECOND)
        known.learn("it", "stream", x, pings, GIVEN)
    assert known.patience("it", "stream", 60.0) == Patience(5.0, 30.0, short=True)


def test_one_that_speaks_until_its_deadline_is_slow_and_not_silent():
    spoke = first_word_at(streamed(ROLE, error="deadline", sent_at=SECOND, ended_at=61 * SECOND), 60)
    assert pace.silent(spoke, ((60 * SECOND, 1),), 30.0) == ""
    assert pace.silent(streamed(ROLE, error="reset"), (), 30.0) == ""


def test_what_our_own_end_cut_short_is_no_stall():
    x, frames = stalled(seconds=3.0)
    assert pace.silent(x, frames, 30.0) == ""


def test_events_that_say_nothing_cost_no_verdict():
    odd = [
        Event(what=Happening.SHORTENED, name="it", at=0, facts={"seconds of silence": text})
        for text in ("", "x", "nan", "inf", "-inf", "1e999", "\n", "5")
    ]
    (said,) = doing.notices(Record(odd))
    assert said == "it: after three stalls, 1 request was given 5 s of silence before being given up"


def test_a_plain_answer_may_be_silent_for_as_long_as_streams_take(tmp_path):
    known = Pace(tmp_path)
    known.learn("it", "stream", *well(0.5, 9.0), GIVEN)
    for _ in range(3):
        x = exchange(error="idle", sent_at=SECOND, ended_at=31 * SECOND)
        known.learn("it", "plain answer", x, (), GIVEN)
    assert known.patience("it", "plain answer", 60.0) == Patience(60.0, 27.0, short=True)


def test_a_plain_answer_says_nothing_until_it_is_whole(tmp_path):
    known = Pace(tmp_path)
    assert known.patience("it", "plain answer", 120.0) == Patience(120.0, 120.0)
    assert known.patience("it", "stream", 120.0) == Patience(120.0, 30.0)
