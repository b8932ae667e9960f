"""The operator's key, none, and a key that nobody gave out."""

import pytest

from seatrial.checks.areas import auth
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.kinds import profile
from seatrial.records import Request, Scenario
from suites.conformance.scenarios import GOOD, Judge, Send, bearing, route

NOBODY = f"Bearer {auth.WRONG}"

FORMS = {
    "none": "",
    "wrong": NOBODY,
    "bare": "Bearer",
    "basic": "Basic c2VhdHJpYWw6bm9uZQ==",
    "lower": "bearer {key}",
    "spaces": "Bearer  {key}",
    "less": "Bearer {key-}",
    "more": "Bearer {key+}",
}


def authorized(authorization: str) -> Request:
    """The good request under another authorization than the operator's."""
    return bearing(GOOD, authorization)


AUTH = {
    "authorizations": Scenario(
        requests={name: authorized(form) for name, form in FORMS.items()},
        traits=auth.KEYS,
        before=("chat/one-token", GOOD),
        tokens=len(FORMS),
    ),
    "guarded": Scenario(
        requests={name: bearing(route(name, body={}), "") for name in profile.routes().infer}, traits=auth.GUARDED
    ),
    "dummy": Scenario(
        requests={"dummy": authorized(NOBODY)}, traits=auth.KEYLESS, before=("chat/one-token", GOOD), tokens=1
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(AUTH))
def test_auth(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(AUTH[scenario]))
