"""Which cases run, in which order, and what is said of those that do not."""

import pytest
from msgspec.structs import replace

from seatrial.checks.catalogue import load_all
from seatrial.given.access import Access
from seatrial.given.options import Options
from seatrial.records import Depth, Hazard, Planned
from seatrial.report.decision import page
from seatrial.trial.selection import Selection, fitting, nothing_left, rank, select, spare


def plan(rule, scenario, hazard=Hazard.POLITE, *, suite="conformance", killer=False, depth=Depth.SMALL):
    name = f"{rule}[{scenario}]@it"
    return Planned(
        case=name,
        endpoint="it",
        rule=rule,
        scenario=scenario,
        suite=suite,
        hazard=int(hazard),
        depth=int(depth),
        killer=killer,
        requests=2,
    )


PLANS = [
    plan("soak/ends", "closed", Hazard.HEAVY, suite="soak"),
    plan("errors/say-why", "bomb", Hazard.HOSTILE),
    plan("errors/say-why", "killer", Hazard.CARELESS, killer=True),
    plan("errors/say-why", "wrong-type", Hazard.CARELESS),
    plan("sse/role", "stream"),
]


def chosen(plans=PLANS, **options):
    out, given = Selection(), Options(**options)
    left = [plans[n] for n in select(plans, given, out)]
    out.cases = [left[n] for n in spare(left, given, out)]
    return [case.scenario for case in out.cases], out


def test_what_is_too_hazardous_is_left_out_and_said():
    names, out = chosen(hazard=Hazard.POLITE)
    assert names == ["stream"]
    assert dict(out.not_tested) == {
        "1 heavy cases": "--hazard=polite",
        "1 hostile cases": "--hazard=polite",
        "2 careless cases": "--hazard=polite",
        "soak": "--hazard=polite allows none of its cases",
    }


def test_a_suite_of_which_no_hazard_is_allowed_was_asked_for_unless_it_was_narrowed_away():
    _, out = chosen(hazard=Hazard.POLITE)
    assert out.asked == {"conformance": "", "soak": "--hazard=polite allows none of its cases"}
    _, out = chosen(hazard=Hazard.POLITE, case=("sse/role",))
    assert out.asked == {"conformance": ""}
    _, out = chosen(hazard=Hazard.HEAVY)
    assert out.asked == {"conformance": "", "soak": ""}


FULL = [
    plan("sse/role", "stream"),
    plan("ctx/long", "long-prompt", Hazard.HEAVY, depth=Depth.FULL),
    plan("ctx/long", "longer-prompt", Hazard.HOSTILE, depth=Depth.FULL),
    plan("http/valid-request-is-answered", "long-prompt", Hazard.HEAVY, depth=Depth.FULL),
]


def test_full_forms_are_left_out_by_rows_unless_they_are_asked_for():
    names, out = chosen(FULL)
    assert names == ["stream"]
    assert out.not_tested == [("full forms of 2 rows", "--depth=full")]
    names, out = chosen(FULL, depth=Depth.FULL)
    assert names == ["stream", "long-prompt", "long-prompt"]
    assert out.not_tested == [("1 hostile cases", "--hazard=heavy")]


def test_a_full_form_that_is_named_and_not_asked_for_is_said_by_its_option():
    _, out = chosen(FULL, case=("ctx/long",))
    assert out.asked == {"conformance": "--depth=small allows none of its cases"}
    _, out = chosen(FULL, case=("ctx/long",), depth=Depth.FULL, hazard=Hazard.CARELESS)
    assert out.asked == {"conformance": "--hazard=careless allows none of its cases"}


MADE = [plan("sse/role", "stream"), replace(plan("ctx/long", "beyond"), within=4096)]


@pytest.mark.parametrize(
    ("context", "depth", "left_out"),
    [
        (4096, Depth.SMALL, ""),
        (4097, Depth.SMALL, "a context of 4097 tokens is asked for with --depth=full"),
        (4097, Depth.FULL, ""),
        (None, Depth.FULL, "it does not tell how long its context is"),
    ],
)
def test_what_is_made_for_a_context_needs_one_that_is_known_and_short(context, depth, left_out):
    out = Selection(cases=list(MADE))
    fitting(MADE, Options(depth=depth), {"it": context}, out)
    assert [case.scenario for case in out.cases] == (["stream"] if left_out else ["stream", "beyond"])
    assert out.not_tested == ([("1 cases made for the context of it", left_out)] if left_out else [])


def test_where_no_case_is_left_it_is_said_why():
    out = Selection()
    fitting(MADE[1:], Options(), {"it": None}, out)
    assert (out.cases, out.lacking) == ([], {})
    assert nothing_left(out.not_tested) == (
        "no case is left that fits who answers: 1 cases made for the context of it: it does not tell how long its "
        "context is"
    )


@pytest.mark.parametrize(
    ("key", "left_out"),
    [
        ("sk-1", {"whether any key is taken": "a key is given"}),
        ("", {"who is let in without your key": "no key is given: --api-key-env"}),
    ],
)
def test_what_is_told_with_a_key_alone_needs_one_and_the_other_way_round(monkeypatch, key, left_out):
    load_all()
    keyed, keyless = plan("auth/missing-key-is-a-401", "keys"), plan("auth/any-key-is-taken", "dummy")
    monkeypatch.setenv("A_KEY", key)
    names, out = chosen([keyed, keyless], access=Access(key_env="A_KEY" if key else None))
    assert names == (["keys"] if key else ["dummy"])
    assert dict(out.not_tested) == left_out
    names, out = chosen([keyless] if key else [keyed], access=Access(key_env="A_KEY" if key else None))
    assert (names, out.lacking) == ([], {"conformance": next(iter(left_out.values()))})


@pytest.mark.parametrize("named", ["errors/say-why", "errors/say-why[wrong-type]", "errors/say-why[wrong-type]@it"])
def test_a_case_is_named_by_its_rule_or_in_full(named):
    names, out = chosen(case=(named,))
    assert names == (["killer", "wrong-type"] if named == "errors/say-why" else ["wrong-type"])
    assert not out.complaint
    hostile = named == "errors/say-why"
    assert out.not_tested[0] == (f"{5 - len(names) - hostile} other cases", "--case")
    assert out.not_tested[1:] == ([("1 hostile cases", "--hazard=heavy")] if hostile else [])


def test_a_name_that_was_not_collected_is_said_with_the_nearest():
    _, out = chosen(case=("sse/roles",))
    assert out.complaint == "--case: no case is called sse/roles in what was collected; nearest: sse/role"


@pytest.mark.parametrize("shuffle", [None, 1, 2])
def test_the_protocol_is_judged_first_by_hazard_and_killers_last_of_it(shuffle):
    order = sorted(PLANS, key=lambda each: rank(each, Options(shuffle=shuffle)))
    assert [each.scenario for each in order] == ["stream", "wrong-type", "killer", "bomb", "closed"]


@pytest.mark.parametrize("options", [{"case": ("a/b",)}, {"clients": ("openclaw",)}])
def test_what_was_narrowed_away_is_known_again_on_the_page_of_a_decision(options):
    plans = [
        Planned(case=f"{rule}[s]@it", endpoint="it", rule=rule, scenario="s", suite="behaviour")
        for rule in ("a/b", "c/d")
    ]
    out = Selection()
    select(plans, Options(**options), out)
    assert [why for what, why in out.not_tested if what.endswith(" other cases")]
    assert {why for what, why in out.not_tested if what.endswith(" other cases")} <= {*page.NARROWED}
