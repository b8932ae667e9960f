"""What an answer that was to be JSON says: judged by its rules alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from seatrial.checks import look, schemas
from seatrial.checks.causes import BOTH_WAYS, BOUND, BOUND_STREAM, SOME, UNMARKED, WORDS
from seatrial.checks.findings import no_evidence, violation
from seatrial.reading import bound, chat, fields, reasoning
from seatrial.records import Exchange, Finding

UNBOUND = "a client that decodes it has an exception in place of its object"
MISFIT = "a client reads values that its schema rules out"
ANNOTATES = frozenset({"format"})
"""Keywords by which JSON Schema itself binds nothing; that they are not kept is no breach of the schema."""


def plainly(x: Exchange) -> tuple[str, ...]:
    """The rules by which a server fails that binds nothing at all, or nothing in streams."""
    return (*BOUND, *BOUND_STREAM) if chat.asks_for_stream(x) else BOUND


def unfit(
    x: Exchange,
    *,
    so: str = MISFIT,
    causes: tuple[str, ...] = (),
    families: Families = (),
    only: frozenset[str] = frozenset(),
) -> Iterator[Finding]:
    """What is wrong with each choice of an answer that a schema binds.

    Args:
        so: what a value does to a client that does not fit.
        causes: the rules by which the same server fails more plainly.
        families: rules on keywords, by which it does so where theirs are all that is broken.
        only: keywords that are in question, and no other; empty: all.
    """
    schema = bound.schema(x)
    for where, value, found in values(x, kind=fields.mapping(schema).get("type"), causes=causes):
        if found is not None:
            yield found
            continue
        try:
            wrong = [each for each in schemas.misfits(schema, value) if not only or each.keyword in only]
        except schemas.UnreadableError as error:
            yield no_evidence(where, expected="a schema to hold it against", got=str(error))
            continue
        text = json.dumps(value, ensure_ascii=False)
        spelt = (*look.by_spelling(text, x), *_by_stream(x, text))
        judges = (*causes, *by_keywords(schema, value, families), *spelt) if wrong else ()
        for misfit in wrong:
            yield violation(
                f"{where}, content{misfit.where}",
                expected=f"what the schema's {misfit.keyword} allows",
                got=misfit.message,
                so=so,
                grave=misfit.keyword not in ANNOTATES,
                causes=judges,
            )


EVERYDAY = (
    "structured/everyday-keywords-are-enforced[*]",
    frozenset({"enum", "const", "type", "minItems", "maxItems"}),
)
KEYS = ("structured/keys-are-those-of-the-schema[*]", frozenset({"required", "additionalProperties"}))
JOINED = "structured/references-and-alternatives-are-enforced[*]"
FINE = (
    "structured/patterns-and-bounds-are-enforced[*]",
    frozenset({"pattern", "minimum", "maximum", "minLength", "maxLength"}),
)
"""Rules on keywords, and the keywords that they judge: who breaks one of them does so in every schema that has it."""

Families = tuple[tuple[str, frozenset[str]], ...]


def by_keywords(schema: Any, value: Any, families: Families) -> tuple[str, ...]:
    """Of the rules on keywords those whose keywords are all that a value breaks."""
    return tuple(rule for rule, words in families if schemas.fits(_without(schema, words), value))


def _without(schema: Any, words: frozenset[str], *, named: bool = False) -> Any:
    """A schema without some keywords, wherever they allow less. ``named``: its keys are names, and no keywords."""
    if isinstance(schema, list):
        return [_without(each, words) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key == "not" else _without(value, words, named=not named and key in ("properties", "$defs"))
        for key, value in schema.items()
        if named or key not in words
    }


def values(x: Exchange, *, kind: Any = None, causes: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, Finding | None]]:
    """(where, value, why there is none) of each choice of an answer.

    Args:
        kind: the ``type`` that is asked for.
    """
    if nothing := look.unanswered(x):
        yield "", None, nothing
        return
    declined = set(refusing(x))
    for index, answer in chat.answers(x).items():
        where = f"choice {index}"
        value, wrong = bound.decoded(answer.content)
        if not wrong:
            yield where, value, None
        elif excuse := _excuse(answer, kind, declined=index in declined):
            yield where, None, no_evidence(f"{where}, content", expected="JSON to its end", got=excuse)
        else:
            got = f"{wrong}: {answer.content}" if answer.content.strip() else f"{wrong}{_elsewhere(answer)}"
            expected, at = "JSON and nothing else", f"{where}, content"
            judges = (
                *look.by_content(x),
                *causes,
                *_by_thought(answer),
                *look.by_spelling(answer.content, x),
                *_by_stream(x, answer.content),
                *(WORDS if not answer.content.strip() else ()),
            )
            yield where, None, violation(at, expected=expected, got=got, so=UNBOUND, grave=True, causes=judges)


def refusing(x: Exchange) -> Iterator[int]:
    """The choices in which the model itself declined, in the field that the specification has for it."""
    for _where, index, _choice, message in chat.choices(x):
        if fields.string(message.get("refusal")):
            yield index


def _elsewhere(answer: chat.Answer) -> str:
    """That the JSON stands in the thought, in words; empty where it does not."""
    value, wrong = bound.decoded(answer.reasoning)
    return "" if wrong or not isinstance(value, dict | list) else f"; as thought: {answer.reasoning}"


def _by_thought(answer: chat.Answer) -> tuple[str, ...]:
    """The rule whose finding it is that thought stands before the JSON; none where none does."""
    return UNMARKED if reasoning.mark(answer.content) else ()


def _by_stream(x: Exchange, content: str) -> tuple[str, ...]:
    """The rule whose finding it is that a stream is not the plain answer, where an object is there, but not whole."""
    return (BOTH_WAYS + SOME,) if chat.asks_for_stream(x) and content.lstrip()[:1] == "{" else ()


def _excuse(answer: chat.Answer, kind: Any, *, declined: bool) -> str:
    """Why no JSON is no fault: the model declined, a filter or the cap ended what had begun well; empty: it is one."""
    if declined and not answer.content:
        return "the model declined"
    if "content_filter" in answer.reasons:
        return "a filter ended it"
    if "length" in answer.reasons and bound.is_begun(answer.content, kind=kind):
        return f"cut by its cap: {answer.content or f'{len(answer.reasoning)} characters of reasoning'}"
    return ""
