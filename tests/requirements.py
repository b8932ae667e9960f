"""The page that shows of every rule what is sent, a bad answer, and what that does to whom: ``docs/cases.md``.

What is sent comes from the suites' tables, bad answers from the faults of the golden server, and what they do from what
the rule itself says of a client.
"""

from __future__ import annotations

import ast
import functools
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from types import FunctionType

import seatrial
from seatrial.behaviour.probe import probes
from seatrial.checks import catalogue
from seatrial.checks.rules import Rule
from seatrial.records import Request, Scenario
from seatrial.text import visible
from seatrial.trial.sending.offers import made
from tests import toolset
from tests.golden.faults import FAULTS
from tests.silence.tables import SENT

SHOWN, LONGEST = 3, 160
"""Scenarios and faults of a rule that are shown, and characters of a request."""

HEAD = """# What is sent, and a bad answer

Made by `tox -e pages`; do not edit. Of every rule: the scenarios that it judges, with the request of one, answers that
break it (faults of the golden server), and what such an answer does to whom.
"""


def markdown() -> str:
    """The page."""
    lines = [HEAD]
    for rules in catalogue.by_row().values():
        for rule in rules:
            lines += [f"## `{rule.id}`", "", f"{rule.text} ({rule.level}, {rule.row})", ""]
            lines += [f"- {line}" for line in (_sent(rule), _bad(rule), _does(rule))]
            lines.append("")
    return "\n".join(lines)


def _sent(rule: Rule) -> str:
    held = {name: each for name, each in SENT.items() if rule.applies(each)}
    if not held:
        return "Sent: the requests of a soak."
    name, first = next(iter(held.items()))
    more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
    named = ", ".join(f"`{each}`" for each in list(held)[:SHOWN])
    return f"Sent: {named}{more}. `{name}`: {_request(made(first, toolset.forty()))}"


def _request(scenario: Scenario) -> str:
    """The request that a scenario is about."""
    key = "bad" if "bad" in scenario.requests else next(iter(scenario.requests), "")
    request = scenario.requests.get(key, Request(method="", path=""))
    given = "" if request.body is None else json.dumps(request.body, ensure_ascii=False, default=repr)
    text = given if request.raw is None else visible(request.raw.decode("utf-8", "backslashreplace"))
    cut = f"{text[:LONGEST]} ..." if len(text) > LONGEST else text
    return f"`{request.method} {request.path}`" + (f" `{cut.replace('`', chr(39))}`" if cut else "")


def _bad(rule: Rule) -> str:
    texts = [fault.text for fault in FAULTS.values() if fault.caught_by == rule.id]
    more = f" And {len(texts) - SHOWN} more." if len(texts) > SHOWN else ""
    return f"A bad answer: {' '.join(texts[:SHOWN])}{more}"


def _does(rule: Rule) -> str:
    return f"What it does: {'; '.join(consequences(rule))}."


def consequences(rule: Rule) -> list[str]:
    """What the rule says that a bad answer does: each ``so``, in its own source and in the helpers that it calls."""
    if (probe := probes().get(rule.id)) is not None:
        return [probe.so]
    return list(dict.fromkeys(_said(rule.function, set())))


def _said(function: FunctionType, seen: set[object], *, returned: bool = False) -> Iterator[str]:
    """Each ``so`` of a function; of one whose answer is a ``so``, what it returns."""
    if function in seen or not function.__module__.startswith(seatrial.__name__):
        return
    seen.add(function)
    names = vars(sys.modules[function.__module__])
    for node in _nodes(function):
        if (given := _so(node, returned=returned)) is not None:
            yield from _texts(given, names, seen)
        elif isinstance(node, ast.Call) and (called := _called(node.func, names)):
            for parameter, given in zip(inspect.signature(called).parameters, node.args, strict=False):
                if parameter == "so":
                    yield from _texts(given, names, seen)
            yield from _said(called, seen)


@functools.cache
def _nodes(function: FunctionType) -> tuple[ast.AST, ...]:
    """What may say a ``so``, or call what does, in the source of a function."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.keyword | ast.Assign | ast.Return | ast.Call))


def _so(node: ast.AST, *, returned: bool) -> ast.expr | None:
    """What is given as ``so``, named so, or returned."""
    if isinstance(node, ast.keyword) and node.arg == "so":
        return node.value
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == "so":
                return node.value
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                named = [t.id if isinstance(t, ast.Name) else "" for t in target.elts]
                return node.value.elts[named.index("so")] if "so" in named else None
    return node.value if returned and isinstance(node, ast.Return) else None


def _texts(given: ast.AST, names: Mapping[str, object], seen: set[object]) -> Iterator[str]:
    """The texts that an expression may be: constants, those of the module by name, what a helper returns."""
    for part in ast.walk(given):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value.strip():
            yield part.value.strip(" ;:,")
        elif isinstance(text := _named(part, names), str):
            yield text
        elif isinstance(part, ast.Call) and (called := _called(part.func, names)):
            yield from _said(called, seen, returned=True)


def _named(name: ast.AST, names: Mapping[str, object]) -> object:
    """What is called so in the module, or in one that it imports; None: nothing is."""
    if isinstance(name, ast.Name):
        return names.get(name.id)
    if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name):
        return getattr(names.get(name.value.id), name.attr, None)
    return None


def _called(name: ast.expr, names: Mapping[str, object]) -> FunctionType | None:
    """The function that is called."""
    found = _named(name, names)
    return found if isinstance(found, FunctionType) else None
