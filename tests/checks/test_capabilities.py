"""Optional areas: what counts as declined, and what becomes of the cases then."""

from __future__ import annotations

import json

import pytest

from seatrial.checks.capabilities import BY_SCENARIO, CAPABILITIES, lacking
from seatrial.checks.catalogue import load_all
from seatrial.records import Level, Outcome
from seatrial.verdict.outcomes import outcome
from suites.conformance.scenarios import FirstAsk
from tests.checks.specimens import choice, exchange, found, pair, plain, refused
from tests.silence.tables import SCENARIOS

ANSWERED = "http/valid-request-is-answered"
JUDGES = (ANSWERED, "chat/usage-adds-up", "errors/client-fault-is-never-5xx", "errors/next-request-is-answered")
JINJA = {"error": {"message": "tools param requires --jinja flag", "type": "server_error", "code": 500}}
EMBEDDINGS = "This server does not support embeddings. Start it with `--embeddings`"


def level(rule: str) -> Level:
    return load_all()[rule].level


def said(message: str, kind: str = "server_error"):
    return {"error": {"message": message, "type": kind}}


def before(x, area="tools"):
    return {"before": x(scenario=f"{area}/{area}-asked")}


@pytest.mark.parametrize(
    ("area", "status", "body"),
    [
        ("tools", 400, said("tools are not supported")),
        ("tools", 404, b"<html>"),
        ("tools", 422, b""),
        ("tools", 500, JINJA),
        ("tools", 500, said('"auto" tool choice requires --enable-auto-tool-choice', "InternalServerError")),
        ("tools", 503, said("function calling is disabled")),
        ("structured", 500, {"detail": "response_format json_schema is not implemented"}),
        ("structured", 500, said("NotImplementedError: guided decoding is not available")),
        ("embeddings", 501, said(EMBEDDINGS)),
        ("embeddings", 500, said(EMBEDDINGS)),
        ("embeddings", 500, said(f"litellm.APIError: APIError: OpenAIException - {EMBEDDINGS}")),
        ("embeddings", 501, b""),
        ("embeddings", 405, b""),
    ],
)
def test_an_honest_refusal_makes_all_of_it_unsupported(area, status, body):
    asked = refused(status, body, scenario=f"{area}/{area}-asked")
    for evidence in (
        {"only": asked},
        {"before": asked, "only": refused(status, body)},
        pair(plain()) | {"before": asked},
    ):
        for rule in (
            ANSWERED,
            "chat/usage-adds-up",
            "errors/client-fault-is-never-5xx",
            "errors/next-request-is-answered",
        ):
            findings = found(rule, evidence)
            assert [f.optional for f in findings] == [True], rule
            assert findings[0].capability
            assert outcome(level(rule), findings) is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("area", "status", "body"),
    [
        ("tools", 500, said("internal error")),
        ("tools", 500, said("KeyError: 'tools' is not available in the context")),
        ("tools", 500, said("Traceback (most recent call last): tools requires")),
        ("tools", 500, said("failed to parse the tools")),
        ("tools", 500, said(EMBEDDINGS)),
        ("tools", 502, b"<html><h1>Bad Gateway</h1></html>"),
        ("tools", 401, said("tools need a key")),
        ("tools", 429, said("too many requests with tools")),
        ("embeddings", 500, said("embedding failed: out of memory")),
        ("structured", 500, said("grammar parse failed")),
    ],
)
def test_any_other_is_none(area, status, body):
    assert lacking({"only": refused(status, body, scenario=f"{area}/{area}-asked")}) is None


def test_after_one_good_answer_a_refusal_is_a_violation():
    evidence = before(plain) | {"only": refused(400)}
    findings = found(ANSWERED, evidence)
    assert [(f.kind, f.optional) for f in findings] == [("refusal", False)]
    assert outcome(level(ANSWERED), findings) is Outcome.FAIL


def test_an_answer_that_ignores_what_was_asked_is_no_refusal():
    for area in ("tools", "structured", "embeddings"):
        assert lacking({"only": plain(scenario=f"{area}/{area}-asked")}) is None


def test_a_model_that_does_not_think_lacks_thought():
    line = {"scenario": "reasoning/reasoning-asked"}
    assert lacking({"only": plain(**line)}).capability == "reasoning"
    for name in ("reasoning_content", "reasoning", "thinking"):
        said_ = {"role": "assistant", "content": "42", name: "so"}
        assert lacking({"only": plain({"choices": [choice(message=said_)]}, **line)}) is None
    assert lacking({"only": exchange(b"{}", **line)}) is None  # no choice: others say what is wrong


def test_the_first_request_is_judged_in_its_own_scenario_alone():
    """A rule on answers finds nothing of it where it only stands before."""
    odd = before(lambda **line: plain({"usage": ...}, **line))
    assert found("chat/usage-adds-up", odd | {"only": plain()}) == []
    assert found("chat/usage-adds-up", {"only": odd["before"]}) != []


def test_each_capability_has_its_scenario_and_asks_before_others():
    for capability in CAPABILITIES:
        name, request = getattr(FirstAsk, capability.area.upper())
        assert name == f"{capability.area}/{capability.asked}"
        assert SCENARIOS[capability.asked].requests == {"only": request}
    firsts = {getattr(FirstAsk, capability.area.upper())[0] for capability in CAPABILITIES}
    borne = {s.before[0] for n, s in SCENARIOS.items() if s.before and n not in BY_SCENARIO}
    assert borne - firsts <= {"chat/one-token"}


def test_the_text_of_a_refusal_is_bounded():
    x = refused(500, json.dumps(said("tools requires --jinja " + "x" * 100_000)).encode(), scenario="tools/tools-asked")
    assert len(lacking({"only": x}).got) < 1000


def test_what_fails_as_the_first_request_did_hangs_on_it():
    rule, cause = "chat/usage-adds-up", f"{ANSWERED}[tools-asked]"
    failed = refused(500, said("internal error"))
    first = refused(500, said("internal error"), scenario="tools/tools-asked")
    hangs = found(rule, {"before": first, "only": failed})
    assert hangs
    assert all(f.causes.count(cause) == 1 for f in hangs)
    well = plain(scenario="tools/tools-asked")
    stands = found(rule, {"before": well, "only": failed})
    assert stands
    assert not any(cause in f.causes for f in stands)
    judged = found("chat/usage-adds-up", {"before": first, "only": plain({"usage": 5})})
    assert judged
    assert not any(cause in f.causes for f in judged)
    [alone] = found(rule, {"before": first})
    assert (alone.kind, alone.causes) == ("no-evidence", ())


def test_a_faulty_request_is_right_to_be_refused_whatever_the_first_was_answered():
    rule, cause = "errors/error-object-has-its-shape", f"{ANSWERED}[tools-asked]"
    first, good = (refused(500, said("internal error"), scenario=f"tools/{name}") for name in ("tools-asked", "bad"))
    shapeless = found(rule, {"before": first, "bad": refused(400, b"oops"), "good": good})
    assert shapeless
    assert not any(cause in f.causes for f in shapeless)
    as_little = found(rule, {"before": first, "bad": refused(500, b"oops"), "good": good})
    assert all(f.causes.count(cause) < 2 for f in as_little)
