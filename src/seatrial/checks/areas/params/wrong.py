"""Parameters that cannot be meant: refused, and survived."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.checks import look
from seatrial.checks.areas.params.parts import ALONE, NO_NUMBER, OUT_OF_RANGE, STRAY, WRONG_TYPE
from seatrial.checks.findings import violation
from seatrial.checks.rules import rule
from seatrial.records import Exchange, Expect, Finding, Level


@rule(
    row="p/26",
    level=Level.SHOULD,
    of=WRONG_TYPE,
    answer=False,
    source="OpenAPI document, CreateChatCompletionRequest: types",
)
def wrong_types_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A parameter of a wrong type is refused with a 4xx."""
    yield from look.not_refused(x, so="a client's slip goes unnoticed, and the parameter means something else")


@rule(
    row="p/6",
    part=("temperature", "top_p", "penalties", "n", "top_logprobs"),
    level=Level.SHOULD,
    of=OUT_OF_RANGE,
    answer=False,
    source="OpenAPI document: minimum and maximum; llama.cpp 19367",
)
def numbers_out_of_range_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A number out of its range is refused with a 4xx."""
    yield from look.not_refused(x, so="a client's slip goes unnoticed, and another value is used")


@rule(
    row="p/16", level=Level.MAY, of=ALONE, answer=False, source="OpenAPI document, top_logprobs: logprobs must be true"
)
def top_logprobs_need_logprobs(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """top_logprobs without logprobs is refused with a 4xx."""
    yield from look.not_refused(x, so="a client waits for log probabilities that nobody gives")


@rule(row="p/25", level=Level.MAY, of=STRAY, answer=False, source="OpenAPI document, stream_options: only with stream")
def stray_stream_options_do_no_harm(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """stream_options of a request that asks for no stream are refused with a 4xx, or the answer is a plain one."""
    if look.is_refusal(x):
        return
    if x.status != 200:
        yield violation("the status", expected="200, or a 400", got=x.status, causes=look.by_parameters(x))
    elif x.is_stream or not look.holds_something(x):
        so = "a client that waits for one JSON object cannot read the answer"
        got, judges = x.content_type or "no content type", look.by_status(x)
        yield violation("the answer", expected="a plain one", got=got, so=so, causes=judges)


@rule(row="p/27", level=Level.SHOULD, of=NO_NUMBER, answer=False, source="RFC 8259 6; llama.cpp 19367: it hangs")
def what_is_no_number_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """NaN, Infinity, and a number too large to be held are refused with a 4xx; each is answered, and survived."""
    yield from look.not_refused(x, so="the answer is drawn by no temperature at all")
