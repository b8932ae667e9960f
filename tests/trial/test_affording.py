"""What a budget buys, at the speed that was measured: in order, and what is left out says how much it takes."""

from __future__ import annotations

import pytest

from seatrial.behaviour import planning
from seatrial.behaviour.planning import Tempo
from seatrial.behaviour.probe import probes
from seatrial.given.options import Options
from seatrial.records import Endpoint, Planned
from seatrial.trial.affording import afford
from seatrial.trial.selection import Selection

RULES = (*probes(), "identity/no-known-bad-build")
LOOPS = "loops/answers-do-not-loop"


def plan(rule: str, name: str = "it", suite: str = "behaviour") -> Planned:
    return Planned(case=f"{rule}[s]@{name}", endpoint=name, rule=rule, scenario="s", suite=suite)


def endpoint(name: str = "it", speed: float | None = 40.0, **fields) -> Endpoint:
    return Endpoint(name=name, url="", kind="generic", model="", models=(), speed=speed, **fields)


def afforded(budget_s: float, *ends: Endpoint, conformance: bool = True) -> Selection:
    cases = [plan(rule, each.name) for each in ends for rule in RULES]
    cases += [plan("http/x", suite="conformance")] if conformance else []
    out = Selection()
    afford(cases, Options(budget_s=budget_s), {each.name: each for each in ends}, out)
    return out


def test_a_budget_too_small_for_any_probe_leaves_nothing_of_the_suite():
    """What is known of the build is no PASS by itself, and goes with the answers."""
    out = afforded(5.0, endpoint())
    assert [case.suite for case in out.cases] == ["conformance"]
    assert out.lacking["behaviour"].startswith("--budget=5s is too little: ")
    assert [what for what, _ in out.not_tested] == ["behaviour"]


def test_a_budget_with_room_for_nothing_that_blocks_makes_nobody_ready():
    """Of a token or so a second it pays for twenty log probabilities, and they are no word on how a model behaves."""
    slow = endpoint(speed=4.0)
    assert [probe.rule.area for probe in planning.bought(probes().values(), 60.0, Tempo(4.0)).probes] == ["logprobs"]
    out = afforded(60.0, slow)
    assert [case.suite for case in out.cases] == ["conformance"]
    why = out.lacking["behaviour"]
    assert why.startswith("--budget=60s is too little: ")
    enough = float(why.partition("--budget=60s")[2].partition("--budget=")[2].partition("s ")[0])
    assert not afforded(enough, slow).lacking, "what it says would do does"
    assert afforded(enough - 1, slow).lacking
    named = [plan("logprobs/log-probabilities-are-those-of-the-answer", slow.name), plan(LOOPS, slow.name)]
    for wanted, left in ((named[:1], 1), (named, 0)):
        alone = Selection()
        afford(wanted, Options(budget_s=60.0), {slow.name: slow}, alone)
        assert len(alone.cases) == left, "one that was asked for by its name is asked"


@pytest.mark.parametrize("speed", [5.0, 8.0, 14.0, 20.0, 31.0, 40.0, 160.0])
def test_one_that_blocks_goes_before_those_that_do_not(speed):
    """A budget that has room for one never goes to others alone."""
    for budget_s in range(30, 900, 15):
        got = planning.bought(probes().values(), budget_s, Tempo(speed))
        alone = [
            p for p in probes().values() if planning.blocks(p) and planning.bought([p], budget_s, Tempo(speed)).probes
        ]
        assert any(map(planning.blocks, got.probes)) == bool(alone)


@pytest.mark.parametrize(
    "told", ["501 This server does not support chat", '400 "all-minilm" does not support chat', "405"]
)
def test_a_server_without_chat_is_asked_no_probe_and_one_that_fell_over_once_is(told):
    out = afforded(300.0, endpoint(facts={"warm-up": told}))
    assert out.lacking == {"behaviour": f"it has no chat: {told}"}
    assert not afforded(300.0, endpoint(facts={"warm-up": "500 boom"})).lacking


def test_what_does_not_fit_is_not_tested_and_says_how_much_it_takes():
    out = afforded(300.0, endpoint())
    kept = {case.rule for case in out.cases}
    left = dict(out.not_tested)
    assert LOOPS in kept
    assert {rule for rule in RULES if rule not in kept} == {what.rpartition("(")[2][:-1] for what in left}
    assert all("--budget=" in why or "context" in why for why in left.values())


def test_a_much_faster_endpoint_is_asked_no_less():
    few, many = (afforded(300.0, endpoint(speed=speed)) for speed in (20.0, 200.0))
    assert {case.rule for case in few.cases} <= {case.rule for case in many.cases}


def test_each_endpoint_is_afforded_for_itself():
    out = afforded(200.0, endpoint("slow", 2.0), endpoint("fast", 500.0))
    assert {case.endpoint for case in out.cases if case.rule == LOOPS} == {"fast"}
    assert any("of slow" in what for what, _ in out.not_tested) or not out.lacking


def test_of_an_endpoint_for_which_nothing_fits_that_is_told():
    out = afforded(200.0, endpoint("slow", 0.1), endpoint("fast", 500.0))
    assert {case.endpoint for case in out.cases if case.suite == "behaviour"} == {"fast"}
    assert dict(out.not_tested)["behaviour of slow"].startswith("--budget=200s is too little: ")


def test_what_is_bought_is_never_more_than_the_budget():
    for budget in (30.0, 180.0, 300.0, 900.0, 2700.0):
        for speed in (1.0, 10.0, 160.0):
            got = planning.bought(probes().values(), budget, Tempo(speed, context=4096))
            assert got.seconds <= planning.USED * budget
            assert set(got.left) | {probe.rule.id for probe in got.probes} == set(probes())


def test_what_follows_is_the_first_that_has_room_in_what_is_left():
    spare = [probes()["crosstalk/no-answer-tells-the-code-of-another"], probes()["instructions/instructions-are-kept"]]
    pace = Tempo(40.0)
    long, short = (planning.items_of(probe) * planning.item_s(probe, pace) for probe in spare)
    assert short < long
    assert planning.following(spare, {}, 2 * long, pace) is spare[0]
    assert planning.following(spare, {}, 2 * short, pace) is spare[1]
    assert planning.following(spare, {}, short / 2, pace) is None
    assert planning.following(spare, {spare[0].maker.name: 1000}, 0.0, pace) is spare[0], "all of it was asked already"
    assert planning.following([], {}, 1000.0, pace) is None


def test_what_the_time_alone_left_out_may_be_asked_after_all():
    found = afforded(60.0, endpoint())
    named = dict(found.not_tested)
    assert found.spare.keys() < named.keys()
    assert all("--budget=" in named[what] for what in found.spare)
    assert {rule for _, rule in found.spare.values()}.isdisjoint(case.rule for case in found.cases)


@pytest.mark.parametrize("budget", [180.0, 300.0, 900.0])
@pytest.mark.parametrize(("slow", "fast"), [(10.0, 40.0), (15.0, 40.0), (30.0, 60.0), (40.0, 160.0)])
def test_endpoints_that_are_compared_are_asked_the_same_probes(budget, slow, fast):
    """Planned each by its own speed, an incumbent at 10 tokens a second and a candidate at 40 would share none."""
    ends = [endpoint("old", slow, context=8192), endpoint("new", fast, context=8192)]
    out = afforded(budget, *ends, conformance=False)
    rules = {name: [case.rule for case in out.cases if case.endpoint == name] for name in ("old", "new")}
    assert rules["old"] == rules["new"]
    assert any(planning.blocks(probes()[rule]) for rule in rules["old"] if rule in probes())
    left = {what for what, _ in out.not_tested if " of new " in what}
    assert len(left) + len(rules["new"]) == len(RULES), "what is asked of neither is named of both"


def test_one_that_is_too_slow_for_anything_takes_nothing_from_the_others():
    """It is named, and the other has what its own speed buys."""
    alone = [case.rule for case in afforded(180.0, endpoint("new"), conformance=False).cases]
    out = afforded(180.0, endpoint("old", 0.5), endpoint("new"), conformance=False)
    assert [case.rule for case in out.cases] == alone
    assert "behaviour of old" in dict(out.not_tested)
