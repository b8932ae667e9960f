"""The table of families is whole, its page is current, and what happens to stops is what the table says."""

from __future__ import annotations

import ast
import importlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from seatrial.records import NO_STOP, STREAMS, Event, Family, Line
from seatrial.stops import fold
from seatrial.stops.fold import Limits
from seatrial.stops.state import sights
from seatrial.stops.state.families import FAMILIES, OF_A_CHILD, weaker
from seatrial.stops.state.sights import Sight
from seatrial.stops.streams import told
from seatrial.stops.telling import own
from tests.stops.simulation import S, World
from tests.stops.simulation_family import Tree
from tests.stops.simulation_work import lasting

STOPS = Path(__file__).parents[2] / "src" / "seatrial" / "stops"


def test_every_family_has_a_row_and_what_it_names_has_one_too():
    assert set(FAMILIES) == set(get_args(Family))
    for row in FAMILIES.values():
        assert {*row.becomes, *row.falls, *row.falls_of_child} <= set(FAMILIES)
        importlib.import_module(f"seatrial.stops.{row.reader}")


def test_what_falls_twice_falls_at_once():
    """An ablation may lose two sources together: the order of claims is closed."""
    of_child = [(family, OF_A_CHILD) for family, row in FAMILIES.items() if row.falls_of_child]
    for family, rung in [*((family, "") for family in FAMILIES), *of_child]:
        for less in weaker(family, rung):
            missing = weaker(less, rung) - weaker(family, rung) - {"STREAM STALL", "TRUNCATED"}
            assert not missing, (family, less, missing)


def test_only_the_end_of_a_child_falls_to_a_wedged():
    """With the main process gone nothing is left that could be WEDGED."""
    assert "WEDGED" in weaker("STOPPED", OF_A_CHILD)
    assert "WEDGED" not in weaker("STOPPED", FAMILIES["STOPPED"].rung)


def test_what_is_said_of_a_family_alone_is_said_of_one_that_there_is_and_once():
    folder = STOPS / "telling" / "families"
    modules = [importlib.import_module(f"{own.families.__name__}.{path.stem}") for path in folder.glob("*.py")]
    said = [family for module in modules for family in getattr(module, "WORDS", ())]
    assert sorted(said) == sorted(own.OWN)
    assert set(said) <= set(FAMILIES) - STREAMS
    assert set(told.OWN) == STREAMS
    assert len({words.slug for words in told.OWN.values()}) == len(STREAMS)


def test_each_family_names_its_rung():
    """In its row, or in its own words; the stop that is no stop breaks none."""
    named = {family for family, row in FAMILIES.items() if row.rung}
    named |= {family for family, words in own.OWN.items() if words.rung is not None}
    assert named == set(FAMILIES) - NO_STOP


# what stops become


def _frozen_to_death(seed: int) -> World:
    return Tree(seed).run_for(6).freeze().run_for(4).die(9).run_for(6)


def _deaf_to_death(seed: int) -> World:
    world = Tree(seed).run_for(6)
    world.deaf = True
    return world.run_for(3.5).die(11).run_for(6)


def _deaf_and_usurped(seed: int) -> World:
    world = Tree(seed).run_for(6)
    world.deaf = True
    return world.run_for(5).squat(100, lives=True).run_for(6)  # type: ignore[attr-defined]


def _frozen_and_usurped(seed: int) -> World:
    return Tree(seed).run_for(6).freeze().run_for(5).squat(100, lives=True).run_for(6)  # type: ignore[attr-defined]


def _wedged(seed: int, *events: tuple[float, dict[str, Any]]) -> list[Line]:
    """A WEDGED that lasts, whose process runs a known program, with events so long after it began."""
    world = lasting(seed, "wedged", 40)
    lines = [replace(line, facts=PROGRAM) if isinstance(line, Event) and line.pid else line for line in world.lines()]
    head = next(line for line in lines if isinstance(line, Event))
    for seconds, fields in events:
        at = world.began + int(seconds * S)
        lines.append(replace(head, n=10**6, t=at + 1, at=at, **fields))
    return sorted(lines, key=lambda line: line.t)


PROGRAM = {"exe": "/opt/llama-server"}
BECOMES = {
    ("STOPPED", "RESTARTED"): lambda seed: Tree(seed).run_for(8).die(11).replace(9_000).run_for(8),
    ("STOPPED", "IMPOSTOR"): lambda seed: Tree(seed).run_for(8).die(9).squat(5_000).run_for(6),
    ("STOPPED", "RUNNER REPLACED"): lambda seed: (
        Tree(seed, runner=True).run_for(8).end_runner(11).run_for(15).start_runner().run_for(8)
    ),
    ("FROZEN", "STOPPED"): _frozen_to_death,
    ("FROZEN", "IMPOSTOR"): _frozen_and_usurped,
    ("DEAF", "STOPPED"): _deaf_to_death,
    ("DEAF", "IMPOSTOR"): _deaf_and_usurped,
    ("WEDGED", "STOPPED"): lambda seed: _wedged(seed, (4, {"what": "exit", "status": 9})),
    ("WEDGED", "IMPOSTOR"): lambda seed: _wedged(
        seed, (20, {"what": "replaced", "pid": 77, "incarnation": "i-77", "facts": {"exe": "/usr/bin/nc"}})
    ),
}
SHORT = Limits(wedged_silent=2 * S)
"""A WEDGED that is told so soon may be the beginning of a death."""


def record(change: tuple[str, str], seed: int) -> list[Line]:
    made = BECOMES[change](seed)
    return made if isinstance(made, list) else list(made.seal())


def changes(lines: Sequence[Line]) -> set[tuple[str, str]]:
    """From which family to which the stops of a record went, line by line."""
    state, last, seen = fold.start(SHORT), dict[str, str](), set()
    for line in lines:
        state, _ = fold.step(state, line)
        for server in state.servers.values():
            for case in server.cases:
                before = last.setdefault(case.id, case.family)
                if before != case.family:
                    seen.add((before, case.family))
                last[case.id] = case.family
    return seen


def test_every_change_in_the_table_is_tried():
    assert set(BECOMES) == {(family, to) for family, row in FAMILIES.items() for to in row.becomes}


@pytest.mark.parametrize("change", BECOMES, ids=" -> ".join)
def test_what_the_table_says_becomes_of_a_stop_does(change):
    assert any(change in changes(record(change, seed)) for seed in range(3))


@pytest.mark.parametrize("seed", range(12))
def test_nothing_becomes_of_a_stop_but_what_the_table_says(seed):
    """Records with lines lost, doubled and late, of every run above."""
    chance = random.Random(seed)
    allowed = {(family, to) for family, row in FAMILIES.items() for to in row.becomes}
    for change in BECOMES:
        lines = record(change, seed)
        for _ in range(30):
            at = chance.randrange(len(lines))
            line = lines.pop(at)
            if chance.random() < 0.7:
                lines.insert(chance.randrange(at, min(len(lines), at + 40) + 1), line)
        assert changes(lines) <= allowed


# sights


def test_every_sight_that_a_stop_is_told_by_has_its_rung():
    told = {*sights.PROBE_RUNGS, *sights.WORK_RUNGS, *sights.FREEZES, Sight.LOST, Sight.NONE}
    assert told == set(Sight)
    assert set(sights.PROBE_WORDS) == set(sights.PROBE_RUNGS)


def test_every_sight_has_a_sentence():
    tree = ast.parse((STOPS / "state" / "sights.py").read_text("utf-8"))
    (found,) = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == "Sight"]
    words = [node for node in found.body if isinstance(node, ast.Assign)]
    after = [found.body[found.body.index(node) + 1] for node in words[:-1]] + [found.body[-1]]
    assert len(words) == len(Sight)
    assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in after)


def spelt(source: str) -> list[str]:
    """Where a file spells a sight as text, so that a slip of the pen would go unseen."""
    found = []
    for node in ast.walk(ast.parse(source)):
        pairs: list[ast.expr] = []
        if isinstance(node, ast.Compare) and getattr(node.left, "attr", getattr(node.left, "id", "")) == "shown":
            pairs = node.comparators
        elif isinstance(node, ast.keyword) and node.arg == "shown":
            pairs = [node.value]
        found += [
            f"line {node.lineno}" for pair in pairs for part in ast.walk(pair)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]  # fmt: skip
    return found


def test_no_sight_is_spelt_as_text():
    found = {str(path.relative_to(STOPS)): spelt(path.read_text("utf-8")) for path in STOPS.rglob("*.py")}
    assert len(found) > 50
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("source", ["case.shown == 'stil'", "shown in ('tls', 'x')", "open_case(shown='lots')"])
def test_a_sight_spelt_as_text_is_named(source):
    assert spelt(source)
