"""What fails through a gateway, and how much of it fails behind it too."""

from collections import Counter

from seatrial.records import Judged, Outcome
from seatrial.verdict.gateways import shared
from seatrial.verdict.reasons import folded


def case(rule, endpoint, outcome, scenario="s", because=""):
    return Judged(case=f"{rule}[{scenario}]@{endpoint}", endpoint=endpoint, rule=rule, scenario=scenario,
                  suite="conformance", outcome=outcome, because=because)  # fmt: skip


def told(*cases, behind=None):
    return list(shared([case(*each) for each in cases], behind or {"gw": "direct"}))


def test_fails_of_both_are_counted_by_rule_and_scenario():
    cases = [("a/x", "gw", Outcome.FAIL), ("a/y", "gw", Outcome.FAIL), ("a/z", "gw", Outcome.PASS)]
    behind = [("a/x", "direct", Outcome.FAIL), ("a/y", "direct", Outcome.PASS), ("a/z", "direct", Outcome.FAIL)]
    assert told(*cases, *behind) == ["gw: 1 of 2 FAILs are the backend's too (direct)"]


def test_a_waived_fail_of_the_backend_is_one():
    assert told(("a/x", "gw", Outcome.FAIL), ("a/x", "direct", Outcome.WAIVED)) == [
        "gw: 1 of 1 FAILs are the backend's too (direct, 1 waived there)"
    ]


def test_fails_are_counted_by_their_cause_as_on_the_first_screen():
    one = [case("a/x", "gw", Outcome.FAIL, scenario) for scenario in "stu"]
    hanging = case("a/y", "gw", Outcome.FAIL, because="a/x[s]@gw")
    there = [case("a/x", "direct", Outcome.PASS), case("a/x", "direct", Outcome.FAIL, "u")]
    said = list(shared([*one, hanging, *there], {"gw": "direct"}))
    assert said == ["gw: 1 of 1 FAILs are the backend's too (direct)"]
    assert len(folded([*one, hanging], Outcome.FAIL, (), Counter())) == 1


def test_what_is_waived_there_for_one_scenario_and_fails_for_another_is_not_called_waived():
    mine = [case("a/x", "gw", Outcome.FAIL, scenario) for scenario in "st"]
    there = [case("a/x", "direct", Outcome.WAIVED), case("a/x", "direct", Outcome.FAIL, "t")]
    assert list(shared([*mine, *there], {"gw": "direct"})) == ["gw: 1 of 1 FAILs are the backend's too (direct)"]


def test_where_nothing_fails_through_the_gateway_nothing_is_told():
    assert told(("a/x", "gw", Outcome.PASS), ("a/x", "direct", Outcome.FAIL)) == []
    assert told(("a/x", "gw", Outcome.FAIL), behind={"other": "direct"}) == []
