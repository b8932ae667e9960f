"""What the suites send, as the self-test needs it: every table of scenarios below ``suites``, found by walking."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import suites
from seatrial.records import Scenario


def tables(package: str) -> Iterator[tuple[str, Scenario]]:
    """Name and scenario of each entry of each table in the tests below a package."""
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if found.name.rpartition(".")[2].startswith("test_"):
            for table in vars(importlib.import_module(found.name)).values():
                if isinstance(table, dict):
                    yield from ((name, each) for name, each in table.items() if isinstance(each, Scenario))


def once(package: str) -> dict[str, Scenario]:
    """The same by name.

    Raises:
        ValueError: two scenarios have one name.
    """
    found = list(tables(package))
    if len(dict(found)) != len(found):
        raise ValueError(f"two scenarios of {package} have one name")
    return dict(found)


SCENARIOS = once(f"{suites.__name__}.conformance")
"""Every scenario of the conformance suite, by name."""

SENT = once(suites.__name__)
"""Those of all suites; answers and soak are asked for in their own way."""
