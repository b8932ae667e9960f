"""Parameters of a chat request: honoured where they are right, refused where they are wrong."""

import pytest

from seatrial.checks import traits
from seatrial.checks.areas import params
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from suites.conformance.scenarios import COUNT, HELLO, NEVER, USAGE, Judge, Send, chat, faulty, lengths, request

STREAM = {"stream": True, "stream_options": USAGE}
SOON = ["e", "a", "o", " "]  # a huge cap would let a small model run on to the end of its context

PARAMS = {
    "max-tokens": lengths("max_tokens", of=params.MAX_TOKENS),
    "max-tokens-stream": lengths("max_tokens", of=params.MAX_TOKENS, **STREAM),
    "max-completion-tokens": lengths("max_completion_tokens", of=params.MAX_COMPLETION_TOKENS),
    "max-completion-tokens-stream": lengths("max_completion_tokens", of=params.MAX_COMPLETION_TOKENS, **STREAM),
    "stop": chat(HELLO, stop="e", max_tokens=32, of=params.STOP),
    "stop-stream": chat(HELLO, stop="e", max_tokens=32, of=params.STOP, **STREAM),
    # No choice may end before its cap: whether usage counts them all can be told of full ones alone.
    "n": chat(COUNT, n=2, max_tokens=6, stop=[NEVER], of=params.CHOICES),
    "n-stream": chat(COUNT, n=2, max_tokens=6, stop=[NEVER], of=params.CHOICES, **STREAM),
    "logprobs": chat(COUNT, logprobs=True, max_tokens=6, of=params.LOGPROBS),
    "logprobs-stream": chat(COUNT, logprobs=True, max_tokens=6, of=params.LOGPROBS, **STREAM),
    "caps-differ": faulty(request(COUNT, max_tokens=16, max_completion_tokens=4), of=params.BAD_CAP),
    "cap-huge": faulty(request(HELLO, max_tokens=10**12, stop=SOON), of=params.BAD_CAP),
    "temperature-text": faulty(request(HELLO, temperature="0"), of=params.WRONG_TYPE),
    "n-fraction": faulty(request(HELLO, n=1.5), of=params.WRONG_TYPE),
    "stop-number": faulty(request(HELLO, stop=5), of=params.WRONG_TYPE),
    "stream-text": faulty(request(HELLO, stream="yes"), of=params.WRONG_TYPE),
    "cap-zero": faulty(request(HELLO, max_tokens=0), of=params.BAD_CAP | traits.KILLER),
    "cap-negative": faulty(request(HELLO, max_tokens=-5), of=params.BAD_CAP | traits.KILLER),
    "cap-text": faulty(request(HELLO, max_tokens="ten"), of=params.WRONG_TYPE | traits.KILLER),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(PARAMS))
def test_params(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(PARAMS[scenario]))
