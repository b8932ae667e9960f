"""The rules on what gets worse over a soak, on whole simulated soaks: rows, samples, meters."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from seatrial.checks.areas.soak.parts import LASTING
from seatrial.checks.areas.soak.worsening import seen
from seatrial.checks.catalogue import load_all
from seatrial.checks.rules import Rule
from seatrial.checks.running import run as run_rule
from seatrial.detectors.leak import MIB
from seatrial.detectors.words import Call, Detector
from seatrial.records import SECOND, Expect, LoadRow, Meter, Outcome, SoakRun
from seatrial.verdict.outcomes import outcome
from tests.detectors import nights
from tests.detectors.records import run_of

MINUTES = 150
RULES = {rule.id: rule for rule in load_all().values() if rule.of >= LASTING}
CAUGHT = {
    "memory leaked": "soak/memory-does-not-grow",
    "GPU memory leaked": "soak/gpu-memory-does-not-grow",
    "files leaked": "soak/files-do-not-grow",
    "threads leaked": "soak/threads-do-not-grow",
    "canary slower and slower": "soak/latency-does-not-drift",
    "canary slower from 60 % on": "soak/latency-does-not-step",
    "pace decays": "soak/pace-does-not-decay",
    "pace drops at 60 %": "soak/pace-does-not-drop",
    "errors from half time on": "soak/errors-do-not-multiply",
    "prompt cache helps less": "soak/the-prompt-cache-keeps-helping",
    "drafts taken less": "soak/drafts-stay-accepted",
    "a slot held at rest": "soak/nothing-is-held-at-rest",
    "log flooded": "soak/the-log-is-not-flooded",
}
EFFECTS = {effect.name: effect for effect in nights.EFFECTS}


def sim(seed: int = 5) -> nights.Sim:
    made = nights.Sim(np.random.default_rng(seed), MINUTES, phi=0.5, noise=0.5)
    made.work = np.full(MINUTES, 10.0)  # requests a minute: as many as tell a median
    made.broken = np.zeros(MINUTES)
    return made


def words(run: SoakRun, expect: Expect | None = None) -> dict[str, Outcome]:
    return {name: word(rule, run, expect or Expect()) for name, rule in RULES.items()}


def word(rule: Rule, run: SoakRun, expect: Expect) -> Outcome:
    findings, crashed = run_rule(rule, run, expect)
    return outcome(rule.level, findings, optional=rule.optional, crashed=bool(crashed), strict=False)


def test_every_rule_has_a_fault():
    assert set(CAUGHT.values()) == set(RULES)
    assert set(CAUGHT) == set(EFFECTS)


def test_a_clean_soak_holds():
    assert set(words(run_of(sim())).values()) == {Outcome.PASS}


@pytest.mark.parametrize("name", EFFECTS)
def test_each_fault_is_one_fail(name):
    made = sim()
    EFFECTS[name].put(made, EFFECTS[name].sizes[-1])
    failed = {rule for rule, word in words(run_of(made)).items() if word is not Outcome.PASS}
    assert failed == {CAUGHT[name]}
    findings, _ = run_rule(RULES[CAUGHT[name]], run_of(made), Expect())
    assert findings[0].grave
    assert findings[0].consequence


def test_growth_a_request_counts_canaries_too():
    made = sim()
    made.work = np.full(MINUTES, 4.0)
    made.load = np.full(MINUTES, 1.0)
    made.memory = 1000 * MIB + 5 * MIB * np.arange(MINUTES)  # a megabyte for each of these and for the canary
    got = seen(run_of(made), Expect())[Detector.MEMORY].got
    assert 1000 < float(got.rpartition(", ")[2].removesuffix(" kB a request")) < 1050


def test_what_a_prompt_cache_may_take_is_no_fail():
    made = sim()
    made.memory += 2000 * MIB * made.part
    rule = RULES["soak/memory-does-not-grow"]
    assert word(rule, run_of(made), Expect()) is Outcome.FAIL
    assert word(rule, run_of(made), Expect(settings={"cache": 8192 * MIB})) is Outcome.ADVISORY


def test_what_nobody_told_is_set_aside_and_never_holds():
    run = msgspec.structs.replace(run_of(sim()), samples=(), children=(), gpus=(), meters=(), logs=(), rows=())
    assert set(words(run).values()) == {Outcome.UNSUPPORTED}
    assert set(words(msgspec.structs.replace(run, phases=())).values()) == {Outcome.INCONCLUSIVE}


def test_a_soak_that_was_cut_short_shows_nothing():
    whole = run_of(sim())
    short = tuple(
        msgspec.structs.replace(line, at=min(line.at, whole.phases[0].at + 600 * SECOND)) for line in whole.phases
    )
    run = msgspec.structs.replace(whole, phases=short)
    assert words(run)["soak/latency-does-not-drift"] is Outcome.INCONCLUSIVE


def test_a_load_that_kept_no_times_accuses_nobody_of_being_slow_and_still_proves_a_leak():
    made = sim()
    EFFECTS["pace decays"].put(made, 40)
    EFFECTS["memory leaked"].put(made, 256)
    run = run_of(made)
    late = tuple(msgspec.structs.replace(row, intended_at=row.sent_at - SECOND) for row in run.rows)
    found = words(msgspec.structs.replace(run, rows=late))
    assert found["soak/pace-does-not-decay"] is Outcome.INCONCLUSIVE
    assert found["soak/memory-does-not-grow"] is Outcome.FAIL


def test_a_new_life_of_the_server_is_no_step_and_hides_no_leak():
    made = sim()
    made.memory -= np.where(made.part > 0.5, 300 * MIB, 0)
    run = run_of(made)
    turn = run.samples[len(run.samples) // 2].t
    lives = tuple(msgspec.structs.replace(s, incarnation="2" if s.t >= turn else "1") for s in run.samples)
    assert seen(msgspec.structs.replace(run, samples=lives), Expect())[Detector.MEMORY].word is Call.CLEAR


def test_the_time_of_a_stop_is_not_looked_at():
    made = sim()
    made.decode[60:70] = 1
    run = run_of(made)
    first = run.phases[0].at
    stopped = [[first + 3500 * SECOND, first + 4300 * SECOND]]
    assert seen(run, Expect(settings={"stopped": stopped}))[Detector.DECODE].word is Call.CLEAR


def test_what_waits_for_a_place_by_design_is_no_delay_of_ours():
    made = sim()
    EFFECTS["pace decays"].put(made, 40)
    run = run_of(made)
    words_of = ("canary", "look", "invalid")

    def late(number: int, row: LoadRow) -> LoadRow:
        beside = row if row.canary else msgspec.structs.replace(row, workload=words_of[number % 3])
        return msgspec.structs.replace(beside, intended_at=row.sent_at - 5 * SECOND)

    rows = tuple(late(n, row) if row.canary or n % 20 == 0 else row for n, row in enumerate(run.rows))
    assert words(msgspec.structs.replace(run, rows=rows))["soak/pace-does-not-decay"] is Outcome.FAIL


def test_what_others_have_in_work_is_not_held_for_us():
    made = sim()
    EFFECTS["a slot held at rest"].put(made, EFFECTS["a slot held at rest"].sizes[-1])
    run, rest = run_of(made), "soak/nothing-is-held-at-rest"
    held = run.meters[-1].running
    assert held
    slow = msgspec.structs.replace(run, rows=())  # nothing of ours is in work: all that is told is more than ours

    def told(running: int) -> Outcome:
        often = tuple(
            Meter(w="watch", t=run.phases[0].at + n * 60 * SECOND, name="8080", source="x", running=running, waiting=0)
            for n in range(1, MINUTES)
        )
        return words(msgspec.structs.replace(slow, meters=(*often, *run.meters)))[rest]

    assert told(held) is Outcome.FAIL  # a slot that was lost is told during the load too
    assert told(held + 1) is Outcome.INCONCLUSIVE
    before, after = run.counters
    moving = msgspec.structs.replace(run, counters=(before, msgspec.structs.replace(after, moving=True)))
    assert words(moving)[rest] is Outcome.INCONCLUSIVE
