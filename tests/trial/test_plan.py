"""The plan shows a server's own texts harmlessly."""

from __future__ import annotations

from seatrial.checks import catalogue
from seatrial.given.options import Options
from seatrial.records import Endpoint, Planned
from seatrial.trial.plan import announcement, not_planned
from seatrial.trial.resolve import Resolved


def test_what_a_server_calls_itself_reaches_no_terminal_raw():
    odd = "x\x1b]0;owned\x07\u202e"
    endpoint = Endpoint(
        name="e", url="http://h/v1", kind="generic", model=odd, models=(odd,), build="b" * 5000, template=odd
    )
    options = Options(endpoints={"e": endpoint.url})
    lines = list(announcement(options, {"e": endpoint}, Resolved(options, no_gpu="none"), [], []))
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 1000
    assert "x\\x1b]0;owned" in lines[1]


def planned(suite):
    return Planned(case=f"r[s]@{suite}", endpoint="e", rule="r", scenario="s", suite=suite)


def test_what_no_rule_judges_is_listed_however_long_the_soak(monkeypatch):
    told = dict(not_planned([planned("soak")], []))
    assert told["drift and leaks"] == "no rule judges them yet, however long the soak"
    rules = catalogue.by_row()
    monkeypatch.setattr(catalogue, "by_row", lambda: rules | {"load/6": []})
    assert "leaks" in dict(not_planned([planned("soak")], []))
    monkeypatch.setattr(catalogue, "by_row", lambda: rules | {"load/6": [], "load/7": []})
    assert set(dict(not_planned([planned("soak")], []))) == {"conformance", "behaviour"}


def test_rows_without_a_rule_are_counted_as_the_catalogue_has_them(monkeypatch):
    told = dict(not_planned([planned("conformance")], [("soak", "too hazardous")]))
    rows = next(what for what in told if "rows of the catalogue" in what)
    assert rows.startswith(f"{len(catalogue.not_yet())} rows of the catalogue")
    assert "soak" not in told
    monkeypatch.setattr(catalogue, "not_yet", dict)
    untold = catalogue.left_out().keys() - catalogue.by_row().keys()
    assert set(dict(not_planned([planned("conformance")], []))) == {"behaviour", "soak"} | untold
