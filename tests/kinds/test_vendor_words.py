"""Words of a vendor stand only in ``seatrial/kinds``: names of servers, of their pages, of their modules.

The words are those of the kinds there are, so that a new kind brings its own. Prose is exempt: docstrings, ``source=``,
and what stands in the list below, each place with its reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from seatrial.kinds import detect, profile

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for room in ("src", "load", "fixtures")
    for path in (ROOT / room).rglob("*.py")
    if "seatrial/kinds/" not in path.as_posix()
)
GENERIC = detect.GENERIC

REPORT = r"[\w-]+/[\w.-]+ #\d+.*"
CITING = {"rule", "probe", "KnownBad"}
"""Calls whose ``source=`` is what a requirement rests on. That of a meter or a counter is the name of a page."""

EXEMPT = (
    ("telling/alike.py", REPORT, "a public report that looks alike"),
    ("telling/families/*.py", REPORT, "a public report that looks alike"),
    ("streams/told.py", REPORT, "a public report that looks alike"),
    ("byhand/conclusions.py", REPORT, "a public report that looks alike"),
    ("identity.py", r"llama\.cpp", "a table of public reports: builds of a kind that spoil answers"),
    ("reading/seen.py", "/health", "the page that a look asked for where its line names none"),
    ("stops.py", "/health", "the head of a column, for people"),
    ("embedded.py", "xllamacpp", "the package that is the embedded server"),
    ("beginning.py", "xllamacpp", "the package that is the embedded server"),
    ("doctor.py", r"llama\.cpp and its model are installed", "the embedded server, for people"),
    ("options.py", r".*the embedded llama\.cpp server", "the embedded server, for people"),
    ("plan.py", r"the embedded llama\.cpp server, .*", "the embedded server, for people"),
    ("resolve.py", r" starting llama\.cpp in a process of its own", "the embedded server, for people"),
    ("watch.py", r"Read /metrics of llama\.cpp too: .*", "the help of an option, for people"),
)
"""What may stand: the end of the file's path, with ``*`` for any name, the whole text or name, and why."""

SHORT = 3
"""A name of up to this many letters may stand in another word by chance."""


def vendors() -> re.Pattern[str]:
    """The names of every kind: in the record, of its files, of the owner of its models; however they are spelt."""
    names = {name for kind in profile.kinds() for name in (kind, *profile.load(kind).detect.owned_by)}
    return spelt((names | detect.found().keys()) - {GENERIC})


def spelt(words: Iterable[str]) -> re.Pattern[str]:
    """Words wherever they stand: ``vllm`` also in ``HTTPVllm`` and ``vllms``.

    A short one is a word of its own, also in a name: ``tgi`` in ``tgi_url``, ``asTgi`` and ``HTTPTgi``, and not in
    ``Tgid``.
    """
    each = []
    for word in sorted(words):
        letters = re.split(r"[^a-z]+", word.lower())
        anywhere = f"(?i:{'[^a-z]?'.join(letters)})"
        alone = rf"((?<![A-Za-z])|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])){anywhere}(?![a-z])"
        each.append(alone if len("".join(letters)) <= SHORT else anywhere)
    return re.compile("|".join(each))


def pages() -> set[str]:
    """Every page that is asked of some kind beside those of the API."""
    kinds = detect.found().values()
    found = {question.path for kind in kinds for question in kind.questions} | {kind.health for kind in kinds}
    found |= {kind.about.path for kind in kinds if kind.about is not None} | {sign.path for sign, _ in detect.signs()}
    found |= {profile.load(kind).counters.path for kind in profile.kinds()}
    return {path for path in found if not path.startswith("/v1/")}


VENDORS, PAGES = vendors(), pages()


def strays(source: str) -> Iterator[tuple[int, str]]:
    """Where a file speaks of a vendor: the line, and the text or name."""
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in CITING]
    keywords = [keyword for call in calls for keyword in call.keywords]
    prose = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    prose += [inner for k in keywords if k.arg == "source" for inner in ast.walk(k.value)]
    skipped = {id(node) for node in prose}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            if VENDORS.search(node.value) or re.sub("^/+", "/", node.value) in PAGES:
                yield node.lineno, node.value
        else:
            yield from ((getattr(node, "lineno", 0), name) for name in _names(node) if VENDORS.search(name))


def exempt(path: Path, text: str) -> list[tuple[str, str, str]]:
    """The lines of the list that let a text stand in a file."""
    return [line for line in EXEMPT if path.match(line[0]) and re.fullmatch(line[1], text, re.DOTALL)]


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.name for alias in names] + [getattr(node, "module", None) or ""]
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name) | ast.Attribute(attr=name):
            return [name]
    return []


def test_no_word_of_a_vendor_stands_outside_kinds_and_what_is_exempt_has_need_of_it():
    found = [(path, line, text) for path in FILES for line, text in strays(path.read_text("utf-8"))]
    wrong = [f"{path.relative_to(ROOT)}:{line}: {text!r}" for path, line, text in found if not exempt(path, text)]
    assert len(FILES) > 100
    assert wrong == []
    assert set(EXEMPT) == {line for path, _, text in found for line in exempt(path, text)}


@pytest.mark.parametrize(
    "source",
    [
        "x = 'llamacpp:tokens_predicted_total'",
        "if kind == 'vllm': pass",
        "x = f'{name} is no Ollama'",
        "get(url, '/slots')",
        "get(url, '//metrics')",
        "from seatrial.kinds import llama_cpp",
        "import seatrial.kinds.vllm",
        "def _as_ollama(): pass",
        "Meter(source='llama.cpp /slots')",
        "import xllamacpp",
        "vllms = 2",
        "def ollamaurl(): pass",
        "class HTTPVllm: pass",
    ],
)
def test_a_word_of_a_vendor_is_found(source):
    assert list(strays(source))


@pytest.mark.parametrize(
    ("text", "found"),
    [("tgi", 1), ("TGI:x", 1), ("tgi_url", 1), ("_as_tgi", 1), ("asTgi", 1), ("TgiKind", 1), ("HTTPTgi", 1),
     ("a-b.c", 1), ("a_b c", 1), ("AbC", 1), ("Tgid", 0), ("xtgi", 0), ("abcd", 0)],
)  # fmt: skip
def test_a_short_name_is_found_as_a_word_of_its_own(text, found):
    assert bool(spelt({"tgi", "a b c"}).search(text)) is bool(found)


def test_a_report_may_stand_where_stops_are_told_and_nowhere_else():
    report = "ggml-org/llama.cpp #20509: it is down"
    stops = ROOT / "src/seatrial/stops"
    assert all(exempt(stops / file, report) for file in ("telling/families/deaf.py", "streams/told.py"))
    assert not exempt(stops / "state/told.py", report)
    assert not exempt(ROOT / "src/seatrial/cli/watch.py", report)


@pytest.mark.parametrize(
    "source", ["'''vLLM answers /slots'''", "rule(source='llama.cpp README')", "x = '/models'", "x = 'llama'"]
)
def test_prose_and_the_apis_own_words_are_none(source):
    assert not list(strays(source))
