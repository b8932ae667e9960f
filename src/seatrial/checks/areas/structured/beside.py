"""What stands beside a format stays free: calls, thought; and no white space without end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from seatrial.checks import answering, causes, look, schemas
from seatrial.checks.areas.structured import asked, told
from seatrial.checks.findings import about, no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import bound, chat, fields, reasoning, tools
from seatrial.records import Exchange, Expect, Finding, Level

LONGEST = 120
"""White space between two parts of JSON is no longer, however deep it is laid out."""

TEXT = re.compile(r'"(?:[^"\\]|\\.)*"?')
SPACE = re.compile(r"\s+")


@rule(
    row="so/13",
    part="tools",
    level=Level.SHOULD,
    of=asked.WITH_TOOLS,
    optional=True,
    source="OpenAPI document: response_format binds the message, function.parameters the calls; Ollama issue 11037",
)
def calls_are_free_of_the_format(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """With tools offered beside a format, a message without calls keeps the format, and the format never takes the
    place of a call that was asked for by name; or the request is refused."""
    made = tools.calls(x)
    forced = isinstance(fields.mapping(x.request_json).get("tool_choice"), dict)
    for where, value, found in told.values(x, kind="object", causes=told.plainly(x)):
        if any(where == f"choice {index}" for index in made):
            if not forced:
                got, judges = "a call, where none is allowed", ("tools/none-calls-nothing[*]",)
                yield no_evidence(where, expected="a message that keeps the format", got=got, causes=judges)
            continue
        if not forced:
            yield from told.unfit(x, causes=told.plainly(x), families=(told.EVERYDAY,))
            return
        if found is not None and found.kind == "no-evidence":
            yield found
        elif found is None and schemas.fits(bound.schema(x), value):
            so = "an agent that waits for its call gets an answer in its place"
            expected = "a call of the function"
            yield violation(where, expected=expected, got=value, so=so, grave=True, causes=causes.NAMED_CALLED)
        else:
            got = "neither a call nor the format"
            yield no_evidence(where, expected="a call of the function", got=got, causes=causes.NAMED_CALLED)


@rule(
    row="so/13",
    part="reasoning",
    level=Level.SHOULD,
    of=asked.WITH_THOUGHT,
    optional=True,
    source="vLLM PR 12955: the constraint begins after the thought; vLLM issues 47027 and 50948",
)
def thought_is_free_of_the_format(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A model that thinks without a format thinks with one too, its thought is bound by none, and what it says after
    it keeps the format; or the request is refused."""
    if "free" not in xs or "bound" not in xs:
        yield no_evidence("the recording", expected="an answer with a format and one without", got=", ".join(xs))
        return
    held = xs["bound"]
    if nothing := look.unanswered(xs["free"]):
        yield about("free", nothing)
        return
    yield from (
        about("bound", found) for found in told.unfit(held, causes=told.plainly(held), families=(told.EVERYDAY,))
    )
    thinks = any(answer.reasoning.strip() for answer in chat.answers(xs["free"]).values())
    for index, answer in chat.answers(held).items():
        where, thought = f"bound: choice {index}", answer.reasoning.strip()
        value, wrong = bound.decoded(thought)
        if thought and not wrong and isinstance(value, dict | list):
            so = "the model cannot think in the words it was trained to think in"
            judges = () if answer.content.strip() else causes.BOUND  # the answer stands there, and no thought
            expected = "thought in words"
            yield violation(f"{where}, thought", expected=expected, got=thought, so=so, about="bound", causes=judges)
        elif thinks and not thought and "length" not in answer.reasons:
            so = "answers are those of a model that does not think"
            expected = "thought, as without a format"
            yield violation(f"{where}, thought", expected=expected, got="none", so=so, about="bound")


@rule(
    row="so/14",
    level=Level.SHOULD,
    of=asked.FORMED,
    optional=True,
    answer=False,
    source="OpenAI, JSON mode: an unending stream of white space; vLLM issue 13260",
)
def white_space_ends(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """No more than 120 characters of white space stand between two parts of JSON, or at its end; and where JSON is
    whole, it ends, and goes on up to its cap with nothing that is shown."""
    if wrong := answering.refused(x):  # what a server makes of its schema is for the rule on that
        unanswered = refusal(wrong.where, expected="an answer to judge", got=wrong.got, optional=True)
        yield replace(unanswered, causes=(causes.ANSWERED, *look.by_status(x), *look.by_parameters(x)))
        return
    if nothing := look.unanswered(x):
        yield nothing
        return
    for index, answer in chat.answers(x).items():
        runs = SPACE.findall(TEXT.sub('""', answer.content))
        longest = max(map(len, runs), default=0)
        if longest > LONGEST:
            got = f"{longest} of {len(answer.content)} characters; finish_reason {answer.reasons or None}"
            so = "a client waits and pays for tokens that say nothing"
            yield violation(f"choice {index}, content", expected=f"{LONGEST} at most in a row", got=got, so=so)
        elif hidden := _hidden(x, answer):
            so = "a client on the official helpers takes a whole object for a cut one, and pays for what is not shown"
            expected = "an end where the JSON ends"
            yield violation(f"choice {index}, finish_reason", expected=expected, got=hidden, so=so)


def _hidden(x: Exchange, answer: chat.Answer) -> str:
    """How much was made after whole JSON that its cap ended, in words; empty where nothing was for certain.

    No token is shorter than a byte; thought, and other choices, have tokens of their own.
    """
    count, size = chat.completion_tokens(x), len(answer.content.encode("utf-8", "replace"))
    if count is None or count <= size or chat.wanted(x) > 1 or "length" not in answer.reasons:
        return ""
    if answer.reasoning or fields.integer(reasoning.tokens(x)):
        return ""
    return "" if bound.decoded(answer.content)[1] else f'"length", after {count} tokens for {size} bytes of JSON'
