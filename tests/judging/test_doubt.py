"""Damage costs a verdict its proof, and gives it nothing: no READY, no FAIL, no stop."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.judging.case import bereft
from seatrial.judging.doubt import Doubt
from seatrial.records import EndpointVerdict, Finding, Judged, Outcome, Ready, Stop, Verdict
from seatrial.run.damage import Damage

NOTHING = {"planless": False, "pageless": (), "waivers": "", "fell": ()}


def verdict(word: Ready, code: int) -> Verdict:
    told = EndpointVerdict(verdict=word, reasons=(), counts={}, figures={})
    return Verdict(run="r", exit=code, endpoints={"e": told}, outcomes={})


def case(word: Outcome) -> Judged:
    found = (Finding("violation", "w", "e", "g"),)
    return Judged(case=str(word), endpoint="e", rule="r", scenario="s", suite="x", outcome=word, findings=found)


@pytest.mark.parametrize(
    ("damage", "more"),
    [
        (Damage(lost={"main": 1}), {}),
        (Damage(open=True), {}),
        (Damage(files={"writers/main-1": "a symbolic link"}), {}),
        (Damage(page="run.json is not as it was written"), {}),
        (Damage(), {"planless": True}),
        (Damage(), {"pageless": ("e",)}),
        (Damage(), {"fell": ("the record of the watch cannot be followed",)}),
    ],
)
def test_nothing_is_ready_of_which_a_part_is_lost(damage, more):
    doubt = Doubt.of(damage, **NOTHING | more)
    assert doubt.of_verdict(verdict(Ready.READY, 0)).exit == 10
    failed = doubt.of_verdict(verdict(Ready.NOT_READY, 1))
    assert failed.exit == 1
    assert [reason.word for reason in failed.endpoints["e"].reasons] == ["NOT PROVEN"]


def test_a_whole_run_is_in_no_doubt():
    whole = verdict(Ready.READY, 0)
    assert Doubt.of(Damage(), **NOTHING).of_verdict(whole) is whole


def test_what_costs_nothing_is_told_all_the_same():
    told = Doubt.of(Damage(doubled=2), **NOTHING | {"waivers": "waivers.toml is missing"})
    judged = told.of_verdict(verdict(Ready.READY, 0))
    assert judged.exit == 0
    assert judged.notices == (
        "damaged: 2 line(s) stand there twice, and count once",
        "damaged: waivers.toml is missing",
    )


def test_by_a_run_json_that_is_not_believed_no_case_is_judged():
    doubt = Doubt.of(Damage(page="run.json was changed"), **NOTHING)
    words = [
        each.outcome for each in doubt.of_cases([case(Outcome.FAIL), case(Outcome.PASS), case(Outcome.NOT_EXECUTED)])
    ]
    assert words == [Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, Outcome.NOT_EXECUTED]


@pytest.mark.parametrize(
    ("damage", "family", "silent"),
    [
        (Damage(), "STOPPED", True),
        (Damage(lost={"main": 1}), "STOPPED", True),
        (Damage(lost={"main": 1}), "WEDGED", False),
        (Damage(lost={"recorder": 1}), "STOPPED", False),
        (Damage(files={"watch/events.jsonl": "a pipe"}), "STOPPED", False),
    ],
)
def test_a_stop_counts_only_where_its_record_is_whole(damage, family, silent):
    stop = Stop(name="e", family=family, alive_at=1, dead_at=2)
    (told,) = Doubt.of(damage, **NOTHING).of_stops([stop])
    assert told.silent is silent
    assert bool(told.doubt) is not silent


def test_what_may_hang_on_a_lost_case_is_no_fail_of_its_own():
    hangs = Finding("violation", "w", "e", "g", causes=("a/b[*]",))
    mine = Judged(
        case="c/d[s]@e", endpoint="e", rule="c/d", scenario="s", suite="x", outcome=Outcome.FAIL, findings=(hangs,)
    )
    lost = replace(mine, case="a/b[t]@e", rule="a/b", scenario="t", findings=())
    assert bereft(mine, [lost], lossy=False)
    assert bereft(mine, [], lossy=True)
    assert not bereft(mine, [], lossy=False)
    assert not bereft(mine, [replace(lost, endpoint="f")], lossy=False)
    own = replace(mine, findings=(hangs, Finding("violation", "w", "e", "g")))
    assert not bereft(own, [lost], lossy=True)
