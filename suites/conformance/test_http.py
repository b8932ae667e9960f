"""Paths, bodies and connections."""

import pytest

from seatrial.checks.rules import Rule, cases
from seatrial.records import Hazard, Request, Scenario
from suites.conformance.scenarios import HELLO, RULES, Judge, Send, faulty, raw, request

LIST = Request(method="GET", path="/models")
WHOLE = b'{"model": "any", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4'

REQUESTS = {
    "unknown-path": faulty(
        Request(method="GET", path="/seatrial-no-such-path"), of={"unknown-path"}, hazard=Hazard.POLITE
    ),
    "reuse": Scenario(
        requests={
            "list": LIST,
            "again": LIST,
            "refused": raw(WHOLE),
            "after the refusal": LIST,
            "stream": request(HELLO, stream=True, max_tokens=2),
            "after the stream": LIST,
        },
        traits=frozenset({"reuse"}),
        hazard=Hazard.CARELESS,
        one_connection=True,
        tokens=2,
    ),
    "json-cut": faulty(raw(WHOLE), of={"malformed-json"}),
    "json-comma": faulty(raw(WHOLE + b",}"), of={"malformed-json"}),
    "json-quotes": faulty(raw(WHOLE.replace(b'"', b"'") + b"}"), of={"malformed-json"}),
    "body-array": faulty(raw(b"[]"), of={"no-object"}),
    "body-text": faulty(raw(b'"hello"'), of={"no-object"}),
    "body-null": faulty(raw(b"null"), of={"no-object"}),
    "body-number": faulty(raw(b"42"), of={"no-object"}),
    "body-empty": faulty(raw(b""), of={"empty-body"}),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(RULES, REQUESTS))
def test_http(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(REQUESTS[scenario]))
