"""What fails through a gateway, and how much of it fails behind it too."""

from seatrial.records import Judged, Outcome
from seatrial.verdict.gateways import shared


def case(rule, endpoint, outcome):
    return Judged(case=f"{rule}[s]@{endpoint}", endpoint=endpoint, rule=rule, scenario="s", suite="conformance",
                  outcome=outcome)  # fmt: skip


def told(*cases, behind=None):
    return list(shared([case(*each) for each in cases], behind or {"gw": "direct"}))


def test_fails_of_both_are_counted_by_rule_and_scenario():
    cases = [("a/x", "gw", Outcome.FAIL), ("a/y", "gw", Outcome.FAIL), ("a/z", "gw", Outcome.PASS)]
    behind = [("a/x", "direct", Outcome.FAIL), ("a/y", "direct", Outcome.PASS), ("a/z", "direct", Outcome.FAIL)]
    assert told(*cases, *behind) == ["gw: 1 of 2 FAILs are the backend's too (direct)"]


def test_a_waived_fail_of_the_backend_is_one():
    assert told(("a/x", "gw", Outcome.FAIL), ("a/x", "direct", Outcome.WAIVED)) == [
        "gw: 1 of 1 FAILs are the backend's too (direct)"
    ]


def test_where_nothing_fails_through_the_gateway_nothing_is_told():
    assert told(("a/x", "gw", Outcome.PASS), ("a/x", "direct", Outcome.FAIL)) == []
    assert told(("a/x", "gw", Outcome.FAIL), behind={"other": "direct"}) == []
