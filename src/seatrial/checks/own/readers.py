"""What the single rules have to say of the answers to requests of the operator's own.

A rule finds its scenarios by their traits. A request of the operator's has no scenario: its traits are told from its
body, and only those that a body shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.checks import catalogue, running, traits
from seatrial.checks.areas.embeddings.parts import VECTORS
from seatrial.checks.areas.models.lists import MODELS
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.reading.chat import asks_for_stream
from seatrial.reading.fields import mapping
from seatrial.records import Exchange, Expect


def readers(x: Exchange, expect: Expect) -> Iterator[Rule]:
    """The single rules that have something to say of an answer to a request of the operator's own.

    Rules that find no evidence in it are left out: what a rule needs (a cap, several choices) a scenario of a suite
    asks for, and a request of the operator's need not.
    """
    borne = traits_of(x, expect.model)
    if not borne:
        return
    for rule in catalogue.load_all().values():
        if rule.shape == "single" and rule.of and rule.of <= borne and not rule.unless & borne:
            findings, crashed = running.run(rule, x, expect)
            if not crashed and all(finding.kind == "violation" for finding in findings):
                yield rule


def traits_of(x: Exchange, model: str) -> Traits:
    """What a request of the operator's own asks for, told from its body; none where no rule may read its answer.

    That is so of all but a whole answer of 200: whether a refusal is right, the test alone knows. It is so where
    another model is asked for than the endpoint's, since rules compare what the answers call it.
    """
    path, body = x.path.partition("?")[0], mapping(x.request_json)
    if x.status != 200 or x.error or x.dropped:
        return traits.NONE
    if (x.method, path) == ("GET", "/models"):
        return MODELS
    if x.method != "POST" or body.get("model") != model:
        return traits.NONE
    if path == "/embeddings" and body.get("encoding_format", "float") == "float":
        return VECTORS | traits.JSON
    return _of_chat(x, body) if path == "/chat/completions" else traits.NONE


def _of_chat(x: Exchange, body: Mapping[str, Any]) -> Traits:
    n = body.get("n")
    several = traits.SEVERAL if isinstance(n, int) and n > 1 else traits.NONE
    if not asks_for_stream(x):
        return traits.COUNTED | traits.JSON | several
    usage = mapping(body.get("stream_options")).get("include_usage") is True
    return (traits.USAGE | traits.COUNTED if usage else traits.STREAM) | several
