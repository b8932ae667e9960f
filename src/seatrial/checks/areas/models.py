"""The list of models, and what happens to a name that is not on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

MODELS = traits.JSON | trait("models")
"""The list of models."""

UNKNOWN_ID = traits.FAULTY | trait("unknown-id")
"""The page of a model that is not listed."""

UNKNOWN_MODEL = traits.FAULTY | trait("unknown-model")
"""A chat with a model that is not served."""

TALK = traits.STREAM | traits.ANSWERS

MODEL_FIELDS = {"id": str, "object": str, "created": int, "owned_by": str}


@rule(row="models/1", level=Level.MUST, of=MODELS, source="OpenAPI document, ListModelsResponse")
def list_has_its_shape(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """GET /models answers an object with "object": "list" and an array "data"."""
    if not isinstance(x.json, dict):
        yield violation("the body", expected="a JSON object", got=x.fault or x.json, so="models.list() raises")
        return
    if x.json.get("object") != "list":
        yield violation("object", expected='"list"', got=x.json.get("object"))
    if not isinstance(x.json.get("data"), list):
        yield violation("data", expected="an array", got=x.json.get("data"), so="a client finds no model to choose")


@rule(row="models/2", level=Level.MUST, of=MODELS, source="OpenAPI document, Model: required")
def item_has_its_fields(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Each model listed has id, "object": "model", a whole number "created" and owned_by."""
    if nothing := look.no_object(x):
        yield nothing
        return
    listed = fields.listing(x.json.get("data"))
    if not listed:
        got = x.json.get("data", "no such key")
        yield no_evidence("data", expected="a model to judge", got=got, causes=(causes.LIST,))
    for position, model in enumerate(listed):
        where = f"data[{position}]"
        if not isinstance(model, dict):
            yield violation(where, expected="an object", got=model, so="a client that lists the models falls over")
            continue
        for name, kind in MODEL_FIELDS.items():
            value = model.get(name)
            if not isinstance(value, kind) or isinstance(value, bool) or value == "":
                wants = "a whole number" if kind is int else "a string"
                got, so = value if name in model else "no such key", "a client of typed fields has none, or falls over"
                yield violation(f"{where}.{name}", expected=wants, got=got, so=so)
        if isinstance(model.get("object"), str) and model["object"] != "model":
            yield violation(f"{where}.object", expected='"model"', got=model["object"])


@rule(row="models/4", level=Level.MUST, of=UNKNOWN_ID, answer=False, source="OpenAI's API: 404 model_not_found")
def unknown_id_is_a_404(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """GET /models/{id} answers 404 for an id that is not listed."""
    if x.status != 404:
        so = "a client takes the model for present" if x.status == 200 else ""
        yield violation("the status", expected="404", got=x.status, so=so, causes=look.by_5xx(x))


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


@rule(row="models/8", level=Level.MUST, of=traits.CHAT, source="OpenAPI document, model: the model used")
def answers_name_one_model(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Answers name one model all through a run: the one asked for, or one other name, as an alias or a file's path is.

    Of a stream its first name is judged: that it stays is judged by sse/identity-is-constant.
    """
    said = next(iter(chat.names(x)), "")
    if not said:
        yield no_evidence("model", expected="a name", got="none", causes=(causes.SCHEMA, causes.IDENTITY))
    elif expect.named and said != expect.named:
        expected = f"{shorten(expect.named, 80)}, which the first answer of the run named"
        yield violation("model", expected=expected, got=said, so=look.OTHER_MODEL)
    elif not expect.named and said != expect.model:
        yield no_evidence("the first answer of the run", expected="a name to hold this one against", got="none")


@rule(row="models/8", level=Level.MUST, of=TALK, source="OpenAPI document, model: the model used", sampled=True)
def probes_name_one_model(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Answers to the questions of behaviour name the model that the run's first answer named."""
    yield from look.other_names({name: chat.names(x) for name, x in xs.items() if x.status == 200}, expect)
