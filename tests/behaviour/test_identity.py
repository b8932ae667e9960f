"""Known-bad builds: named where the facts are known, silent about models that are not listed."""

import pytest

from seatrial.behaviour import identity
from seatrial.checks import running
from seatrial.records import Expect, Outcome
from seatrial.verdict.outcomes import outcome
from tests.behaviour.specimens import exchange

RULE = identity.no_known_bad_build


def word(build, model="GLM-4.7-Flash-Q4_K_M.gguf", kind="llama.cpp", data=None, **settings):
    x = exchange(
        method="GET", path="/v1/models", json={"object": "list", "data": [{"id": model}] if data is None else data}
    )
    findings, crashed = running.run(RULE, x, Expect(model=model, kind=kind, settings={"build": build, **settings}))
    assert not crashed
    return outcome(RULE.level, findings)


@pytest.mark.parametrize(
    ("build", "expected"),
    [("b7772-0a1b2c3", "FAIL"), ("b7779", "FAIL"), ("version: 7700 (abc)", "FAIL"), ("7700 (abc)", "FAIL"),
     ("b7815-aaa", "PASS"), ("b8040-0ccbfdef3", "PASS"), ("b7800", "INCONCLUSIVE"), ("b0-unknown", "INCONCLUSIVE"),
     ("", "INCONCLUSIVE"), (None, "INCONCLUSIVE"), ("build 0, commit unknown", "INCONCLUSIVE")],
)  # fmt: skip
def test_the_build_decides_for_a_listed_model(build, expected):
    assert word(build) == expected


@pytest.mark.parametrize(
    "model", ["glm-4.7-flash", "zai-org/GLM-4.7-Flash", "GLM-4.7-Flash-Heretic.Q4_K_M.gguf", "glm_4_7_flash"]
)
def test_the_model_is_known_by_its_names(model):
    assert word("b7700", model) is Outcome.FAIL


def test_a_name_that_stands_in_the_facts_alone_is_known_too():
    assert word("b7700", "default", facts={"model_path": "/models/GLM-4.7-Flash.gguf"}) is Outcome.FAIL


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("gemma-3-270m", "llama.cpp"),
        ("GLM-4.7", "llama.cpp"),
        ("GLM-4.7-Flash", "generic"),
        ("GLM-4.6-Flash", "llama.cpp"),
    ],
)
def test_nothing_is_said_of_what_is_not_listed(model, kind):
    assert word("b7700", model, kind) is Outcome.PASS


@pytest.mark.parametrize("data", [None, [], [1, None, {"id": 3}], {"id": "x"}, "GLM-4.7-Flash"])
def test_any_list_of_models_can_be_read(data):
    assert word("b7700", "other", data=data) is Outcome.PASS


@pytest.mark.parametrize(
    ("text", "number"), [("b8040-0cc", 8040), ("build: 7777 (x)", 7777), ("b0-unknown", None), ("2026.10", None)]
)
def test_build_numbers(text, number):
    assert identity.build_number(text) == number


def test_the_figure_says_what_is_known():
    x = exchange(json={"data": []})
    assert RULE.figures({"only": x}, Expect(model="gemma"))["known bad builds"] == "none of 1 on the list"
    assert (
        "llama.cpp pull 18980"
        in RULE.figures({"only": x}, Expect(model="glm-4.7-flash", kind="llama.cpp"))["known bad builds"]
    )
