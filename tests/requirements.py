"""The page that shows of every rule what is sent, a bad answer, and what that does to whom: ``docs/cases.md``.

What is sent comes from the suites' tables, bad answers from the faults of the golden server, and what they do from what
the rule itself says of a client.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator

from seatrial.checks import catalogue
from seatrial.checks.rules import Rule
from seatrial.records import Request, Scenario
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
    text = given if request.raw is None else request.raw.decode("utf-8", "replace")
    cut = f"{text[:LONGEST]} ..." if len(text) > LONGEST else text
    return f"`{request.method} {request.path}`" + (f" `{cut.replace('`', chr(39))}`" if cut else "")


def _bad(rule: Rule) -> str:
    texts = [fault.text for fault in FAULTS.values() if fault.caught_by == rule.id]
    more = f" And {len(texts) - SHOWN} more." if len(texts) > SHOWN else ""
    return f"A bad answer: {' '.join(texts[:SHOWN])}{more}"


def _does(rule: Rule) -> str:
    said = list(dict.fromkeys(_consequences(rule)))
    return f"What it does: {'; '.join(said)}." if said else "What it does: the finding says it of each answer."


def _consequences(rule: Rule) -> Iterator[str]:
    """What the rule says that a bad answer does: each ``so`` of its source."""
    module = sys.modules[rule.function.__module__]
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(rule.function)))):
        given = isinstance(node, ast.keyword) and node.arg == "so"
        named = isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "so" for t in node.targets)
        for part in ast.walk(node) if given or named else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value.strip():
                yield part.value.strip()
            elif isinstance(part, ast.Name) and isinstance(text := getattr(module, part.id, None), str):
                yield text
