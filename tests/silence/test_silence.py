"""The self-test holds, and can fail: a fault nobody finds and a rule nobody misses are named."""

from dataclasses import replace

import pytest

from seatrial.records import Outcome
from tests.silence import trial
from tests.silence import verdict as verdicts
from tests.silence.trial import RULES, ask, catches, listed, silenced

pytestmark = [pytest.mark.xdist_group("silence"), pytest.mark.early]  # one worker asks, all tests read

ROLE = RULES["sse/role-is-sent-once"]
LIST = RULES["models/list-has-its-shape"]
"""Of one short scenario: to be tried on every server in a second."""


@pytest.fixture(scope="module")
def verdict() -> verdicts.Verdict:
    return verdicts.hold(whole=False)


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
    (line,) = [each for each in verdict.wrong if each.startswith("role-never: sse/role-is-sent-once finds nothing in ")]
    assert "stream" in line.partition(" finds nothing in ")[2].split(", ")
    assert "NOT CAUGHT" in verdicts._told(verdict.caught[ROLE.id])


def test_a_rule_that_is_not_missed_is_named(monkeypatch):
    monkeypatch.setattr(trial, "silenced", lambda rule: rule)  # a mute that speaks
    verdict = verdicts.Verdict({ROLE.id: ROLE})
    evidence = {"role-never": ask([ROLE], ("role-never",))}
    verdicts._catch(verdict, evidence)
    verdicts._silence(verdict, evidence)
    assert verdict.wrong == ["sse/role-is-sent-once: silenced, and nothing of it is missed"]


def test_a_mute_rule_makes_the_catching_say_what_it_misses():
    evidence = {"role-never": ask([ROLE], ("role-never",))}
    with trial.muted(ROLE.id):
        verdict = verdicts.Verdict({ROLE.id: RULES[ROLE.id]})
        verdicts._catch(verdict, evidence)
    assert [line.partition(" in ")[0] for line in verdict.wrong] == ["role-never: sse/role-is-sent-once finds nothing"]
    assert RULES[ROLE.id] is ROLE


def test_the_suite_itself_does_not_hold_with_a_mute_rule():
    with trial.muted(LIST.id):
        wrong = verdicts.hold(LIST.id, whole=False).wrong
    for fault in ("models-a-bare-list", "models-object-wrong", "models-data-an-object"):
        assert any(line.startswith(f"{fault}: {LIST.id} finds nothing in ") for line in wrong)


def test_a_rule_without_a_fault_and_a_fault_without_a_rule_are_named(monkeypatch):
    named = {"role-never": ROLE.id, "lost": "sse/no-such-rule"}
    table = {name: replace(listed()["role-never"], name=name, caught_by=rule) for name, rule in named.items()}
    monkeypatch.setattr(verdicts, "listed", lambda: table)
    other = "sse/no-event-is-empty"
    verdict = verdicts.Verdict({ROLE.id: ROLE, other: RULES[other]})
    verdicts._list(verdict)
    assert verdict.wrong == [
        "sse/no-event-is-empty: no fault is listed for it",
        "sse/no-such-rule: named by a fault, and no rule is called so",
    ]


def test_a_silenced_rule_finds_nothing():
    pieces = ask([ROLE], ("role-never",))
    assert catches(ROLE, pieces) is Outcome.FAIL
    assert catches(silenced(ROLE), pieces) is None


def test_a_rule_no_scenario_reaches_is_named():
    verdict = verdicts.Verdict({ROLE.id: ROLE})
    verdicts._leave_alone(verdict, "golden", [])
    assert verdict.wrong == ["sse/role-is-sent-once: no scenario has its traits"]


def test_one_rule_can_be_tried_alone():
    verdict = verdicts.hold(LIST.id, whole=False)
    assert verdict.wrong == []
    assert set(verdict.caught) == {LIST.id}
