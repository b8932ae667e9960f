"""The questions of ``--same`` against real sockets: a lossy draft is found, ties that fall apart are left alone."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from seatrial.behaviour.probes.talk.twins import QUESTIONS, heard
from seatrial.comparing.lossless import compare
from seatrial.given import words
from seatrial.given.errors import ConfigError
from seatrial.given.options import Options
from seatrial.records import Endpoint, LosslessWord, Received, RunInfo
from seatrial.run.directory import RunDir
from seatrial.trial.asking import twice
from seatrial.trial.sending.guard import Guard
from seatrial.trial.sending.sender import Sender
from seatrial.trial.trial import Trial
from seatrial.wire.decoding.assemble import assemble
from tests.behaviour.specimens import exchange
from tests.golden.server import Golden

BUDGET_S = 240.0


@dataclass
class Pair:
    """A base and its faster twin, asked: what is known of them, and their answers by endpoint, turn and question."""

    settings: dict
    answers: dict


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    RunDir.create(tmp_path / "run", info)
    urls = {"base": "http://a", "fast": "http://b"}
    made = Trial(Options(endpoints=urls, same=True, budget_s=BUDGET_S), tmp_path / "run")
    yield made
    made.writer.close()


def asked(trial: Trial, *servers: tuple[str, ...]) -> Pair:
    sender, settings = Sender(trial, Guard(trial)), {}
    for name, faults in zip(("base", "fast"), servers, strict=True):
        with Golden(faults=faults) as golden:
            endpoint = Endpoint(name=name, url=golden.url, kind="generic", model=golden.model, models=(golden.model,))
            trial.rundir.write_endpoint(endpoint)
            settings[name] = twice.settings(trial, sender, endpoint)
    run = trial.rundir
    lines = [x for x in run.lines("writers/*/exchanges.jsonl") if isinstance(x, Received)]
    known = {x.id: heard(assemble(x, *run.exchange_of(x)[:2])) for x in lines}
    answers = {
        name: {
            turn: {q: known[x] for q, x in named.items()} for turn, named in each["twins"].items() if turn != "uncached"
        }
        for name, each in settings.items()
    }
    return Pair(settings, answers)


def held(pair: Pair):
    return compare(pair.answers["base"]["first"], pair.answers["base"]["again"], pair.answers["fast"]["first"])


def test_a_lossy_draft_is_found_and_its_drafts_are_told(trial):
    pair = asked(trial, (), ("lossy-draft:0.25",))
    found = held(pair)
    assert (found.word, found.n, found.own) == (LosslessWord.LOSSY, QUESTIONS, 0)
    assert set(pair.answers["fast"]) == {"first"}
    assert found.first is not None
    assert found.first.ahead is not None
    assert all(drafted >= taken > 0 for drafted, taken in found.drafts.values())


def test_ties_that_fall_apart_lose_nothing(trial):
    found = held(asked(trial, ("ties-are-told",), ("ties-are-told", "ties-fall-apart:0.5")))
    assert (found.word, found.beyond, found.untold) == (LosslessWord.SAME, 0, 0)
    assert found.ties > QUESTIONS // 4


def test_a_server_without_chances_is_asked_without(trial):
    pair = asked(trial, ("refuses-logprobs",), ("refuses-logprobs", "lossy-draft:0.3"))
    found = held(pair)
    assert (found.word, found.n, found.beyond) == (LosslessWord.OPEN, QUESTIONS, 0)
    assert found.untold > 5


class Sending:
    """Keeps by when each question is to be answered."""

    def __init__(self):
        self.until = []

    def send(self, name, scenario, endpoint, until):
        assert scenario.deadline_s is None, "what the end of our time takes is no patience that was learnt"
        self.until.append(until)
        return {"only": exchange(id=f"x-{len(self.until)}")}


def test_all_questions_end_with_their_share_of_the_budget(trial):
    began, sender = time.monotonic(), Sending()
    endpoint = Endpoint(name="base", url="http://a", kind="generic", model="m", models=("m",))
    found = twice.settings(trial, sender, endpoint)["twins"]
    assert [len(found[turn]) for turn in ("first", "again")] == [QUESTIONS, QUESTIONS]
    assert found["uncached"] is False
    assert all(began < until <= time.monotonic() + twice.SHARE * BUDGET_S for until in sender.until)


def test_one_endpoint_alone_is_wrong_usage():
    with pytest.raises(ConfigError, match="--same holds endpoints against the first"):
        words.same({"only": "http://a"}, wanted=True)
    assert words.same({"a": "", "b": ""}, wanted=True)
    assert not words.same({}, wanted=False)
