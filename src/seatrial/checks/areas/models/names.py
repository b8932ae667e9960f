"""The model that a request names, or does not, and the one that an answer names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

UNKNOWN_MODEL = traits.FAULTY | trait("unknown-model")
"""A chat with a model that is not served."""

NAMELESS = traits.FAULTY | trait("nameless")
"""A chat without a model."""

TALK = traits.STREAM | traits.ANSWERS


@rule(row="models/6", level=Level.SHOULD, of=UNKNOWN_MODEL, answer=False, source="OpenAI's API; SGLang #31404")
def unknown_model_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A request for a model that is not served is refused with 404; a server with one model that answers all the same
    says which it was."""
    if x.status != 200:
        if x.status is not None and not 400 <= x.status < 500:
            yield violation("the status", expected="404", got=x.status, causes=look.by_5xx(x))
        elif x.status != 404:
            yield violation("the status", expected="404", got=x.status, so="a client cannot tell why")
        return
    asked, said = fields.mapping(x.request_json).get("model"), fields.mapping(x.json).get("model")
    if said == asked:
        so = "a client believes that another model answered"
        yield violation(
            "model", expected="404, or the id of the model that answered", got=said, so=so, grave=True, ignores="model"
        )
    elif len(expect.models) > 1:
        yield violation(
            "the status",
            expected=f"404: {len(expect.models)} models are served, this is none of them",
            got=f"200 from {said!r}",
            so="a misspelt name is answered by whatever model there is",
            grave=True,
            ignores="model",
        )
    else:
        so = "a misspelt name goes unnoticed"
        yield violation("the status", expected="404", got=f"200 from {said!r}", so=so, ignores="model")


@rule(
    row="models/7",
    level=Level.SHOULD,
    of=NAMELESS,
    answer=False,
    source="OpenAPI document, CreateChatCompletionRequest: model is required; llama.cpp takes its only one",
)
def chat_without_a_model_is_refused_or_says_whose_it_is(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A chat without a model is refused with a 4xx, or answered under the name of a model."""
    if x.status != 200:
        yield from look.not_refused(x)
    elif nothing := look.unreadable(x):
        yield nothing
    elif not next(iter(chat.names(x)), ""):
        so = "a client does not learn which model answered"
        yield violation("model", expected="a 4xx, or the name of the model", got="none", so=so)


@rule(row="models/8", level=Level.MUST, of=traits.CHAT, source="OpenAPI document, model: the model used")
def answers_name_one_model(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Answers name one model all through a run: the one asked for, or one other name, as an alias or a file's path is.

    Of a stream its first name is judged: that it stays is judged by sse/identity-is-constant.
    """
    said = next(iter(chat.names(x)), "")
    if not said and _is_nameless(x):
        so = "logs, accounts and clients that go by it do not know what has answered"
        yield violation("model", expected="the name of the model", got="an empty text", so=so)
    elif not said:
        yield no_evidence("model", expected="a name", got="none", causes=(causes.SCHEMA, causes.IDENTITY))
    elif expect.named and said != expect.named:
        expected = f"{shorten(expect.named, 80)}, which the first answer of the run named"
        yield violation("model", expected=expected, got=said, so=look.OTHER_MODEL)
    elif not expect.named and said != expect.model:
        yield no_evidence("the first answer of the run", expected="a name to hold this one against", got="none")


def _is_nameless(x: Exchange) -> bool:
    """Whether an answer has the field for its model's name, and nothing but blanks in it."""
    told = [fields.mapping(body).get("model") for body in (x.json, *(chunk.json for chunk in x.chunks))]
    return any(isinstance(name, str) and not name.strip() for name in told)


@rule(row="models/8", level=Level.MUST, of=TALK, source="OpenAPI document, model: the model used", sampled=True)
def probes_name_one_model(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Answers to the questions of behaviour name the model that the run's first answer named."""
    yield from look.other_names({name: chat.names(x) for name, x in xs.items() if x.status == 200}, expect)
