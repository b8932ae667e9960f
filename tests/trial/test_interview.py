"""The whole way, in process: questions to the golden server, its faults, and a budget that holds whatever it does."""

import threading
import time

import pytest
from msgspec.structs import replace

from seatrial.behaviour.items import number_of
from seatrial.behaviour.planning import Tempo
from seatrial.behaviour.probe import probes
from seatrial.behaviour.probes.steady import again
from seatrial.behaviour.probes.talk import questions
from seatrial.checks import running
from seatrial.given.options import Options
from seatrial.records import SECOND, Expect, ItemWord, Outcome
from seatrial.trial.asking.interview import Spare
from seatrial.verdict.outcomes import outcome
from tests.behaviour.specimens import refused, said, to
from tests.golden.server import Golden
from tests.trial.asking import TALK, Sender, Trial, ask

BUDGET_S = 60.0
FAST = Tempo(10_000.0)


class Slow(Sender):
    """Every answer takes ``seconds``, or is cut at its deadline."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.sent = seconds, 0
        self.late = 0.0  # by how much the machine made us wait longer than we meant to
        self.never = threading.Event()

    def send(self, name, scenario, endpoint, until=None):
        self.sent += 1
        (key,) = scenario.requests
        made = to(key, said("Yes."))
        sent_at = time.monotonic_ns()
        wanted = min(self.seconds, scenario.deadline_s)
        self.never.wait(wanted)
        self.late += max(0.0, (time.monotonic_ns() - sent_at) / SECOND - wanted)
        error = "deadline" if self.seconds > scenario.deadline_s else ""
        return {key: replace(made, sent_at=sent_at, ended_at=time.monotonic_ns(), error=error)}


def is_short(name):
    return questions.TALK.family(number_of(name)) in questions.SHORT


def words(interview):
    expect = Expect(settings=dict(interview.settings))
    out = {}
    for probe in TALK:
        findings, crashed = running.run(probe.rule, interview.exchanges, expect)
        assert not crashed
        out[probe.rule.area] = outcome(probe.rule.level, findings)
    return out


@pytest.mark.parametrize("thinking", [False, True])
def test_the_golden_server_passes(thinking):
    with Golden(thinking=thinking) as golden:
        held = ask(golden.url, BUDGET_S, model=golden.model, slots=4, cap_factor=4.0 if thinking else 1.0)
    assert 36 <= len(held.exchanges) < 36 + 8, "each test has ended, and those beside the last one were on their way"
    assert set(words(held).values()) == {Outcome.PASS}


@pytest.mark.parametrize(
    ("fault", "fails"),
    [("loop:0.3", "loops"), ("drift-loop:0.3", "loops"), ("loop-in-thought:0.3", "loops"), ("leak:0.3", "markers"),
     ("leak-think:0.3", "markers"), ("no-stop:0.3", "stops"), ("truncated-answer:0.3", "stops")],
)  # fmt: skip
def test_each_fault_fails_its_rule_and_never_the_others_but_by_its_length(fault, fails):
    with Golden(faults=(fault,)) as golden:
        held = ask(golden.url, BUDGET_S, model=golden.model, slots=4)
    got = words(held)
    assert got[fails] is Outcome.FAIL
    runs_on = {"loops", "stops"} if "loop" in fault else {fails}
    assert {name for name, word in got.items() if word is not Outcome.PASS} <= runs_on


def test_what_is_counted_is_what_the_golden_server_did():
    with Golden(faults=("leak:0.3",)) as golden:
        held = ask(golden.url, BUDGET_S, model=golden.model, slots=4)
        fired = golden.truth()["fired"]["leak"]
    items = TALK[2].rule.items(held.exchanges, Expect(settings=dict(held.settings)))
    leaking = [item for item in items if item.word is ItemWord.BAD]
    assert len(leaking) == fired > 0
    assert all("<|im_end|>" in item.why for item in leaking)


@pytest.mark.parametrize("seconds", [0.3, 0.55, 60.0])
def test_a_slow_server_costs_at_most_120_percent_of_the_budget(seconds):
    sender, began = Slow(seconds), time.monotonic()
    held = ask("http://127.0.0.1:9/v1", 1.0, sender=sender, slots=4)
    assert time.monotonic() - began < 1.2 + 0.3 + sender.late  # threads and assertions have their own time
    assert len(held.exchanges) == sender.sent >= 4
    assert len(held.settings["cut"]) == (4 if seconds == 60.0 else 0)


def test_essays_that_no_longer_fit_leave_their_time_to_short_questions():
    class Wordy(Slow):
        def send(self, name, scenario, endpoint, until=None):
            self.seconds = 0.02 if is_short(next(iter(scenario.requests))) else 0.5
            return super().send(name, scenario, endpoint, until)

    held = ask("http://127.0.0.1:9/v1", 1.0, sender=Wordy(0.0), slots=1)
    kinds = [is_short(name) for name in held.exchanges]
    assert kinds.count(False) == 1
    assert kinds.count(True) > 10


def test_a_sender_that_waits_for_a_busy_server_is_left_behind():
    class Stuck(Slow):
        def send(self, name, scenario, endpoint, until=None):
            self.never.wait(60.0)
            return super().send(name, scenario, endpoint, until)

    sender, began = Stuck(0.0), time.monotonic()
    held = ask("http://127.0.0.1:9/v1", 0.5, sender=sender, slots=2)
    assert time.monotonic() - began < 30, "it waits for a minute"
    assert not held.exchanges
    sender.never.set()


def test_the_first_error_of_a_sender_ends_the_interview_and_is_raised():
    class Dying(Slow):
        def send(self, name, scenario, endpoint, until=None):
            if self.sent >= 3:
                raise ConnectionError("gone")
            return super().send(name, scenario, endpoint, until)

    sender = Dying(0.0)
    with pytest.raises(ConnectionError, match="gone"):
        ask("http://127.0.0.1:9/v1", 5.0, sender=sender, slots=1)
    assert sender.sent == 3


def test_nobody_there_is_inconclusive_and_quick():
    class Nobody(Slow):
        def send(self, name, scenario, endpoint, until=None):
            super().send(name, scenario, endpoint, until)
            return {key: to(key, refused()) for key in scenario.requests}

    held = ask("http://127.0.0.1:9/v1", 2.0, sender=Nobody(0.0), slots=4)
    assert set(words(held).values()) == {Outcome.INCONCLUSIVE}


def test_progress_says_how_many_of_how_many():
    trial = Trial(Options(budget_s=1.0))
    ask("http://127.0.0.1:9/v1", 1.0, trial=trial, sender=Slow(0.05), slots=4)
    assert len(trial.said) > 20
    assert trial.said[-1].startswith("behaviour  1 of 1, loops 0 of ")
    assert " answers read, " in trial.said[-1]


def test_an_answer_that_comes_before_the_one_it_is_held_against_counts_once_both_are_there():
    probe = again.in_company_the_same_question_gets_the_same_answer

    class Overtaking(Slow):
        def __init__(self) -> None:
            super().__init__(0.0)
            self.second = [threading.Event() for _ in range(2 * probe.test.most)]

        def send(self, name, scenario, endpoint, until=None):
            (key,) = scenario.requests
            number = number_of(key)
            if number % 2 == 0:
                self.second[number].wait(1.0)  # none comes once the test has ended
            got = super().send(name, scenario, endpoint, until)
            self.second[number - 1].set()
            return got

    sender = Overtaking()
    held = ask("http://127.0.0.1:9/v1", 60.0, sender=sender, slots=4, probes=[probe])
    items = probe.rule.items(held.exchanges, Expect(settings=dict(held.settings)))
    assert {item.word for item in items} == {ItemWord.GOOD}
    assert probe.test.fewest <= len(items) <= probe.test.fewest + 4, "none was asked for one that was taken for lost"


def test_what_is_left_of_the_time_goes_to_a_probe_that_was_left_out():
    kept, shown = (
        probes()["instructions/instructions-are-kept"],
        probes()["json/answers-follow-the-schema-they-are-shown"],
    )
    with Golden() as golden:
        interview = ask(golden.url, BUDGET_S, model=golden.model, spare=Spare([kept, shown], FAST))
    assert interview.more == {kept.rule.id, shown.rule.id}
    findings, _ = running.run(kept.rule, interview.exchanges, Expect(settings=dict(interview.settings)))
    assert outcome(kept.rule.level, findings) is Outcome.PASS


def test_a_probe_of_questions_that_were_asked_already_reads_their_answers():
    with Golden() as golden:
        interview = ask(golden.url, BUDGET_S, model=golden.model, probes=TALK[:1], spare=Spare(TALK[1:], FAST))
    assert interview.more == {probe.rule.id for probe in TALK[1:]}
    assert {word.value for word in words(interview).values()} == {"PASS"}


def test_a_probe_for_which_no_time_is_left_stays_left_out():
    with Golden() as golden:
        interview = ask(golden.url, BUDGET_S, spare=Spare([probes()["instructions/instructions-are-kept"]], Tempo(0.1)))
    assert interview.more == frozenset()
    assert {name.rpartition("-")[0] for name in interview.exchanges} == {"talk"}


def test_a_probe_that_does_not_decide_in_what_is_left_stays_left_out():
    kept = probes()["instructions/instructions-are-kept"]

    class Refuses(Sender):
        def send(self, name, scenario, endpoint, until=None):
            (key,) = scenario.requests
            is_kept = key.startswith(kept.maker.name)
            return {key: refused()} if is_kept else super().send(name, scenario, endpoint, until)

    with Golden() as golden:
        interview = ask(golden.url, BUDGET_S, model=golden.model, sender=Refuses(), spare=Spare([kept], FAST))
    assert sum(name.startswith(kept.maker.name) for name in interview.exchanges) > 0
    assert interview.more == frozenset()


def test_what_goes_wrong_in_time_that_was_left_takes_nothing_from_what_was_asked():
    kept = probes()["instructions/instructions-are-kept"]

    class Dies(Sender):
        def send(self, name, scenario, endpoint, until=None):
            (key,) = scenario.requests
            if key.startswith(kept.maker.name):
                raise OSError("gone")
            return super().send(name, scenario, endpoint, until)

    with Golden() as golden:
        interview = ask(golden.url, BUDGET_S, model=golden.model, sender=Dies(), spare=Spare([kept], FAST))
    assert interview.more == frozenset()
    assert set(words(interview).values()) == {Outcome.PASS}


def test_what_the_end_of_the_time_cut_decides_no_probe_that_was_left_out():
    """A probe that reads broken answers takes them for bad; who judges knows that it was us."""
    stops = TALK[1]

    class Late(Sender):
        def send(self, name, scenario, endpoint, until=None):
            found = super().send(name, scenario, endpoint, until)
            return {key: replace(x, error="deadline", ended_at=round(until * SECOND)) for key, x in found.items()}

    class Cut(Sender):
        def __init__(self):
            super().__init__()
            self.late = Late()

        def send(self, name, scenario, endpoint, until=None):
            (key,) = scenario.requests
            sender = self.late if key.startswith(stops.maker.name) else super()
            return sender.send(name, scenario, endpoint, until)

    planned = probes()["instructions/instructions-are-kept"]
    with Golden() as golden:
        interview = ask(golden.url, 3.0, model=golden.model, sender=Cut(), probes=[planned], spare=Spare([stops], FAST))
    findings, _ = running.run(stops.rule, interview.exchanges, Expect(settings=dict(interview.settings)))
    assert [name for name in interview.settings["cut"] if name.startswith(stops.maker.name)]
    assert outcome(stops.rule.level, findings) is Outcome.INCONCLUSIVE
    assert stops.rule.id not in interview.more
