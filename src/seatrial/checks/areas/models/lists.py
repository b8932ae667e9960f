"""The list of models, and the page of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from seatrial.checks import causes, look, traits
from seatrial.checks.areas.chat.answers import UNTIL
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import fields
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

MODELS = traits.JSON | trait("models")
"""The list of models."""

ONE = trait("one-model")
"""The list of models, and the page of the one asked for, its id as it is and all of it encoded."""

UNKNOWN_ID = traits.FAULTY | trait("unknown-id")
"""The page of a model that is not listed."""

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


@rule(row="models/2", level=Level.MUST, of=MODELS, source="OpenAPI document, Model: required; created in seconds")
def item_has_its_fields(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Each model listed has id, "object": "model", a whole number of seconds "created" and owned_by."""
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
            elif isinstance(value, int) and value >= UNTIL:
                wants = "seconds since 1970, before 2101"
                so = "a client that sorts models by age, or shows it, is wrong"
                yield violation(f"{where}.{name}", expected=wants, got=value, so=so)
        if isinstance(model.get("object"), str) and model["object"] != "model":
            yield violation(f"{where}.object", expected='"model"', got=model["object"])


@rule(
    row="models/3",
    part="the same",
    level=Level.SHOULD,
    of=ONE,
    answer=False,
    source="OpenAPI document, retrieveModel and listModels: the same Model",
)
def one_model_is_as_listed(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """GET /models/{id} answers what the list holds of that model: its id, object and owner."""
    plain, listed = xs.get("plain"), _listed(xs)
    told = fields.mapping(plain.json) if plain is not None else {}
    if plain is None or all(x.status in look.NO_ROUTE for name, x in xs.items() if name != "list"):
        yield refusal("the route", expected="a page of the model", got=_statuses(xs), optional=True)
    elif plain.status in look.NO_ROUTE:
        return  # in another form it is there: models/3 has a rule on that
    elif listed is None:
        judges = (causes.LIST + causes.SOME,)
        yield no_evidence("the list", expected=f"the model {shorten(expect.model, 60)}", got="not in it", causes=judges)
    elif plain.status != 200:
        so = "models.retrieve() raises for a model that is served"
        yield violation("the status", expected="200", got=plain.status, so=so, about="plain")
    else:
        for name in ("id", "object", "owned_by"):
            if isinstance(listed.get(name), str) and told.get(name) != listed[name]:
                so = "a client that looks its model up takes it for another"
                got = told.get(name, "no such key")
                yield violation(name, expected=shorten(listed.get(name)), got=got, so=so, about="plain")


@rule(
    row="models/3",
    part="its id in any form",
    level=Level.SHOULD,
    of=ONE,
    answer=False,
    source="RFC 3986 2.3: what is encoded means the same; openai-python encodes an id",
)
def id_is_read_in_any_form(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """GET /models/{id} answers alike whether the id stands there as it is or encoded."""
    forms = {name: x for name, x in xs.items() if name != "list"}
    found = [name for name, x in forms.items() if x.status == 200]
    if not found:
        yield refusal("the route", expected="a page of the model", got=_statuses(xs), optional=True)
    for name, x in forms.items():
        if x.status != 200 and found:
            so = "one client finds the model, and another does not"
            got = f"{x.status}, {found[0]}: 200"
            yield violation(f"{name}: the status", expected="200", got=got, so=so, about=name)


@rule(row="models/4", level=Level.MUST, of=UNKNOWN_ID, answer=False, source="OpenAI's API: 404 model_not_found")
def unknown_id_is_a_404(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """GET /models/{id} answers 404 for an id that is not listed."""
    if x.status != 404:
        so = "a client takes the model for present" if x.status == 200 else ""
        yield violation("the status", expected="404", got=x.status, so=so, causes=look.by_5xx(x))


def _listed(xs: Mapping[str, Exchange]) -> dict[str, Any] | None:
    """The item of the list whose page was asked for; None where it is not listed."""
    if not {"plain", "list"} <= xs.keys():
        return None
    plain, listed = (fields.mapping(xs[name].json) for name in ("plain", "list"))
    items = [fields.mapping(item) for item in fields.listing(listed.get("data"))]
    wanted = xs["plain"].path.rpartition("/models/")[2]
    by_id = {item.get("id"): item for item in items if isinstance(item.get("id"), str)}
    return by_id.get(unquote(wanted)) or by_id.get(fields.string(plain.get("id")))


def _statuses(xs: Mapping[str, Exchange]) -> str:
    return ", ".join(f"{name}: {x.status or x.error}" for name, x in xs.items() if name != "list")
