"""Text of any characters: it harms nobody, and comes back as it went."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

from seatrial.checks import causes, look
from seatrial.checks.areas.context.parts import ECHO, ODD
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, fields
from seatrial.records import Exchange, Expect, Finding, Level

UNBOUND = ("structured/answer-validates" + causes.SOME, "structured/names-and-values-of-any-script-work" + causes.SOME)
"""The rules whose finding it is that an answer is not bound to its schema."""


@rule(
    row="ctx/6",
    part=("empty and white space", "control characters", "scripts, joiners and accents", "one long line"),
    level=Level.MUST,
    of=ODD,
    answer=False,
    source="RFC 8259 7: any character may stand in a string; vLLM's own fuzzing leaves out NUL",
)
def odd_text_is_never_a_5xx(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Text of any characters is answered, or refused with a 4xx."""
    if x.status == 200:
        if nothing := look.unanswered(x):
            yield nothing
    elif not look.is_refusal(x):
        so = "whoever pastes such a text stops his own work, and perhaps that of others"
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        yield violation("the status", expected="200 or a 4xx", got=got, so=so)


@rule(row="ctx/7", level=Level.SHOULD, of=ECHO, source="RFC 8259 8.1: UTF-8; Unicode 3.11: no form is changed unasked")
def characters_come_back_as_they_went(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A text of many scripts that the answer must hold comes back with the same characters."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    wanted = _only_text(x)
    for answer in chat.answers(x).values():
        where = f"choice {answer.index}, content"
        got = _held(answer.content)
        if got == wanted:
            continue
        if got is None or not _mangled(got, wanted):
            expected = f"an object with {wanted!r}"
            judges = (*UNBOUND, *look.by_spelling(answer.content))
            yield no_evidence(where, expected=expected, got=answer.content, causes=judges)
            continue
        so = "names are not found again, and files are written under other ones"
        expected, told = _spelt(wanted, got), _spelt(got, wanted)
        yield violation(where, expected=expected, got=told, so=so, causes=causes.WRITTEN)


def _only_text(x: Exchange) -> str:
    """The one text that the schema of a request allows."""
    form = fields.mapping(fields.mapping(x.request_json).get("response_format"))
    schema = fields.mapping(fields.mapping(form.get("json_schema")).get("schema"))
    allowed = fields.mapping(fields.mapping(schema.get("properties")).get("text")).get("enum")
    return next((text for text in fields.listing(allowed) if isinstance(text, str)), "")


def _held(content: str) -> str | None:
    """The text of an answer's object; None where it has none."""
    try:
        return fields.string(fields.mapping(json.loads(content)).get("text"))
    except (ValueError, RecursionError):
        return None


def _mangled(got: str, wanted: str) -> bool:
    """Whether a text is the wanted one, changed by what changes texts: another form, another coding, signs of loss."""
    if unicodedata.normalize("NFKC", got) == unicodedata.normalize("NFKC", wanted):
        return True
    plain = ["".join(c for c in text if c.isascii() and c.isalnum()) for text in (got, wanted)]
    return "\ufffd" in got or (bool(plain[1]) and plain[0] == plain[1])


def _spelt(text: str, other: str) -> str:
    """A text from shortly before the place where it parts from another, its characters as code points."""
    at = next((n for n, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    return " ".join(f"U+{ord(c):04X}" for c in text[max(0, at - 1) : at + 5]) + f" at character {at}"
