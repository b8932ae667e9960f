"""Vectors."""

import pytest

from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from suites.conformance.scenarios import Judge, Send, embed

EMBEDDINGS = {
    "embeddings-asked": embed("the sea"),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(EMBEDDINGS))
def test_embeddings(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(EMBEDDINGS[scenario]))
