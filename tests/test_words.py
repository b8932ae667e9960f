"""Words of a record are written as members of their enums: a slip of the pen is an error, and no silent mismatch."""

from __future__ import annotations

import ast
import enum
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from seatrial.records import (
    Depth,
    Fact,
    Family,
    Happening,
    Hazard,
    JobWord,
    Level,
    NightMeasure,
    NightWord,
    NoteWord,
    Outcome,
    PhaseSort,
    Ready,
    Stage,
)
from seatrial.stops.state.sights import Sight
from seatrial.wire.decoding.errors import ERRORS
from seatrial.wire.transports.outcomes import OUTCOMES

ROOT = Path(__file__).parents[1]
FILES = sorted(path for room in ("src", "fixtures", "load") for path in (ROOT / room).rglob("*.py"))
OF_PHASES = (
    "users",
    "slots",
    "seconds",
    "seed",
    "max_tokens",
    "deadline_s",
    "idle_s",
    "how",
    "why",
    "unkept",
    "rules",
    "inspected",
    "workload",
    "slo",
    "n",
    "rps",
    "in_flight",
)
OF_ENDPOINTS = ("warm-up", "thinking")
OF_OTHERS = tuple(f"the fact {text!r}" for text in OF_PHASES + OF_ENDPOINTS)
"""Facts of a phase, which are its settings, and of an endpoint, which are the server's own: no facts of an event."""

OF_RECORDS: tuple[type[enum.StrEnum], ...] = (Happening, Fact, Stage, PhaseSort, NoteWord)
VOCABULARIES = (*OF_RECORDS, Sight, NightWord, JobWord, NightMeasure)


def strays(source: str) -> Iterator[str]:
    """Where a file spells a word of an event, a phase, a note or a fact as text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and _is(node.left, "what"):
            yield from (f"line {node.lineno}: what is held against {text!r}" for text in _texts(node.comparators))
        elif isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id in {"more", "facts"} for target in targets):
                yield from _keys(node.value)
        elif isinstance(node, ast.Subscript) and _is(node.value, "facts"):
            yield from (f"line {node.lineno}: the fact {text!r}" for text in _texts([node.slice]))
        elif isinstance(node, ast.Match) and _is(node.subject, "what"):
            values = [p.value for case in node.cases for p in ast.walk(case.pattern) if isinstance(p, ast.MatchValue)]
            yield from (f"line {node.lineno}: what is matched with {text!r}" for text in _texts(values))
        elif isinstance(node, ast.MatchClass) and "what" in node.kwd_attrs:
            pattern = node.kwd_patterns[node.kwd_attrs.index("what")]
            values = [p.value for p in ast.walk(pattern) if isinstance(p, ast.MatchValue)]
            yield from (f"line {node.lineno}: what is matched with {text!r}" for text in _texts(values))


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "get" and isinstance(node.func, ast.Attribute) and _is(node.func.value, "facts"):
        yield from (f"line {node.lineno}: the fact {text!r}" for text in _texts(node.args[:1]))
    for keyword in node.keywords:
        if keyword.arg == "what" and name in {"Event", "Phase", "Noted"}:
            yield from (f"line {node.lineno}: what is {text!r}" for text in _texts([keyword.value]))
        if keyword.arg == "facts" and name in {"Event", "event", "_event"}:
            yield from _keys(keyword.value)


def _keys(value: ast.expr) -> Iterator[str]:
    """Keys of facts that are written down as text, in a dictionary as it stands."""
    for each in [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]:
        if isinstance(each, ast.Dict):
            texts = _texts([key for key in each.keys if key is not None])
            yield from (f"line {each.lineno}: the fact {text!r}" for text in texts)


def _is(node: ast.expr, name: str) -> bool:
    facts = name == "facts" and isinstance(node, ast.Name) and node.id == name
    return facts or (isinstance(node, ast.Attribute) and node.attr == name)


def _texts(nodes: list[ast.expr]) -> list[str]:
    found: list[str] = []
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)):
                found.append(text)
            case ast.Tuple(elts=inner) | ast.Set(elts=inner) | ast.List(elts=inner):
                found += _texts(inner)
            case ast.IfExp(body=one, orelse=other):
                found += _texts([one, other])
    return found


def test_no_word_of_a_record_is_spelt_as_text():
    found = [(path.relative_to(ROOT), stray) for path in FILES for stray in strays(path.read_text("utf-8"))]
    assert len(FILES) > 100
    assert [f"{path}: {stray}" for path, stray in found if not stray.endswith(OF_OTHERS)] == []


@pytest.mark.parametrize(
    "source",
    [
        "if event.what == 'exti': pass",
        "if event.what in ('exit', 'lots'): pass",
        "match event.what:\n    case 'fuond' | 'start': pass",
        "match line:\n    case Event(what='truoble'): pass",
        "Event(what='exti', name='a', at=0)",
        "facts.get('exee', '')",
        "case.main.facts['exee']",
        "self.event(Happening.START, facts={'jbo': 'yes'})",
        "more = {'jobb': 'yes'} if job else None",
        "facts: dict[str, str] = {'uidd': '0'}",
    ],
)
def test_a_word_spelt_as_text_is_named(source):
    assert list(strays(source))


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda each: each.__name__)
def test_every_word_has_a_sentence(vocabulary):
    tree = ast.parse(Path(ROOT / "src" / (vocabulary.__module__.replace(".", "/") + ".py")).read_text("utf-8"))
    (found,) = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == vocabulary.__name__]
    told = {
        node.targets[0].id
        for node, after in zip(found.body, found.body[1:], strict=False)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }
    assert told == set(vocabulary.__members__)


GLOSSARY: dict[str, set[str]] = {
    **{f"records.{each.__name__}": {str(word) for word in each} for each in (Outcome, Ready, NightWord, Level)},
    **{f"records.{each.__name__}": {str(word) for word in each} for each in OF_RECORDS},
    "stops.state.sights.Sight": {str(word) for word in Sight if word},
    "records.Hazard": {hazard.name for hazard in Hazard},
    "records.Depth": {depth.name for depth in Depth},
    "records.Family": set(get_args(Family)),
    "wire.decoding.errors.ERRORS": set(ERRORS),
    "wire.transports.outcomes.OUTCOMES": set(OUTCOMES),
}
"""Words by the name under which the glossary lists them."""


def tables(page: str) -> dict[str, list[str]]:
    """The words of each table of the glossary, by what its heading names in brackets."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in page.splitlines():
        if line.startswith("## "):
            named = re.search(r"\(`(.+)`\)$", line)
            name = named[1] if named else ""
        elif name and (word := re.match(r"\| `([^`]+)` \| .+ \|$", line)):
            found.setdefault(name, []).append(word[1])
    return found


def test_the_glossary_has_each_word_once_and_no_other():
    listed = tables((ROOT / "docs" / "words.md").read_text("utf-8"))
    assert listed.keys() == GLOSSARY.keys()
    for name, words in listed.items():
        assert sorted(words) == sorted(GLOSSARY[name]), name
