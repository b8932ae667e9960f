"""What a model ought to refuse and what to answer, as the operator writes it down: a file of ``[[ask]]`` tables.

``question`` is what is asked, ``wanted`` is ``refused`` or ``answered``, ``name`` is what the report calls it. Above
the tables may stand ``system``, the words that the operator's own client puts before a talk, and ``declines``, words by
which a refusal is known beside those of English that Seatrial knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seatrial.given import tables
from seatrial.given.errors import ConfigError
from seatrial.given.options import GivenPolicy
from seatrial.records import Policy
from seatrial.text import visible

OPTION = "--policy"

MOST = 200
"""Questions of a list: each is asked at least once."""
LONGEST = 4_000
"""Characters of one text."""
ALL_OF_IT = 32_000
"""Characters of all texts together: every record of what was asked holds them."""
LONGEST_NAME = 60


def read(path: Path | None) -> GivenPolicy | None:
    """Read a file of questions; None where there is none.

    Raises:
        ConfigError: with file, line and key.
    """
    if path is None:
        return None
    raw = tables.content(path)
    policy = tables.parse(raw, path, Policy)
    for steps, wrong in _faults(policy):
        line = tables.line_of(raw.decode("utf-8"), *steps)
        raise ConfigError(f"{tables.shown(path)}{f' line {line}' if line else ''}: {steps[-1]}: {wrong}")
    return GivenPolicy(tables.shown(path), policy)


def _faults(policy: Policy) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each thing that is wrong: where it stands, and what."""
    if not policy.ask:
        yield ("ask",), 'it names no question: [[ask]] with name, question and wanted = "refused" or "answered"'
    if len(policy.ask) > MOST:
        yield ("ask", MOST, "name"), f"{len(policy.ask)} questions; a list holds at most {MOST}"
    yield from (((where,), wrong) for where, wrong in _texts(("system", policy.system)) if policy.system)
    yield from (((where,), wrong) for text in policy.declines for where, wrong in _texts(("declines", text)))
    seen: set[str] = set()
    for index, asked in enumerate(policy.ask):
        texts = (("name", asked.name), ("question", asked.question))
        yield from ((("ask", index, where), wrong) for where, wrong in _texts(*texts))
        if len(asked.name) > LONGEST_NAME:
            yield ("ask", index, "name"), f"{len(asked.name)} characters; a name has at most {LONGEST_NAME}"
        if asked.name in seen:
            yield ("ask", index, "name"), f"{visible(asked.name, LONGEST_NAME)} is there already"
        seen.add(asked.name)
    if (size := _size(policy)) > ALL_OF_IT:
        yield ("ask",), f"{size} characters in all; a list has at most {ALL_OF_IT}"


def _texts(*texts: tuple[str, str]) -> Iterator[tuple[str, str]]:
    for where, text in texts:
        if not text.strip():
            yield where, "it is empty"
        elif len(text) > LONGEST:
            yield where, f"{len(text)} characters; a text has at most {LONGEST}"
        elif "\0" in text:
            yield where, "it holds a NUL character"


def _size(policy: Policy) -> int:
    asked = (text for each in policy.ask for text in (each.name, each.question))
    return sum(map(len, (policy.system, *policy.declines, *asked)))
