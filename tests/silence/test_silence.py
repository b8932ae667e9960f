"""The self-test holds, and can fail: a fault nobody finds and a rule nobody misses are named."""

import pytest

from seatrial.records import Outcome
from tests.silence import verdict as verdicts
from tests.silence.trial import RULES, ask, catches, listed, silenced

pytestmark = pytest.mark.xdist_group("silence")  # one worker asks, all tests read

ROLE = RULES["sse/role-is-sent-once"]


@pytest.fixture(scope="module")
def verdict() -> verdicts.Verdict:
    return verdicts.hold()


def test_the_suite_is_silent_where_it_should_be_and_nowhere_else(verdict):
    assert verdict.wrong == []


def test_every_rule_and_every_listed_fault_is_in_the_table(verdict):
    table = "\n".join(verdict.table())
    assert set(verdict.missed) == set(RULES)
    assert all(name in table for name in (*RULES, *listed()))
    assert table.endswith(f"rules {len(RULES)}, faults {len(listed())}, caught: all")


def test_a_fault_that_is_not_found_is_named():
    verdict = verdicts.Verdict({ROLE.id: ROLE})
    honest = ask([ROLE])
    verdicts._catch(verdict, {name: honest for name, fault in listed().items() if fault.caught_by == ROLE.id})
    assert "role-never: sse/role-is-sent-once finds nothing in stream" in "\n".join(verdict.wrong)
    assert "NOT CAUGHT" in verdicts._told(verdict.caught[ROLE.id])


def test_a_rule_that_is_not_missed_is_named():
    verdict = verdicts.Verdict(caught={ROLE.id: {}})
    verdicts._silence(verdict, {})
    assert verdict.wrong == ["sse/role-is-sent-once: silenced, and nothing of it is missed"]


def test_a_silenced_rule_finds_nothing():
    pieces = ask([ROLE], ("role-never",))
    assert catches(ROLE, pieces) is Outcome.FAIL
    assert catches(silenced(ROLE), pieces) is None


def test_a_rule_no_scenario_reaches_is_named():
    verdict = verdicts.Verdict({ROLE.id: ROLE})
    verdicts._leave_alone(verdict, "golden", [])
    assert verdict.wrong == ["sse/role-is-sent-once: no scenario has its traits"]


def test_one_rule_can_be_tried_alone():
    verdict = verdicts.hold(ROLE.id)
    assert verdict.wrong == []
    assert set(verdict.caught) == {ROLE.id}
