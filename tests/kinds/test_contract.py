"""What every kind of server keeps, over recorded answers of each: told apart, asked within its costs, read aright."""

from __future__ import annotations

import contextlib
import importlib

import pytest

from load.counters import Totals, totals
from seatrial.kinds import detect, profile
from seatrial.kinds.kind import Cost, Heard, asked
from seatrial.kinds.prometheus import Nonsense
from seatrial.records import Meter
from seatrial.servers.identity import survey
from seatrial.wire.transports import load
from seatrial.wire.transports.http import Client
from tests.kinds import specimens
from tests.kinds.specimens import Watched
from tests.monitor.sites import climb, reply, site

STEMS = sorted(detect.found())
PATHS = {"api-ps": "api/ps", "health-liveliness": "health/liveliness"}
"""Paths of more than one part."""


@contextlib.contextmanager
def serving(stem):
    """A server that answers each path as the specimens say, and 404 elsewhere."""
    with site() as s:
        for name in specimens.names(stem):
            answer = specimens.answer(stem, name)
            headers = {key: value for key, value in answer.headers.items() if key.startswith("process-")}
            speak = reply(answer.status, answer.body, **headers)
            s.paths[f"/{PATHS.get(name, name)}"] = s.paths[f"/v1/{name}"] = speak
        yield s


def heard(stem, name):
    answer = specimens.answer(stem, name)
    at = specimens.expected(stem).at
    return Heard(answer.body, answer.headers, at.timestamp() if at else 0.0)


def profile_of(stem):
    return profile.read(profile.FOLDER / f"{stem}.toml")


def meet(stem, arguments):
    """The stem of the kind the watch takes a server for, and how it is met."""
    kinds = {id(kind): name for name, kind in detect.found().items()}
    for sign, kind in detect.signs():
        answer = specimens.at_path(stem, sign.path)
        if answer is None or answer.status != 200:
            continue
        met = sign.meet(heard(stem, sign.path.removeprefix("/v1").strip("/").replace("/", "-")), arguments)
        if met is not None:
            return kinds[id(kind)], met
    return "", None


def test_each_kind_is_a_module_and_a_page_of_data_of_one_name():
    modules = {path.stem for path in profile.FOLDER.glob("*.py")} - {"__init__"}
    kinds = {stem for stem in modules if hasattr(importlib.import_module(f"seatrial.kinds.{stem}"), "KIND")}
    assert kinds == {path.stem for path in profile.FOLDER.glob("*.toml")} == set(STEMS)
    assert {"llama_cpp", "dasllama", "generic", "vllm", "ollama", "litellm"} <= set(STEMS)


@pytest.mark.parametrize("stem", STEMS)
def test_each_kind_has_specimens_and_says_whether_it_was_met(stem):
    how = specimens.expected(stem).how
    assert how.startswith("recorded from " if profile_of(stem).met else "written from ")
    assert {"models", "health"} <= set(specimens.names(stem))
    for sign, _ in detect.signs():
        assert specimens.at_path(stem, sign.path), "the watch asks every server for it"


@pytest.mark.parametrize("stem", STEMS)
def test_the_suites_call_it_by_its_name_and_see_the_counters_it_has(stem):
    wanted, about = specimens.expected(stem), specimens.expected(stem).about
    with serving(stem) as s, Client(s.url) as client:
        found = survey("x", s.url, client)
    assert found.kind == wanted.suites
    assert found.capabilities == {"metrics": wanted.counters is not None}
    assert {"build": found.build, "slots": found.slots, "context": found.context} == {
        "build": "", "slots": None, "context": None, **about,
    }  # fmt: skip
    assert ("profile" in found.facts) == (not profile.load(found.kind).met)


@pytest.mark.parametrize("stem", STEMS)
def test_a_soak_takes_its_totals_from_it(stem):
    wanted = specimens.expected(stem).counters
    path = profile_of(stem).counters.path
    metrics = specimens.at_path(stem, path)
    assert metrics is not None
    found = totals(load.ShortAnswer(metrics.status, metrics.body), path)
    if wanted is None:
        assert found == Totals(f"{path} answers 404")
    else:
        assert found == Totals(wanted["name"], **{key: n for key, n in wanted.items() if key != "name"})


WATCHED = [
    pytest.param(stem, watched, id=f"{stem}{number}")
    for stem in STEMS
    for number, watched in enumerate(specimens.expected(stem).watch)
]


@pytest.mark.parametrize(("stem", "watched"), WATCHED)
def test_the_watch_knows_it_and_asks_within_its_costs(stem, watched: Watched):
    found, met = meet(stem, watched.arguments)
    assert found == watched.kind
    if met is None:
        assert not watched.asked
        return
    spares = met.spares | (frozenset() if watched.scrape else frozenset({Cost.GAUGES}))
    assert [question.name for question in asked(detect.found()[found], spares)] == watched.asked
    assert met.forbidden == watched.forbidden


@pytest.mark.parametrize(("stem", "watched"), WATCHED)
def test_the_recorder_asks_a_server_that_answers_so(stem, watched: Watched):
    with serving(stem) as s, climb(s.url, arguments=watched.arguments, scrape=watched.scrape) as c:
        if watched.asked:
            c.until(lambda: {m.source for m in c.meters()} == set(watched.asked), "a meter of each source")
        else:
            c.until(c.troubles)
            assert not c.meters()
        health = detect.found().get(watched.kind, detect.found()["generic"]).health
        c.until(lambda: c.prober.path == health, "the page where it says whether it is well")
        if watched.kind:
            questions = [question for question in detect.found()[watched.kind].questions if question.costs]
            assert {question.name for question in questions if question.path in s.asked} <= set(watched.asked)


@pytest.mark.parametrize("stem", STEMS)
def test_every_question_has_an_answer_that_is_read(stem):
    wanted, kind = specimens.expected(stem), detect.found()[stem]
    assert {reads.question for reads in wanted.reads} == {question.name for question in kind.questions}
    for reads in wanted.reads:
        (question,) = (q for q in kind.questions if q.name == reads.question)
        read = question.reader()
        told = [read(heard(stem, name)) for name in reads.answers][-1]
        assert told.meter == reads.meter
        assert told.forbidden == reads.forbidden
        assert Meter(name="x", source=question.name, **told.meter)


@pytest.mark.parametrize("stem", STEMS)
def test_a_kind_that_is_known_has_a_beat_and_its_health_is_answered(stem):
    kind, wanted = detect.found()[stem], specimens.expected(stem)
    engine = kind.sign is not None and kind.sign.path != kind.health  # who is known at a door of its own is a gateway
    assert engine == any(question.beat for question in kind.questions)
    health = specimens.at_path(stem, kind.health)
    assert health is not None
    assert health.status == wanted.health
    if kind.sign is not None:
        assert not [q for q in kind.questions if q.path == kind.sign.path and q.costs], "a sign costs nothing"


@pytest.mark.parametrize("stem", STEMS)
def test_an_answer_that_is_cut_anywhere_is_nonsense_or_read(stem):
    for name in specimens.names(stem):
        body = specimens.answer(stem, name).body
        for end in range(0, len(body), 7):
            for kind in detect.found().values():
                read_all(kind, Heard(body[:end]))


def read_all(kind, cut):
    for question in kind.questions:
        with contextlib.suppress(Nonsense):
            question.reader()(cut)
    if kind.sign is not None:
        kind.sign.meet(cut, "")
    if kind.about is not None:
        kind.about.read(cut.body)
    kind.unloaded(cut.body, "m")


def test_no_two_signs_share_a_turn_and_no_two_questions_a_name():
    turns: dict[int, list[str]] = {}
    for stem, kind in detect.found().items():
        if kind.sign is not None:
            turns.setdefault(kind.sign.turn, []).append(stem)
    assert {turn: kinds for turn, kinds in turns.items() if len(kinds) > 1} == {}
    names = [question.name for kind in detect.found().values() for question in kind.questions]
    assert len(set(names)) == len(names)


def test_counters_are_known_by_different_names():
    """Else it would be left to chance whose totals a soak says it holds against the users'."""
    needed = [profile.load(kind).counters.needed for kind in profile.kinds() if profile.load(kind).counters.tokens]
    assert len(set(needed)) == len(needed)
