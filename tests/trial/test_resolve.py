"""An endpoint that is waited for: asked until it has loaded, or the time is over; what is plainly wrong ends it."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import pytest

from seatrial.given.errors import EndpointError, NotYet
from seatrial.given.options import Options
from seatrial.records import Endpoint
from seatrial.servers.identity import expect_ready, identify, survey
from seatrial.trial import resolve
from seatrial.trial.resolve import Resolved
from seatrial.wire.transports.bystanders import Bystanders
from seatrial.wire.transports.http import Client
from tests.golden.server import Golden
from tests.servers.raw import reply, says
from tests.waiting import PassingTime

LOADING = reply(503, '{"error": {"message": "Loading model"}}')
LISTED = '{"object": "list", "data": [{"id": "m"}]}'


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(resolve, "AGAIN_S", 0.01)
    monkeypatch.setattr(resolve, "SAY_S", 0.0)


def awaited(place, seconds):
    said: list[str] = []
    options = Options(endpoints={"e": f"http://{place}/v1"}, wait_s=seconds)
    return resolve.resolve(options, said.append), said


def test_a_server_that_loads_is_waited_for_and_that_is_said(fast):
    with says(LOADING, LOADING, reply(200, LISTED)) as place:
        found, said = awaited(place, 20)
    assert found.surveyed["e"].model == "m"
    assert len(said) == 2
    assert said[0].startswith("e          waiting for it, at most 20 s more: http://127.0.0.1:")
    assert "is not ready (503: Loading model)" in said[0]


@pytest.mark.parametrize(
    "answers", [[LOADING], [reply(404), LOADING], [reply(404), b""]], ids=["health", "chat", "cut"]
)
def test_a_server_that_lists_its_model_before_it_has_loaded_is_not_ready(answers):
    with says(*answers) as place, Client(f"http://{place}/v1") as client, pytest.raises(NotYet):
        expect_ready(
            Endpoint(name="e", url=f"http://{place}/v1", kind="generic", model="m", models=("m",)), client, chat=True
        )


def test_a_server_that_never_comes_is_waited_for_no_longer_than_asked(monkeypatch):
    clock = PassingTime()
    monkeypatch.setattr(resolve, "time", clock)
    with pytest.raises(EndpointError, match=r"nothing listens at .*; waited 301 s for it \(--wait\)"):
        awaited("127.0.0.1:1", 301)
    assert clock.now == 301


@pytest.mark.parametrize(
    ("answer", "said"),
    [(reply(401, "{}"), "wants an API key"), (b"SSH-2.0-x\r\n", "answers, but not HTTP"), (reply(404), "is no OpenAI")],
)
def test_what_does_not_change_by_waiting_ends_it_at_once(fast, answer, said):
    with says(answer) as place, pytest.raises(EndpointError, match=said) as told:
        awaited(place, 600)
    assert "waited" not in str(told.value)


def test_without_the_option_nobody_waits(fast):
    with says(LOADING) as place, pytest.raises(EndpointError, match="try again when it is, or wait for it: --wait=10m"):
        awaited(place, 0)


def test_a_server_that_is_there_is_asked_for_one_token_more(fast):
    with Golden() as golden:
        found, said = awaited(golden.url.partition("://")[2].removesuffix("/v1"), 5)
        asked = golden.truth()
    assert found.surveyed["e"].model == golden.model
    assert not said
    assert asked


class Spared(Bystanders):
    """Somebody is connected whom a question would harm, for so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__(lambda: None)
        self.looks = looks

    def held_back(self) -> bool:
        self.looks -= 1
        return self.looks >= 0


def warmed(golden, seconds, looks):
    said: list[str] = []
    named = {"e": Endpoint(name="e", url=golden.url, kind="generic", model=golden.model, models=(golden.model,))}
    found = Resolved(Options(endpoints={"e": golden.url}, wait_s=seconds), named, company={"e": Spared(looks)})
    run = SimpleNamespace(path="run", write_endpoint=lambda _: None)
    return found.identify(run, SimpleNamespace(embedded=None), said.append), said


def test_the_warm_up_too_waits_for_whom_it_would_harm_and_that_is_said(fast):
    with Golden() as golden:
        named, said = warmed(golden, 20, 3)
    assert named["e"].model == golden.model
    assert len(said) == 3
    assert all("drops others when it is asked" in line for line in said)


def test_without_the_option_nobody_waits_with_the_warm_up(fast):
    with Golden() as golden, pytest.raises(EndpointError, match="or wait for that: --wait=10m"):
        warmed(golden, 0, 1)


def test_the_wait_for_a_turn_is_no_part_of_a_question():
    inside: list[bool] = []
    order: list[str] = []

    class Company(Bystanders):
        @contextlib.contextmanager
        def question(self, path):
            order.append("question")
            inside.append(True)
            yield
            inside.clear()

    class Pace:
        def wait(self):
            order.append("inside" if inside else "before")

    with Golden() as golden, Client(golden.url, pace=Pace()) as client:
        company = Company(lambda: None)
        endpoint = survey("x", golden.url, client)
        order.clear()
        identify(endpoint, client, company)
        expect_ready(endpoint, client, chat=True, company=company)
    assert order.count("question") >= 3
    assert "inside" not in order


def look(listing, wanted):
    with says(reply(200, listing)) as place, Client(f"http://{place}/v1") as client:
        return survey("x", f"http://{place}/v1", client, model=wanted).model


@pytest.mark.parametrize(
    ("listed", "wanted"),
    [("*", "any/thing"), ("openai/*", "openai/gpt-9"), ("a*c*e", "abcde"), ("m[1]?*", "m[1]?x"), ("m", "m")],
)
def test_a_pattern_of_a_gateway_stands_for_every_name_that_fits(listed, wanted):
    assert look(json.dumps({"data": [{"id": listed}]}), wanted) == wanted


@pytest.mark.parametrize(("listed", "wanted"), [("openai/*", "mistral"), ("a*c", "ab"), ("m?", "mx"), ("[a-z]*", "b")])
def test_a_name_that_fits_no_pattern_is_not_offered(listed, wanted):
    with pytest.raises(EndpointError, match="offers no model"):
        look(json.dumps({"data": [{"id": listed}]}), wanted)


def test_a_name_that_is_listed_once_for_each_of_its_servers_is_one_model():
    assert look('{"data": [{"id": "mine"}, {"id": "mine"}]}', None) == "mine"  # LiteLLM issue 942
    with pytest.raises(EndpointError, match="offers 2 models"):
        look('{"data": [{"id": "mine"}, {"id": "yours"}, {"id": "mine"}]}', None)


def test_patterns_alone_want_a_name_and_one_model_beside_them_is_taken():
    with pytest.raises(EndpointError, match=r"lists patterns of models \(\*, a/\*\): name a model with --model"):
        look('{"data": [{"id": "*"}, {"id": "a/*"}]}', None)
    assert look('{"data": [{"id": "*"}, {"id": "mine"}]}', None) == "mine"
