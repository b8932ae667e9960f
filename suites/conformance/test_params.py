"""Parameters of a chat request: honoured where they are right, refused where they are wrong."""

import pytest

from seatrial.checks import traits
from seatrial.checks.rules import Rule, cases
from suites.conformance.scenarios import (
    COUNT,
    HELLO,
    NEVER,
    RULES,
    USAGE,
    Judge,
    Send,
    chat,
    faulty,
    lengths,
    request,
)

STREAM = {"stream": True, "stream_options": USAGE}
SOON = ["e", "a", "o", " "]  # a huge cap would let a small model run on to the end of its context

PARAMS = {
    "max-tokens": lengths("max_tokens"),
    "max-tokens-stream": lengths("max_tokens", **STREAM),
    "max-completion-tokens": lengths("max_completion_tokens"),
    "max-completion-tokens-stream": lengths("max_completion_tokens", **STREAM),
    "stop": chat(HELLO, stop="e", max_tokens=32, of={"stop"}),
    "stop-stream": chat(HELLO, stop="e", max_tokens=32, of={"stop"}, **STREAM),
    # No choice may end before its cap: whether usage counts them all can be told of full ones alone.
    "n": chat(COUNT, n=2, max_tokens=6, stop=[NEVER], of={"n"}),
    "n-stream": chat(COUNT, n=2, max_tokens=6, stop=[NEVER], of={"n"}, **STREAM),
    "logprobs": chat(COUNT, logprobs=True, max_tokens=6, of={"logprobs"}),
    "logprobs-stream": chat(COUNT, logprobs=True, max_tokens=6, of={"logprobs"}, **STREAM),
    "caps-differ": faulty(request(COUNT, max_tokens=16, max_completion_tokens=4), of={"bad-cap"}),
    "cap-huge": faulty(request(HELLO, max_tokens=10**12, stop=SOON), of={"bad-cap"}),
    "temperature-text": faulty(request(HELLO, temperature="0"), of={"wrong-type"}),
    "n-fraction": faulty(request(HELLO, n=1.5), of={"wrong-type"}),
    "stop-number": faulty(request(HELLO, stop=5), of={"wrong-type"}),
    "stream-text": faulty(request(HELLO, stream="yes"), of={"wrong-type"}),
    "cap-zero": faulty(request(HELLO, max_tokens=0), of={"bad-cap", *traits.KILLER}),
    "cap-negative": faulty(request(HELLO, max_tokens=-5), of={"bad-cap", *traits.KILLER}),
    "cap-text": faulty(request(HELLO, max_tokens="ten"), of={"wrong-type", *traits.KILLER}),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(RULES, PARAMS))
def test_params(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(PARAMS[scenario]))
