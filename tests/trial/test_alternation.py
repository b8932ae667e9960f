"""Endpoints that are compared are asked in turn: a handful each, never together, and one that ends is left out."""

import itertools
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from seatrial.behaviour.answers import Interview
from seatrial.given.options import Options
from seatrial.records import Endpoint
from seatrial.trial.asking import interview
from seatrial.trial.asking.interviews import Interviews
from tests.behaviour.specimens import said
from tests.trial.asking import TALK, Sender

NAMES = ("old", "new")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """So many pairs as a test has time for."""
    monkeypatch.setattr(interview, "PAIRED", 100)


@dataclass
class Slow(Sender):
    """Answers at once, notes who was asked in which order, and whether two were asked at the same time."""

    asked: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    together: bool = False
    dead: str = ""
    looping: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, name, scenario, endpoint, until=None):
        with self.lock:
            self.asked.append(endpoint.name)
            self.under_way.append(endpoint.name)
            self.together |= len(set(self.under_way)) > 1
        try:
            if endpoint.name == self.dead and self.asked.count(endpoint.name) > 3:
                raise OSError("gone")
            text = "so " * 300 if endpoint.name == self.looping else "It is so, plainly."
            return {
                key: said(text, endpoint=endpoint.name, id=key, request_json={**request.body, "model": "m"})
                for key, request in scenario.requests.items()
            }
        finally:
            with self.lock:
                self.under_way.remove(endpoint.name)


class Trial:
    """The part of a run that interviews see."""

    worker = False

    def __init__(self, joined=(), **options):
        self.options = Options(endpoints={name: f"http://{name}/v1" for name in NAMES}, **options)
        plans = [
            SimpleNamespace(rule=probe.rule.id, endpoint=name, of_run="before" if name in joined else "")
            for probe in TALK
            for name in NAMES
        ]
        self.rundir = SimpleNamespace(planned=lambda: plans)

    def progress(self, text):
        pass

    def endpoint(self, name):
        return Endpoint(name=name, url=f"http://{name}/v1", kind="generic", model="m", models=("m",), slots=2)


def held(sender, trial):
    interviews = Interviews(trial, sender)
    return [interviews.of(trial.endpoint(name)) for name in NAMES]


def test_a_handful_each_and_never_at_the_same_time():
    sender = Slow()
    old, new = held(sender, Trial(budget_s=30.0))
    assert set(old.exchanges) == set(new.exchanges)
    assert len(old.exchanges) >= 8
    assert not sender.together
    runs = [(name, len(list(group))) for name, group in itertools.groupby(sender.asked)]
    assert [name for name, _ in runs[:6]] == [*NAMES] * 3
    assert {length for _, length in runs[:-2]} == {2}  # as many as it has slots
    assert (old.settings["in_turn"], new.settings["in_turn"]) == ([*NAMES], [*NAMES])


def test_after_every_probe_has_decided_pairs_are_asked_for():
    """Endpoints that are compared go on, as far as the budget reaches, until a difference would show."""
    old, new = held(Slow(), Trial(budget_s=30.0))
    assert len(old.exchanges) == len(new.exchanges) >= interview.PAIRED
    alone = Trial(budget_s=30.0)
    alone.worker = True
    decided = Interviews(alone, Slow()).of(alone.endpoint("old"))
    assert 20 < len(decided.exchanges) < interview.PAIRED


def test_what_is_broken_needs_no_comparison():
    _, new = held(Slow(looping="new"), Trial(budget_s=30.0))
    assert len(new.exchanges) < interview.PAIRED


def test_one_that_fails_leaves_the_turns_to_the_other():
    sender = Slow(dead="old")
    trial = Trial(budget_s=30.0)
    interviews = Interviews(trial, sender)
    with pytest.raises(OSError, match="gone"):
        interviews.of(trial.endpoint("old"))
    new = interviews.of(trial.endpoint("new"))
    assert isinstance(new, Interview)
    assert len(new.exchanges) >= 8


def test_a_worker_asks_its_own_endpoint_alone():
    sender, trial = Slow(), Trial(budget_s=30.0)
    trial.worker = True
    only = Interviews(trial, sender).of(trial.endpoint("new"))
    assert set(sender.asked) == {"new"}
    assert "in_turn" not in only.settings


def test_one_whose_answers_are_joined_from_another_run_is_not_asked_again():
    sender, trial = Slow(), Trial(joined=("old",), budget_s=30.0)
    Interviews(trial, sender).of(trial.endpoint("new"))
    assert set(sender.asked) == {"new"}


def test_a_run_that_is_interrupted_waits_for_no_interview(monkeypatch):
    daemons = []
    monkeypatch.setattr(interview.Interviewer, "hold", lambda _: daemons.append(threading.current_thread().daemon))
    Interviews(Trial(), Slow())._hold([Trial().endpoint("old")])
    assert daemons == [True]
