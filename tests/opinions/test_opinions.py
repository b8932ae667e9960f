"""The second opinion on calls, which needs nothing that is not here; the others are asked by ``tox -e opinions``."""

from __future__ import annotations

import pytest

from seatrial.behaviour.probes.form import tools
from seatrial.records import ItemWord
from tests.behaviour.specimens import said
from tests.behaviour.test_verifiers import CALLS, JSON, SCHEMA, called, verify
from tests.opinions import calls, corpus
from tests.opinions.explained import EXPLAINED
from tests.opinions.heard import hear

ITEMS = 36


def heard():
    return hear(corpus.outputs(ITEMS), ["calls"])["calls"]


def test_both_say_the_same_of_calls_but_where_it_is_known_why():
    found = heard()
    assert found.unexplained == []
    assert found.both_good > ITEMS
    assert found.parted.keys() == {n for n, each in enumerate(EXPLAINED) if each.area == "calls"}


@pytest.mark.parametrize("slip", [lambda wanted, got: True, lambda wanted, got: wanted == got])
def test_a_slip_of_ours_is_not_explained_away(monkeypatch, slip):
    monkeypatch.setattr(tools, "_alike", slip)
    assert heard().unexplained


def test_the_comparison_is_that_of_the_leaderboard():
    wanted = [("get_weather", {"city": "New York"}), ("start_timer", {"minutes": 3})]
    assert calls.matches(tools.TOOLS, wanted, [("start_timer", {"minutes": 3}), ("get_weather", {"city": "new-york"})])
    assert not calls.matches(tools.TOOLS, wanted, [("get_weather", {"city": "New York"})])
    assert not calls.matches(tools.TOOLS, wanted[1:], [("start_timer", {"minutes": True})])
    assert not calls.matches(tools.TOOLS, wanted[1:], [("start_timer", {"minutes": 3, "city": "Oslo"})])


def test_values_that_no_program_can_hold_are_wrong_and_break_nothing():
    half = verify(JSON, "free", {"schema": SCHEMA}, said('{"age": "\\ud800"}'))
    assert (half.word, "no text" in half.why) == (ItemWord.BAD, True)
    huge = verify(
        CALLS, "single", {"calls": [("start_timer", {"minutes": 3})]}, called(("start_timer", {"minutes": 10**400}))
    )
    assert huge.word is ItemWord.BAD
    assert verify(CALLS, "single", {"calls": [("get_weather", {"city": "Oslo"})]},
                  called(("get_weather", {"city": "\ud800"}))).word is ItemWord.BAD  # fmt: skip


@pytest.mark.parametrize(("text", "word"), [
    ("It is 3 degrees.", ItemWord.GOOD), ("**3**°C", ItemWord.GOOD), ("13 degrees", ItemWord.BAD),
    ("It is 31.", ItemWord.BAD), ("-3", ItemWord.BAD), ("It is 3.5.", ItemWord.BAD),
])  # fmt: skip
def test_a_number_that_holds_the_result_is_not_the_result(text, word):
    assert verify(CALLS, "result", {"calls": [], "told": "3"}, said(text)).word is word
