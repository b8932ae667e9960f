"""A case and what it hangs on: the FAIL of one rule is the reason of all that lack its answer."""

from __future__ import annotations

import datetime

import msgspec
import pytest
from msgspec.structs import replace

from seatrial.checks.catalogue import load_all
from seatrial.given.waivers import Waiver
from seatrial.judging.case import Evidenced, Terms, alone, judge_case, led
from seatrial.judging.waivers import Waivers
from seatrial.records import Exchange, Expect, Judged, Outcome, Planned
from tests.checks.specimens import EXPECT, exchange, pair, plain, refused, stream

DAY = datetime.date(2026, 1, 1)
ANSWERED = "http/valid-request-is-answered"
ROLE = "sse/role-is-sent-once"
NEXT = "errors/next-request-is-answered"
USAGE = "chat/usage-adds-up"


def waived(*cases: str) -> Waivers:
    return Waivers(tuple(Waiver(case=case, who="kim", why="known", until=DAY) for case in cases), DAY)


def name(rule: str, scenario: str = "s") -> str:
    return f"{rule}[{scenario}]@e"


def judged(
    rule: str, evidence: Exchange | dict[str, Exchange], *asked: str, scenario: str = "s", **terms: object
) -> Judged:
    """The rule's case of a scenario, in a run that asked for these cases too."""
    xs = evidence if isinstance(evidence, dict) else {"only": evidence}
    plan = Planned(case=name(rule, scenario), endpoint="e", rule=rule, scenario=scenario, suite="conformance")
    on = Evidenced(xs, {key: x.id for key, x in xs.items()}, Expect(**msgspec.structs.asdict(EXPECT)))
    given = {"waivers": waived(), "strict": False, "asked": frozenset(asked)} | terms
    return judge_case(plan, load_all()[rule], on, Terms(**given), endpoint=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [
        refused(500),
        refused(400),
        stream({}, error="cut"),
        exchange(b"", status=None, error="reset"),
        exchange(b"", status=None, error="deadline"),
    ],
)
def test_what_was_not_answered_is_the_fail_of_one_rule(answer):
    assert judged(ANSWERED, answer).outcome is Outcome.FAIL
    case = judged(ROLE, answer, name(ANSWERED))
    assert (case.outcome, case.because) == (Outcome.INCONCLUSIVE, name(ANSWERED))
    assert case.why == f"because of {name(ANSWERED)}"


def test_where_nobody_asked_for_the_cause_the_case_fails_by_itself():
    assert (judged(ROLE, refused(500)).outcome, judged(ROLE, refused(500)).because) == (Outcome.FAIL, "")


def test_where_lines_are_lost_the_cause_may_have_been_among_them():
    assert judged(ROLE, refused(500), lossy=True).outcome is Outcome.INCONCLUSIVE


def test_what_hangs_on_a_waived_cause_is_waived_with_it():
    case = judged(ROLE, refused(500), name(ANSWERED), waivers=waived(ANSWERED))
    assert (case.outcome, case.because) == (Outcome.WAIVED, name(ANSWERED))
    assert case.waiver == "kim until 2026-01-01: known"


def test_an_optional_capability_that_is_refused_hangs_on_nothing():
    several = refused(400, asked={"n": 2, "stream": True})
    assert judged(ROLE, several, name(ANSWERED)).outcome is Outcome.UNSUPPORTED


def test_a_server_that_is_busy_is_no_cause():
    case = judged(ROLE, refused(503), name(ANSWERED))
    assert (case.outcome, case.because) == (Outcome.INCONCLUSIVE, "")


def test_a_case_that_fails_by_itself_stands_by_itself():
    xs = {"short": plain({"usage": ...}), "long": plain({"usage": {"completion_tokens": 99}})}
    caps = {key: msgspec.structs.replace(x, request_json={"max_tokens": 4}) for key, x in xs.items()}
    case = judged("params/max-tokens-caps", caps, name(USAGE))
    assert (case.outcome, case.because) == (Outcome.FAIL, "")


def test_tokens_that_nobody_told_hang_on_the_rule_that_asks_for_usage():
    case = judged("chat/completion-tokens-keep-the-cap", plain({"usage": ...}), name(USAGE))
    assert (case.outcome, case.because) == (Outcome.INCONCLUSIVE, name(USAGE))


def test_a_cause_that_has_a_cause_names_that():
    """No answer, and so no usage, and so no count."""
    xs = pair(plain({"usage": ...}, asked={"max_tokens": 10})) | {"before": refused(500, scenario="chat/one-token")}
    case = judged(
        "params/bad-caps-are-refused", xs, name(USAGE, "one-token"), name(ANSWERED, "one-token"), scenario="cap"
    )
    assert case.because == name(ANSWERED, "one-token")


def test_the_next_request_hangs_on_the_same_request_before():
    ill = refused(400, scenario="chat/one-token")
    asked = name(ANSWERED, "one-token")
    case = judged(NEXT, pair(refused(), refused()) | {"before": ill}, asked, scenario="bad")
    assert (case.outcome, case.because) == (Outcome.INCONCLUSIVE, asked)
    well = plain(scenario="chat/one-token")
    assert judged(NEXT, pair(refused(), refused()) | {"before": well}, asked, scenario="bad").outcome is Outcome.FAIL


def test_of_an_earlier_run_without_a_request_before_the_next_one_is_judged_as_it_was():
    assert judged(NEXT, pair(refused(), refused(500)), scenario="bad").outcome is Outcome.FAIL
    assert judged(NEXT, pair(refused(), plain()), scenario="bad").outcome is Outcome.PASS


def test_a_cause_that_did_not_fail_after_all_leaves_a_case_without_proof():
    case = alone(judged(ROLE, refused(500), name(ANSWERED), waivers=waived(ANSWERED)))
    assert (case.outcome, case.because, case.waiver) == (Outcome.INCONCLUSIVE, "", "")
    assert "500" in case.why


REUSE = "http/connection-is-reusable"
LABELLED = "sse/stream-is-labelled"
UNTRIED = {"first": plain(), "refused": refused(connection=1), "last": plain(connection=2)}
"""A connection on which no stream was sent: whether streams are any is for another scenario to tell."""


def elsewhere(outcome: Outcome, *scenarios: str) -> dict[str, Judged]:
    """Cases of the rule on labels that did not hold in other scenarios."""
    return {
        name(LABELLED, each): Judged(
            case=name(LABELLED, each), endpoint="e", rule=LABELLED, scenario=each, suite="conformance", outcome=outcome
        )
        for each in scenarios
    }


def test_a_waived_case_of_another_scenario_excuses_nothing_unless_the_whole_rule_is_waived():
    failed = elsewhere(Outcome.WAIVED, "other")
    alone_waived = judged(REUSE, UNTRIED, failed=failed, waivers=waived(name(LABELLED, "other")))
    assert (alone_waived.outcome, alone_waived.because) == (Outcome.INCONCLUSIVE, "")
    by_rule = judged(REUSE, UNTRIED, failed=failed, waivers=waived(LABELLED))
    assert (by_rule.outcome, by_rule.because) == (Outcome.WAIVED, name(LABELLED, "other"))


def test_of_several_causes_one_that_is_not_waived_is_named():
    failed = elsewhere(Outcome.WAIVED, "a") | elsewhere(Outcome.FAIL, "b")
    case = judged(REUSE, UNTRIED, failed=failed, waivers=waived(LABELLED))
    assert (case.outcome, case.because) == (Outcome.INCONCLUSIVE, name(LABELLED, "b"))


@pytest.mark.parametrize(
    ("waiver", "outcome"),
    [("", Outcome.INCONCLUSIVE), (LABELLED, Outcome.WAIVED), (name(LABELLED, "last"), Outcome.FAIL)],
)
def test_at_the_end_of_a_chain_a_waiver_excuses_only_where_it_reaches(waiver: str, outcome: Outcome) -> None:
    covered = waived(waiver) if waiver else waived()
    last = elsewhere(Outcome.WAIVED if waiver else Outcome.FAIL, "last")[name(LABELLED, "last")]
    last = replace(last, waiver=waiver)
    between = replace(elsewhere(Outcome.INCONCLUSIVE, "between")[name(LABELLED, "between")], because=last.case)
    case = replace(elsewhere(Outcome.INCONCLUSIVE, "only")[name(LABELLED, "only")], because=between.case)
    among = {each.case: each for each in (last, between, case)}
    first = {each.case: replace(each, outcome=Outcome.FAIL, because="") for each in (between, case)} | {last.case: last}
    told = led(case, among, first, covered)
    # what hangs on a waived case and is not waived itself would be a verdict without a reason
    assert (told.because, told.outcome) == ("" if outcome is Outcome.FAIL else last.case, outcome)
    assert bool(told.waiver) is (outcome is Outcome.WAIVED)


def test_in_a_circle_nothing_is_a_cause() -> None:
    one, two, after, further = elsewhere(Outcome.INCONCLUSIVE, "one", "two", "after", "further").values()
    alone_first = {each.case: replace(each, outcome=Outcome.FAIL) for each in (one, two, after, further)}
    hanging = (
        replace(one, because=two.case),
        replace(two, because=one.case),
        replace(after, because=one.case),
        replace(further, because=after.case),
    )
    circle = {each.case: each for each in hanging}
    told = [led(each, circle, alone_first, waived()) for each in hanging]
    assert [each.outcome for each in told] == [Outcome.FAIL] * 2 + [Outcome.INCONCLUSIVE] * 2
    assert [each.because for each in told] == ["", "", one.case, one.case]
