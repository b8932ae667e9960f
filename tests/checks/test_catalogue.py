"""The registry, the catalogue and the schema they stand on."""

from __future__ import annotations

import json
import pkgutil
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from seatrial.behaviour.probe import probes
from seatrial.checks import areas, catalogue, crowds, traits
from seatrial.checks.rules import rule
from seatrial.oracles.derive import ROOTS, derive, normalised
from seatrial.records import Depth, Exchange, Expect, Hazard, Level
from tests.silence.tables import SCENARIOS, SENT

IDS = Path(__file__).parents[1] / "data" / "rule-ids.txt"
"""Every id a rule ever had: records and waivers of users hold them."""

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


def test_no_id_of_a_rule_changes():
    assert set(IDS.read_text("utf-8").split()) <= set(catalogue.load_all())


def test_every_area_of_rules_has_a_page_and_every_page_rules():
    areas_of_rules = {r.area for r in catalogue.load_all().values()}
    assert areas_of_rules - set(catalogue.areas()) == set(), "areas without [areas.NAME] in rows.toml"
    assert set(catalogue.areas()) - areas_of_rules == set(), "entries of rows.toml without a rule"


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("area", sorted(module.name for module in pkgutil.iter_modules(areas.__path__)))
def test_an_area_has_the_same_stem_in_all_four_trees(area):
    for tree, name in (
        ("src/seatrial/checks/areas", area),
        ("suites/**", f"test_{area}"),
        ("tests/golden/faults", area),
        ("tests/checks", f"test_{area}"),
    ):
        held = [*ROOT.glob(f"{tree}/{name}.py"), *ROOT.glob(f"{tree}/{name}/__init__.py")]
        assert held or [*ROOT.glob(f"{tree}/{name}_*.py")], f"{tree} has no {name}"  # a big area's, in several files


def test_every_rule_is_held_against_answers_built_in_memory():
    """By its id or its function: a good answer that it leaves alone, and a bad one that it names."""
    texts = [
        path.read_text("utf-8")
        for room in ("checks", "behaviour")
        for path in (ROOT / "tests" / room).glob("test_*.py")
    ]
    told = "\n".join(texts)
    lacking = [r.id for r in catalogue.load_all().values() if r.id not in told and r.function.__name__ not in told]
    assert lacking == []


def test_the_order_of_impact_is_one():
    places: dict[int, list[str]] = {}
    for name, area in catalogue.areas().items():
        places.setdefault(area.impact, []).append(name)
    assert {place: names for place, names in places.items() if len(names) > 1} == {}
    assert min(places) > 0


def test_a_rule_stands_for_a_row_of_its_area():
    known = {row.rpartition("/")[0] for row in catalogue.rows()}
    assert {name for area in catalogue.areas().values() for name in area.rows} <= known
    for each in catalogue.load_all().values():
        of = catalogue.areas()[each.area].rows
        assert each.row.rpartition("/")[0] in of if of else each.row not in catalogue.rows(), each.id
        assert not of or each.row in catalogue.rows(), f"{each.id}: the catalogue has no row {each.row}"


def test_a_rule_of_a_row_with_parts_stands_for_some_of_them():
    """And no other rule names a part."""
    for each in catalogue.load_all().values():
        parts = catalogue.entries()[each.row].parts if each.row in catalogue.entries() else ()
        assert set(each.parts) <= set(parts), each.id
        assert bool(each.parts) == bool(parts), each.id
    for row in catalogue.entries().values():
        assert len(set(row.parts)) == len(row.parts) != 1, row


def test_a_row_is_done_when_each_of_its_parts_has_a_rule(monkeypatch):
    row = catalogue.Entry(title="two things", parts=("one", "another"))
    monkeypatch.setattr(catalogue, "entries", lambda: {"sse/6": row})
    monkeypatch.setattr(catalogue, "by_row", lambda: {"sse/6": []})
    assert catalogue.open_parts() == {"sse/6": ["one", "another"]}
    made = catalogue.load_all()["sse/role-is-sent-once"]
    monkeypatch.setattr(catalogue, "by_row", lambda: {"sse/6": [replace(made, parts=("one",))]})
    assert catalogue.open_parts() == {"sse/6": ["another"]}
    assert "| sse/6 | another |" in catalogue.markdown()
    monkeypatch.setattr(catalogue, "by_row", lambda: {"sse/6": [replace(made, parts=("another", "one"))]})
    assert catalogue.open_parts() == {}


def test_every_area_of_the_catalogue_has_a_name_for_the_screen():
    assert len(set(catalogue.named().values())) == len({catalogue.area_of(row) for row in catalogue.rows()})


def test_every_trait_is_borne_by_a_scenario_and_read_by_somebody():
    rules = catalogue.load_all().values()
    borne = {t for scenario in SENT.values() for t in scenario.traits}
    read = {t for r in rules for t in r.of | r.unless} | traits.KILLER
    assert borne == read == set(traits.DECLARED.values())


@pytest.mark.parametrize("of", ["of", "unless"])
def test_a_trait_that_nobody_declared_is_an_error(of):
    def says_nothing(x: Exchange, expect: Expect):
        """Nothing."""

    with pytest.raises(ValueError, match="no trait 'strem' is declared"):
        rule(row="sse/1", level=Level.MUST, source="", area="sse", **{of: frozenset({"strem"})})(says_nothing)


def test_a_rule_outside_the_areas_has_to_name_its_own():
    def says_nothing(x: Exchange, expect: Expect):
        """Nothing."""

    with pytest.raises(ValueError, match="say its area"):
        rule(row="sse/1", level=Level.MUST, source="")(says_nothing)


def test_a_trait_is_declared_once():
    with pytest.raises(ValueError, match="declared twice"):
        traits.trait("stream")


def test_the_page_lists_each_rule_and_each_other_row():
    page = catalogue.markdown()
    for name in catalogue.load_all():
        assert page.count(f"| `{name}` |") == 1
    assert "| tools/4 | a model's own choice" in page
    for row in catalogue.not_yet():
        assert page.count(f"| {row} |") == 1


def test_every_rule_meets_a_scenario():
    assert {rule.id for rule, _ in catalogue.cases(SENT)} == set(catalogue.load_all())


def test_a_scenario_of_its_own_is_judged_by_the_rules_that_name_it_alone():
    met: dict[str, set[str]] = {}
    for each, on in catalogue.cases(SENT):
        met.setdefault(on, set()).add(each.area)
    assert met["answers"] == {probe.rule.area for probe in probes().values()} | {"models"}
    assert met["closed"] == {"soak", "ops"}
    assert met["identity"] == {"identity"}


def test_an_endpoint_is_asked_no_more_than_is_allowed():
    assert sum(crowds.size(s) for s in SCENARIOS.values() if s.depth is Depth.SMALL) <= 780
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
