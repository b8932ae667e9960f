"""The list of models held against who answers: the model asked for, the others, and their state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes
from seatrial.checks.findings import about, no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import fields
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

USED = trait("used-model")
"""The list of models, after a chat with the one asked for."""

OTHERS = trait("other-models")
"""A chat with other models of the list, and vectors of those that refuse to chat."""


@rule(
    row="models/9",
    part="known words",
    level=Level.SHOULD,
    of=USED,
    answer=False,
    sampled=True,
    source="llama.cpp README, Using multiple models: status; pi PR 8235",
)
def status_is_a_known_word(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """What the list says of the state of a model is a word that clients know."""
    known = {word for words in _words(expect) for word in words}
    told = _told(xs)
    if nothing := _unlisted(xs) or _stateless(told):
        yield nothing
    for name, word in told.items():
        if word not in known:
            so = "clients drop a model whose state they do not know"
            expected = ", ".join(sorted(known))
            yield violation(f"status of {shorten(name, 60)}", expected=expected, got=word, so=so, about="list")


@rule(
    row="models/9",
    part="true of the model that answers",
    level=Level.SHOULD,
    of=USED,
    answer=False,
    sampled=True,
    source="llama.cpp README: a model that sleeps wakes by itself; pi PR 8235: clients dropped it",
)
def model_that_answers_is_listed_as_ready(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A model that has just answered a chat is listed as loaded, or as one that wakes by itself."""
    ready, others = _words(expect)
    told = _told(xs)
    if nothing := _unlisted(xs) or _stateless(told):
        yield nothing
    elif (word := told.get(expect.model)) is None:
        got = ", ".join(f"{name}: {word}" for name, word in list(told.items())[:4])
        yield refusal("the status of the model asked for", expected="a word", got=got, optional=True)
    elif word in others and word not in ready:
        so = "clients that ask the list before they ask the model leave it out"
        expected = f"{' or '.join(ready)}: it has just answered"
        yield violation(f"status of {shorten(expect.model, 60)}", expected=expected, got=word, so=so, about="list")


@rule(
    row="models/5",
    part="the one asked for",
    level=Level.SHOULD,
    of=USED,
    answer=False,
    sampled=True,
    source="clients offer their user what the list has: Open WebUI, OpenClaw",
)
def used_model_is_listed(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The model that answers chats is in the list, under its id or an alias."""
    if nothing := _unlisted(xs):
        yield nothing
        return
    items = [fields.mapping(item) for item in fields.listing(fields.mapping(xs["list"].json).get("data"))]
    known = [name for item in items for name in (item.get("id"), *fields.listing(item.get("aliases")))]
    if expect.model not in known and not any("*" in name for name in known if isinstance(name, str)):
        so = "a client that offers its user what is listed never offers this model"
        got = ", ".join(str(name) for name in known[:4]) or "none"
        yield violation("data", expected=shorten(expect.model, 80), got=got, so=so, about="list")


@rule(
    row="models/5",
    part="the others",
    level=Level.SHOULD,
    of=OTHERS,
    answer=False,
    sampled=True,
    source="OpenAPI document, listModels: the currently available models",
)
def each_listed_model_is_usable(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Each model of the list that is asked answers a chat, or gives vectors."""
    chats = {name: x for name, x in xs.items() if name != "list" and ":" not in name}
    for name, x in chats.items():
        vectors = xs.get(f"{name}: vectors")
        if found := answering.unheard(x) or answering.silent(x):
            yield about(name, found)
        elif x.status != 200 and (vectors is None or vectors.status != 200):
            told = shorten(str(fields.mapping(x.request_json).get("model")), 80)
            got = f"{x.status} {x.body[:120].decode('utf-8', 'replace')}"
            so = "a client chooses it from the list, and fails"
            yield violation(f"{name}: {told}", expected="an answer", got=got, so=so, about=name)
    if not chats:
        yield no_evidence("the recording", expected="a chat", got="none")


def _unlisted(xs: Mapping[str, Exchange]) -> Finding | None:
    """Why the list shows nothing of a model that answers, or None."""
    before, listed = xs.get("before"), xs.get("list")
    if before is None or before.status != 200:
        got = "none" if before is None else str(before.status or before.error)
        return no_evidence("the chat", expected="200", got=got, causes=(causes.ANSWERED + causes.SOME,))
    if listed is None or listed.status != 200 or not fields.listing(fields.mapping(listed.json).get("data")):
        got = "none" if listed is None else str(listed.status or listed.error)
        judges = (causes.LIST + causes.SOME, causes.ANSWERED + causes.SOME)
        return no_evidence("the list", expected="200, and a model", got=got, causes=judges)
    return None


def _told(xs: Mapping[str, Exchange]) -> dict[str, str]:
    """What the list says of the state of its models, by their ids and aliases."""
    found: dict[str, str] = {}
    for item in map(
        fields.mapping, fields.listing(fields.mapping(xs["list"].json if "list" in xs else None).get("data"))
    ):
        status = item.get("status")
        word = status if isinstance(status, str) else fields.mapping(status).get("value")
        if isinstance(word, str):
            names = (item.get("id"), *fields.listing(item.get("aliases")))
            found |= {name: word for name in names if isinstance(name, str)}
    return found


def _stateless(told: Mapping[str, str]) -> Finding | None:
    if told:
        return None
    return refusal("status", expected="a word of its state", got="none: it lists no state of its models", optional=True)


def _words(expect: Expect) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words for a model that answers at once, and for others."""
    return tuple(expect.settings.get("answers", ())), tuple(expect.settings.get("others", ()))
