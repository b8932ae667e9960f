"""All rules and their areas, and all rows a rule could stand for: what is judged, and what is not yet."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from importlib import resources
from typing import Any

import msgspec

from seatrial.checks.causes import ANSWERED
from seatrial.checks.rules import REGISTRY, Rule
from seatrial.records import Scenario

AREAS = "seatrial.checks.areas"
ROOMS = (AREAS, "seatrial.oracles", "seatrial.behaviour")
"""Packages whose modules hold rules: by name, for the rules of ``checks`` must not depend on the SDK of ``oracles``."""


TABLES = ("areas", "named")
"""Tables of ``rows.toml`` that are no area of the catalogue."""


class Area(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One area of rules, as ``rows.toml`` describes it.

    Attributes:
        impact: its place in the order of reasons within a level, the lowest first: what breaks running clients.
        rows: the areas of the catalogue whose rows its rules stand for; none where they are of no row.
        soak: its single rules read the streams of a soak too.
    """

    title: str
    impact: int
    rows: tuple[str, ...] = ()
    soak: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the catalogue. With ``parts`` it is done when each of them has a rule; without, when it has one.

    Attributes:
        left: what of it no rule is going to ask, and why.
    """

    title: str
    parts: tuple[str, ...] = ()
    left: str = ""


def load_all(*rooms: str) -> dict[str, Rule]:
    """Every rule by id, after importing every module below the rooms named, or below all, that may hold one."""
    for room in rooms or ROOMS:
        _load(room)
    return REGISTRY


@functools.cache
def _load(room: str) -> None:
    """Import every module below a room: once, for its folders are read each time and every suite's module asks."""
    for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
        importlib.import_module(module.name)


def cases(scenarios: Mapping[str, Scenario]) -> list[tuple[Rule, str]]:
    """Each scenario with each rule that applies to it, in order of scenario: the parameters of a suite's test.

    The rule that most others may hang on comes first.

    Raises:
        ValueError: no rule applies to any of them.
    """
    rules = sorted(load_all().values(), key=lambda rule: rule.id != ANSWERED)
    found = [(rule, name) for name, scenario in scenarios.items() for rule in rules if rule.applies(scenario)]
    if not found:
        raise ValueError(f"no rule applies to any of {', '.join(scenarios)}")
    return found


@functools.cache
def _page() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("rows.toml").read_text("utf-8"))


@functools.cache
def areas() -> dict[str, Area]:
    """Every area of rules by name, in the order of their impact."""
    found = msgspec.convert(_page()["areas"], dict[str, Area])
    return dict(sorted(found.items(), key=lambda item: item[1].impact))


@functools.cache
def entries() -> dict[str, Entry]:
    """Each row of the catalogue by its number (``sse/6``), in the catalogue's order."""
    listed = ((area, held) for area, held in _page().items() if area not in TABLES)
    return {
        f"{area}/{number}": Entry(title=row) if isinstance(row, str) else msgspec.convert(row, Entry)
        for area, held in listed
        for number, row in held.items()
    }


@functools.cache
def rows() -> dict[str, str]:
    """Title of each row of the catalogue by its number."""
    return {number: row.title for number, row in entries().items()}


@functools.cache
def named() -> dict[str, str]:
    """What each area of the catalogue is called on a screen, in the catalogue's order."""
    return {area: str(_page()["named"][area]) for area in dict.fromkeys(area_of(row) for row in rows())}


def area_of(row: str) -> str:
    """The area of a row: ``chat/basic`` of ``chat/basic/3``."""
    return row.rpartition("/")[0]


def by_row() -> dict[str, list[Rule]]:
    """Rules of each row that has one. Rows outside the catalogue (of probes and of the soak) come after its own."""
    found: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in load_all().values():
        found[rule.row].append(rule)
    order = {row: position for position, row in enumerate(rows())}
    return {row: sorted(found[row], key=lambda r: r.id) for row in sorted(found, key=lambda r: (order.get(r, 999), r))}


def not_yet() -> dict[str, str]:
    """Rows of the catalogue that wait for a rule, with their titles."""
    covered, left = by_row(), left_out()
    return {row: title for row, title in rows().items() if row not in covered and row not in left}


def left_out() -> dict[str, str]:
    """Rows of which no rule is going to ask all, and why."""
    return {row: entry.left for row, entry in entries().items() if entry.left}


def open_parts() -> dict[str, list[str]]:
    """Of each row that has a rule and lists its parts, those that no rule stands for."""
    found = {}
    for row, rules in by_row().items():
        held = {part for rule in rules for part in rule.parts}
        if left := [part for part in entries().get(row, Entry(title="")).parts if part not in held]:
            found[row] = left
    return found


def markdown() -> str:
    """The page of all rules and rows, as ``docs/rules.md`` holds it."""
    covered, missing, begun = by_row(), not_yet(), open_parts()
    rules = [rule for found in covered.values() for rule in found]
    lines = [
        "# Rules",
        "",
        "Generated by `seatrial cases --markdown`; do not edit. A rule with each scenario it applies to is a case.",
        "[cases.md](cases.md) shows of each what is sent, a bad answer, and what that does to whom.",
        f"{len(rules)} rules; {len(rows()) - len(missing)} of the catalogue's {len(rows())} rows have one.",
        "",
        "| rule | row | level | requirement | source |",
        "|---|---|---|---|---|",
    ]
    for rule in rules:
        level = rule.level + (", optional" if rule.optional else "")
        row = f"{rule.row}: {', '.join(rule.parts)}" if rule.parts else rule.row
        lines.append(f"| `{rule.id}` | {_cell(row)} | {level} | {_cell(rule.text)} | {_cell(rule.source)} |")
    if begun:
        lines += ["", "## Begun", "", "Parts of rows that have a rule, and not yet one of each part."]
        lines += ["", "| row | part |", "|---|---|"]
        lines += [f"| {row} | {_cell(part)} |" for row, parts in begun.items() for part in parts]
    lines += ["", "## Left out", "", "What of rows no rule is going to ask, and why.", "", "| row | why |", "|---|---|"]
    lines += [f"| {row} | {_cell(why)} |" for row, why in left_out().items()]
    lines += [
        "",
        "## NOT YET",
        "",
        "Rows of the catalogue that no rule stands for.",
        "",
        "| row | what it asks |",
        "|---|---|",
    ]
    lines += [f"| {row} | {_cell(title)} |" for row, title in missing.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
