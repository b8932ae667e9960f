"""JSON is given where JSON was asked for: plain, streamed, against the prompt, and cut."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.checks import causes, look, schemas
from seatrial.checks.areas.structured import asked, told
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import bound, chat
from seatrial.records import Exchange, Expect, Finding, Level

STRICT = "OpenAPI document, ResponseFormatJsonSchema.strict: always follows the exact schema"


@rule(
    row="so/1",
    level=Level.MUST,
    of=asked.OBJECT,
    optional=True,
    source="OpenAPI document, ResponseFormatJsonObject: the message is valid JSON; igllama PR 81",
)
def json_object_gives_an_object(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Where json_object is asked for, the content is one JSON object and nothing else; or the request is refused."""
    for where, value, found in told.values(x, kind="object", causes=told.plainly(x)):
        if found is not None:
            yield found
        elif not isinstance(value, dict):
            at, so = f"{where}, content", "a client that reads keys has an exception"
            yield violation(at, expected="an object", got=value, so=so, grave=True, causes=told.plainly(x))


@rule(row="so/2", level=Level.MUST, of=asked.BOUND, source=f"{STRICT}; llama.cpp issues 24097, 11988")
def answer_validates(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Where a schema is asked for, the content is one JSON text that validates against it, and nothing else."""
    yield from told.unfit(x, so="a client reads values that its schema rules out, or none at all")


@rule(
    row="so/12",
    part="the joined stream validates",
    level=Level.MUST,
    of=asked.BOUND_STREAM,
    source=f"{STRICT}; llama.cpp PR 21537",
)
def streamed_answer_validates(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Where a schema is asked for, the joined content of a stream is JSON that validates, and nothing else."""
    so = "a client that streams has no object, where one that waits has it"
    yield from told.unfit(x, so=so, causes=causes.BOUND)


@rule(row="so/4", level=Level.MUST, of=asked.ADVERSE, source=STRICT)
def prompt_cannot_talk_it_out_of_the_schema(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Where the prompt asks for prose and the request for a schema, the schema holds."""
    so = "whoever writes into the prompt decides what the client's program gets to read"
    yield from told.unfit(x, so=so, causes=told.plainly(x), families=(told.EVERYDAY,))


@rule(
    row="so/12",
    part="a cut answer says length",
    level=Level.MUST,
    of=asked.CUT,
    source="OpenAPI document, finish_reason: length if the maximum number of tokens was reached",
)
def cut_answer_says_length(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """JSON that its cap ends before its end says finish_reason "length"."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    for index, answer in chat.answers(x).items():
        where = f"choice {index}"
        if "length" in answer.reasons:
            if not answer.content:
                got = f"{len(answer.reasoning)} characters of reasoning"
                yield no_evidence(f"{where}, content", expected="the beginning of JSON", got=got)
            continue
        value, wrong = bound.decoded(answer.content)
        if wrong or not schemas.fits(bound.schema(x), value):
            got = f"{answer.reasons or None}, after {answer.content}"
            so = "a client takes half an object for a whole one"
            judges = (*causes.BOUND, *causes.BOUND_STREAM, *look.by_end(x, answer.reasons))
            yield violation(f"{where}, finish_reason", expected='"length"', got=got, so=so, causes=judges)
