"""Paths, bodies and connections."""

import pytest

from seatrial.checks.areas import http
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Hazard, Request, Scenario
from suites.conformance.scenarios import HELLO, Judge, Send, faulty, raw, request

LIST = Request(method="GET", path="/models")
WHOLE = b'{"model": "any", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4'

REQUESTS = {
    "unknown-path": faulty(
        Request(method="GET", path="/seatrial-no-such-path"), of=http.UNKNOWN_PATH, hazard=Hazard.POLITE
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
        traits=http.REUSE,
        hazard=Hazard.CARELESS,
        one_connection=True,
        tokens=2,
    ),
    "json-cut": faulty(raw(WHOLE), of=http.MALFORMED_JSON),
    "json-comma": faulty(raw(WHOLE + b",}"), of=http.MALFORMED_JSON),
    "json-quotes": faulty(raw(WHOLE.replace(b'"', b"'") + b"}"), of=http.MALFORMED_JSON),
    "body-array": faulty(raw(b"[]"), of=http.NO_OBJECT),
    "body-text": faulty(raw(b'"hello"'), of=http.NO_OBJECT),
    "body-null": faulty(raw(b"null"), of=http.NO_OBJECT),
    "body-number": faulty(raw(b"42"), of=http.NO_OBJECT),
    "body-empty": faulty(raw(b""), of=http.EMPTY_BODY),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(REQUESTS))
def test_http(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(REQUESTS[scenario]))
