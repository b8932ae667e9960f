"""The models of the note: each table is whole, has its sources, and is found by the names servers give them."""

import pytest

from seatrial.candidates import sets
from seatrial.candidates.sets import known, of, told
from seatrial.checks import catalogue
from seatrial.checks.rules import REGISTRY
from seatrial.kinds import profile
from seatrial.records import Endpoint


def endpoint(model, **more):
    return Endpoint(name="B", url="http://127.0.0.1:1/v1", kind="llama.cpp", model=model, models=(model,), **more)


def test_the_four_models_of_the_note():
    assert set(known()) == {"glm-4.7-flash", "phi-4", "gemma-3-27b", "mistral-small-3.1-24b"}
    catalogue.load_all()
    for each in known().values():
        facts = [each.context_source, each.active_source, each.tools.source, *(s.source for s in each.sampling)]
        assert all(facts)
        assert each.untried
        assert {kind for trouble in each.known for kind in trouble.kinds} <= set(profile.kinds())
        assert {trouble.rule for trouble in each.known} - {""} <= set(REGISTRY)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("GLM-4.7-Flash-Heretic-Q4_K_M.gguf", "GLM 4.7 Flash"),
        ("glm-4.7-flash:q4_K_M", "GLM 4.7 Flash"),
        ("phi4:14b", "Phi-4 14B"),
        ("microsoft_phi-4-Q4_K_M.gguf", "Phi-4 14B"),
        ("gemma3:27b", "Gemma 3 27B"),
        ("google_gemma-3-27b-it-qat", "Gemma 3 27B"),
        ("Mistral-Small-3.1-24B-Instruct-2503", "Mistral Small 3.1 24B"),
        ("phi-4-mini-instruct", None),
        ("gemma-3-270m", None),
        ("GLM-4.6", None),
        ("mistral-small-3.2", None),
    ],
)
def test_found_by_the_names_of_servers(name, found):
    each = of(endpoint(name))
    assert (each.title if each else None) == found
    if found:
        assert of(endpoint("default", named=name)) is each


def test_what_is_told_of_an_endpoint():
    lines = told(endpoint("glm-4.7-flash", context=8192))
    assert lines[0].startswith("its maker's sampling: general: temperature 1, top_p 0.95, min_p 0.01")
    assert "it has 8192 tokens a slot of the 200000 that it was made for" in lines
    assert any("18980" in line for line in lines)
    assert not any("Ollama" in line for line in lines)  # it is about another kind of server
    assert lines[-1].startswith("not tried here: ")
    assert told(endpoint("something else")) == ()


def test_the_speed_that_its_weights_allow():
    """The operator's card: no Phi-4 at four bits decodes 112 tokens a second there."""
    card = sets.CARDS["RTX 6000 Ada"]
    assert known()["phi-4"].fastest(card) < 112 < known()["glm-4.7-flash"].fastest(card)
    assert any(
        line.startswith("one stream can reach at most 104 tok/s on an RTX 3090, 107")
        for line in told(endpoint("phi4:14b"))
    )
