"""What a server claims of itself, and what it does."""

import pytest

from seatrial.checks.areas import claims
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.kinds import profile
from seatrial.records import Scenario
from suites.conformance.scenarios import HELLO, THINKING, WEATHER, Judge, Send, request, route

DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
"""A picture of one point."""

SAYS = [{"type": "text", "text": "Say "}, {"type": "text", "text": "hello."}]
SEES = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": DOT}}]
PAGES = dict.fromkeys(claim.page for claim in profile.claims())

CLAIMS = {
    "claims": Scenario(
        requests={
            **{page: route(page, body={"model": None} if page.startswith("POST") else None) for page in PAGES},
            "tools": request(HELLO, tools=[WEATHER], tool_choice="required", max_tokens=48),
            "parts": request([{"role": "user", "content": SAYS}], max_tokens=1),
            "image": request([{"role": "user", "content": SEES}], max_tokens=1),
            "thought": request("What is 7 times 6?", max_tokens=64, **THINKING),
        },
        traits=claims.CLAIMED,
        settings={"claims": [[claim.of, claim.page, claim.at, claim.member] for claim in profile.claims()]},
        tokens=114,
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(CLAIMS))
def test_claims(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(CLAIMS[scenario]), **CLAIMS[scenario].settings)
