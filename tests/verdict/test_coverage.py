"""How much of the catalogue was asked, as the first screen has it."""

from __future__ import annotations

from seatrial.records import Judged, Outcome
from seatrial.verdict.coverage import Catalogue, line

CATALOGUE = Catalogue(
    rows={"a/1": "HTTP", "a/2": "HTTP", "b/1": "tools", "c/1": "chat"},
    rules={"http/x": "a/1", "http/y": "a/1", "http/z": "a/2", "tools/x": "b/1", "soak/x": "load/1"},
)


def case(rule: str, outcome: Outcome = Outcome.PASS) -> Judged:
    return Judged(case=f"{rule}[s]@e", endpoint="e", rule=rule, scenario="s", suite="conformance", outcome=outcome)


def test_rows_are_counted_once_and_areas_named():
    cases = [case("http/x", Outcome.FAIL), case("http/y"), case("tools/x", Outcome.UNSUPPORTED), case("soak/x")]
    said = "rows: 1 of 4 asked (HTTP 1 of 2); did not apply: 1 (tools); not asked: 2, among them all of chat"
    assert line(cases, CATALOGUE) == said


def test_what_was_never_executed_was_not_asked():
    assert line([case("http/x", Outcome.NOT_EXECUTED), case("soak/x")], CATALOGUE) == "rows: 0 of 4 asked"
    both = [case("tools/x", Outcome.UNSUPPORTED), case("tools/x", Outcome.INCONCLUSIVE), case("http/z")]
    assert line(both, CATALOGUE).startswith("rows: 2 of 4 asked (HTTP 1 of 2, tools 1 of 1); did not apply: 0;")


def test_all_of_it():
    cases = [case("http/x"), case("http/z"), case("tools/x")]
    whole = Catalogue({"a/1": "HTTP", "a/2": "HTTP", "b/1": "tools"}, CATALOGUE.rules)
    said = "rows: 3 of 3 asked (HTTP 2 of 2, tools 1 of 1); did not apply: 0; not asked: 0"
    assert line(cases, whole) == said


def test_without_cases_or_a_catalogue_nothing_is_said():
    assert line([], CATALOGUE) == line([case("http/x")], Catalogue()) == ""
