"""Suites hold scenarios and nothing that judges: what is right is for a rule to say, which also judges offline."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SUITES = Path(__file__).parents[1] / "suites"
FILES = sorted(SUITES.rglob("*.py"))
JUDGE = "seatrial_judge"
INTERNAL = ("_pytest", "fixtures", "conftest", "tests", "pluggy", "xdist")
"""What no suite imports: how a case is sent, judged and reported is none of its business."""


def offences(source: str) -> Iterator[str]:
    """What a suite's file holds beyond scenarios and the handing over to a rule, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert | ast.Raise | ast.Try | ast.TryStar):
            yield f"line {node.lineno}: {type(node).__name__.lower()}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (f"line {node.lineno}: imports {name}" for name in _imported(node) if _is_internal(name))
        elif isinstance(node, ast.Attribute) and ast.unparse(node).startswith("pytest.") and not _may_be_used(node):
            yield f"line {node.lineno}: {ast.unparse(node)}"
        elif _is_test(node) and not _only_judges(node):
            yield f"line {node.lineno}: {node.name} does more, or less, than call {JUDGE}(...)"


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = "." * node.level + (node.module or "")
    return [f"{module}.{alias.name}" for alias in node.names]


def _is_internal(name: str) -> bool:
    return name.partition(".")[0] in INTERNAL or name.startswith(("pytest.", "."))


def _may_be_used(node: ast.Attribute) -> bool:
    return ast.unparse(node) in {"pytest.mark", "pytest.mark.parametrize"}


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")


def _only_judges(function: ast.FunctionDef) -> bool:
    """Whether the whole body is one call of the judge, on the rule the case was made for."""
    if len(function.body) != 1 or not isinstance(function.body[0], ast.Expr):
        return False
    call = function.body[0].value
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == JUDGE):
        return False
    return bool(call.args) and ast.unparse(call.args[0]) == "rule"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SUITES)))
def test_a_suite_holds_scenarios_and_hands_them_over(path):
    assert list(offences(path.read_text("utf-8"))) == []


def test_every_suite_is_looked_at():
    holding = {path for path in FILES if any(map(_is_test, ast.parse(path.read_text("utf-8")).body))}
    tests = {path for path in FILES if path.name.startswith("test_")}
    assert {path.relative_to(SUITES).parts[0] for path in tests} == {"conformance", "behaviour", "soak"}
    assert holding == tests


@pytest.mark.parametrize(
    ("source", "offence"),
    [
        ("def test_a(rule, seatrial_send, seatrial_judge):\n    assert send()", "line 2: assert"),
        ("def helper(x):\n    assert x", "line 2: assert"),
        ("def test_a(rule, seatrial_judge):\n    x = 1\n    seatrial_judge(rule, x)", "test_a does more, or less"),
        ("def test_a(rule, seatrial_judge):\n    pass", "test_a does more, or less"),
        ("def test_a(rule, seatrial_judge):\n    seatrial_judge(OTHER, 1)", "test_a does more, or less"),
        ("def test_a(rule, seatrial_judge):\n    return seatrial_judge(rule, 1)", "test_a does more, or less"),
        ("async def test_a(rule, seatrial_judge):\n    other(rule)", "test_a does more, or less"),
        ("class TestA:\n    def test_a(self, rule):\n        check(rule)", "test_a does more, or less"),
        ("from fixtures.judge import judge", "imports fixtures.judge.judge"),
        ("import _pytest.fixtures", "imports _pytest.fixtures"),
        ("from _pytest import outcomes", "imports _pytest.outcomes"),
        ("from pytest import fail", "imports pytest.fail"),
        ("import pytest\npytest.skip('no')", "line 2: pytest.skip"),
        (
            "import pytest\n@pytest.mark.xfail\ndef test_a(rule, seatrial_judge):\n    seatrial_judge(rule, 1)",
            "pytest.mark.xfail",
        ),
        (
            "def test_a(rule):\n    try:\n        seatrial_judge(rule, 1)\n    except ValueError:\n        pass",
            "line 2: try",
        ),
    ],
)
def test_what_judges_in_a_suite_is_named(source, offence):
    assert any(offence in found for found in offences(source))
