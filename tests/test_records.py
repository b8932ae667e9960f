"""The shared words are whole without a list by hand: each kind of line is read back, the door hands on each word."""

from __future__ import annotations

import ast
import inspect
from typing import get_args

import pytest

from seatrial import records
from seatrial.records import KINDS, LINES, Line, facts, families, lines, record, soaks, verdicts, views, words

ROOMS = (facts, families, lines, record, soaks, verdicts, views, words)


def own(module) -> set[str]:
    """The public names that a module itself makes."""
    made: set[str] = set()
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            made |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in made if not name.startswith("_")}


def test_each_class_of_a_line_is_a_kind_of_its_own():
    rooms = (*vars(lines).values(), *vars(soaks).values())
    written = {each for each in rooms if inspect.isclass(each) and issubclass(each, Line)} - {Line}
    assert set(KINDS) == set(get_args(LINES)) == written == set(Line.__subclasses__())
    assert len({kind.__struct_config__.tag for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("module", ROOMS, ids=lambda module: module.__name__)
def test_the_door_hands_on_every_word(module):
    assert own(module)
    assert {name for name in own(module) if getattr(records, name, None) is not getattr(module, name)} == set()


def test_no_two_rooms_have_one_word():
    """One would hide the other at the door."""
    assert sum(len(own(module)) for module in ROOMS) == len(set.union(*map(own, ROOMS)))
