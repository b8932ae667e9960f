"""The plan shows a server's own texts harmlessly."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.checks import catalogue
from seatrial.checks.catalogue import load_all
from seatrial.given.options import Options
from seatrial.given.soak import SoakAsked
from seatrial.records import Endpoint, Planned
from seatrial.trial.plan import announcement, not_planned
from seatrial.trial.resolve import Resolved
from seatrial.trial.selection import lacks


def test_what_a_server_calls_itself_reaches_no_terminal_raw():
    odd = "x\x1b]0;owned\x07\u202e"
    endpoint = Endpoint(
        name="e", url="http://h/v1", kind="generic", model=odd, models=(odd,), build="b" * 5000, template=odd
    )
    options = Options(endpoints={"e": endpoint.url})
    lines = list(announcement(options, {"e": endpoint}, Resolved(options, no_gpu="none"), [], [], Path("run")))
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 1000
    assert "x\\x1b]0;owned" in lines[1]


def planned(suite):
    return Planned(case=f"r[s]@{suite}", endpoint="e", rule="r", scenario="s", suite=suite)


def test_suites_that_were_not_asked_for_are_listed():
    assert set(dict(not_planned([planned("soak")], []))) == {"conformance", "behaviour"}


@pytest.mark.parametrize(
    ("soak_s", "lacking"),
    [(60, {"growth, decay, rising errors", "drift of latency"}), (1800, {"drift of latency"}), (9000, set())],
)
def test_what_a_soak_is_too_short_for_is_not_planned_and_the_plan_says_what_is_seen(soak_s, lacking):
    options = Options(endpoints={"e": "http://h/v1"}, soak_s=soak_s, soak=SoakAsked(seconds=soak_s))
    load_all()
    rules = ("soak/memory-does-not-grow", "soak/latency-does-not-drift", "soak/streams-terminate")
    found = [lacks(rule, options) for rule in rules]
    assert {what for what, _ in filter(None, found)} == lacking
    cases = [planned("soak")]
    lines = list(announcement(options, {}, Resolved(options, no_gpu="none"), cases, [], Path("run")))
    shows = next(line for line in lines if "the soak shows growth" in line)
    assert ("not tested" in shows) == bool(lacking)


def test_rows_without_a_rule_are_counted_as_the_catalogue_has_them(monkeypatch):
    told = dict(not_planned([planned("conformance")], [("soak", "too hazardous")]))
    rows = next(what for what in told if "rows of the catalogue" in what)
    assert rows.startswith(f"{len(catalogue.not_yet())} rows of the catalogue")
    assert "soak" not in told
    monkeypatch.setattr(catalogue, "not_yet", dict)
    untold = catalogue.left_out().keys() - catalogue.by_row().keys()
    assert set(dict(not_planned([planned("conformance")], []))) == {"behaviour", "soak"} | untold
