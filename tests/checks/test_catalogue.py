"""The registry, the catalogue and the schema they stand on."""

import json
from importlib import resources

import pytest

from seatrial.checks import catalogue
from seatrial.checks.rules import cases
from seatrial.oracles.derive import ROOTS, derive, normalised
from seatrial.records import Hazard
from suites.conformance import scenarios
from tests.silence.tables import SCENARIOS

DUE = {
    "http": (1, 2, 4, 5, 7, 10),
    "models": (1, 2, 4, 6),
    "chat/basic": (1, 3, 4, 5, 6, 8, 13),
    "sse": (1, 2, 3, 5, 6, 7, 8, 10, 18, 24, 26),
    "err": (1, 3, 7),
    "p": (1, 2, 3, 9, 13, 14, 26),
}


def test_every_row_that_is_due_has_a_rule():
    due = {f"{area}/{number}" for area, numbers in DUE.items() for number in numbers}
    assert len(due) == 38
    assert due <= set(catalogue.by_row())
    assert not due & set(catalogue.not_yet())


def test_every_row_of_a_conformance_rule_is_in_the_catalogue():
    rows = {r.row for r in catalogue.load_all().values() if not r.function.__module__.endswith((".soak",))}
    assert {row for row in rows if "/" in row} <= set(catalogue.rows())


def test_the_page_lists_each_rule_and_each_other_row():
    page = catalogue.markdown()
    for name in catalogue.load_all():
        assert page.count(f"| `{name}` |") == 1
    for row in catalogue.not_yet():
        assert page.count(f"| {row} |") == 1


def test_every_rule_meets_a_scenario():
    met = {rule.id for rule, _ in cases(scenarios.RULES, SCENARIOS)}
    modules = {module.__name__ for module in scenarios.RULES}
    assert met == {r.id for r in catalogue.load_all().values() if r.function.__module__ in modules}


def test_an_endpoint_is_asked_no_more_than_is_allowed():
    assert sum(len(s.requests) for s in SCENARIOS.values()) <= 150
    for scenario in SCENARIOS.values():
        assert scenario.deadline_s or scenario.hazard <= Hazard.CARELESS  # the sender has a deadline for careless ones


def test_the_schema_says_where_it_comes_from_and_knows_no_nullable():
    text = resources.files("seatrial.oracles").joinpath("openai.schema.json").read_text("utf-8")
    assert "MIT License, Copyright (c) OpenAI" in json.loads(text)["$comment"]
    assert '"nullable"' not in text


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "string", "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"$ref": "#/components/schemas/A", "nullable": True}, {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}),
        ({"properties": {"title": {"type": "string", "title": "x"}}}, {"properties": {"title": {"type": "string"}}}),
        ({"properties": {"moderation": {}}, "x-oai": 1, "format": "unixtime"}, {"properties": {}}),
    ],
)  # fmt: skip
def test_a_schema_is_normalised(given, made):
    assert normalised(given) == made


def test_only_what_answers_need_is_kept():
    empty = {name: {} for name in ROOTS}
    schemas = empty | {"CreateChatCompletionResponse": {"$ref": "#/components/schemas/A"}, "A": {}, "B": {}}
    made = derive({"x-origin": "here", "components": {"schemas": schemas}})
    assert "A" in made["$defs"]
    assert "B" not in made["$defs"]
