"""What is sent beside items: a maker's recommendation by use and kind of server, and a way past the prompt cache."""

import pytest

from seatrial.behaviour.probe import makers, probes
from seatrial.candidates import sets
from seatrial.records import Endpoint, Expect
from seatrial.trial.asking import beside
from tests.golden.server import Golden
from tests.trial.asking import ask


def endpoint(model, kind="llama.cpp", **more):
    return Endpoint(name="it", url="http://127.0.0.1:1/v1", kind=kind, model=model, models=(model,), **more)


def sent(held, maker, number=0, seed=0):
    return held.of(makers()[maker], number, seed)


def test_a_makers_recommendation_is_sent_by_use():
    held = beside.of(endpoint("GLM-4.7-Flash-Q4_K_M.gguf"))
    assert sent(held, "talk") == {"temperature": 1.0, "top_p": 0.95, "min_p": 0.01, "repeat_penalty": 1.0}
    assert sent(held, "tools")["temperature"] == 0.7
    said = held.settings([makers()["talk"], makers()["tools"]])["sampling"]
    assert said["general"].startswith("GLM 4.7 Flash, general: temperature 1, top_p 0.95, min_p 0.01, repeat_penalty 1")
    assert said["tools"].startswith("GLM 4.7 Flash, tools: temperature 0.7")


def test_an_item_at_temperature_0_has_no_other_settings():
    held = beside.of(endpoint("GLM-4.7-Flash-Q4_K_M.gguf"))
    assert sent(held, "stress") == {}
    assert sent(held, "again") == sent(held, "firsts") == {"cache_prompt": False}


@pytest.mark.parametrize(
    ("kind", "names", "left"),
    [
        ("generic", {"temperature", "top_p"}, "not sent: min_p, repeat_penalty"),
        ("vllm", {"temperature", "top_p", "min_p"}, "not sent: repeat_penalty"),
        ("llama.cpp", {"temperature", "top_p", "min_p", "repeat_penalty"}, ""),
    ],
)
def test_what_a_kind_of_server_does_not_take_is_not_sent_and_said(kind, names, left):
    held = beside.of(endpoint("glm-4.7-flash", kind))
    assert sent(held, "talk").keys() == names
    assert held.said["general"].endswith(left)


def test_the_operators_word_goes_before_it():
    held = beside.of(endpoint("glm-4.7-flash", extra_body={"temperature": 0.2, "cache_prompt": True}))
    assert "temperature" not in sent(held, "talk")
    assert sent(held, "again") == {}


def test_of_a_model_that_is_not_known_nothing_is_sent():
    held = beside.of(endpoint("something-else", "generic"))
    assert {name: sent(held, name) for name in makers()} == {name: {} for name in makers()}
    assert held.settings(list(makers().values())) == {"sampling": {}, "uncached": False}


def test_each_model_that_is_known_says_what_holds_in_general():
    assert {name for name, each in sets.known().items() if "general" not in {s.use for s in each.sampling}} == set()


def test_it_is_in_what_is_recorded():
    wanted = [probes()["loops/answers-do-not-loop"], probes()["determinism/the-same-question-gets-the-same-answer"]]
    with Golden() as golden:
        held = ask(golden.url, 60.0, model=golden.model, slots=4, named="Phi-4-Q4.gguf", probes=wanted)
    bodies = {name: x.request_json for name, x in held.exchanges.items()}
    assert {body["temperature"] for name, body in bodies.items() if name.startswith("talk")} == {0.0}
    assert held.settings["sampling"]["general"].startswith("Phi-4 14B, general: temperature 0 (")
    assert {each.word for probe in wanted for each in probe.rule.items(held.exchanges, _expect(held))} == {"good"}


def _expect(held):
    return Expect(settings=dict(held.settings))
