"""A field of the fold's state belongs to one reader: the sources are walked, and each field is written by one module.

Written is what stands in a call ``replace(part, field=...)`` or ``Part(field=...)``. Fields that hold a part are no
fields of their own: whoever changes a part hands it up. Fields of a stop are shared, since one reader opens a stop and
another ends it; they are listed by who changes them.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from seatrial.stops.state import case, incarnations, server, streams
from seatrial.stops.state.limits import Limits

STOPS = Path(__file__).parents[2] / "src" / "seatrial" / "stops"
KEPT: tuple[type[msgspec.Struct], ...] = (
    server.State, server.Server, streams.Trouble, case.Case, incarnations.ChildEnd,
)  # fmt: skip
"""What the fold keeps in tuples and dicts, and the whole."""


def parts(*roots: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """What is kept, and below it every field that begins as a struct: a part of the state."""
    for root in roots:
        yield root
        begun = [field.default for field in msgspec.structs.fields(root)]
        yield from parts(*(type(each) for each in begun if isinstance(each, msgspec.Struct)))


PARTS: dict[str, type[msgspec.Struct]] = {each.__name__: each for each in parts(*KEPT) if each is not Limits}
WHOLES = {"Server", "State", "Work", "Streams", "Trouble"}
"""Structs whose docstring names no one writer: most of their fields are parts, or it names two."""
HELD = {
    f.name: f.type.__name__
    for part in PARTS.values()
    for f in msgspec.structs.fields(part)
    if isinstance(f.type, type) and f.type.__name__ in PARTS
}
"""Name of a field that holds a part -> the part."""
NAMED = {"end": "ChildEnd"}
"""Names of variables that say which struct they hold, where its fields alone do not."""
SHARED = {"Statement"}
"""What is said of a stop: each of the readers of work says it of a stop that it opens."""
OF_A_STOP = {
    "bad_at": {"process.frozen"},
    "evidence": {"process.deaths", "process.children", "process.impostor", "process.storms", "work.gateway",
                 "identity.models", "identity.owners"},
    "exit": {"process.deaths", "process.children"},
    "main": {"process.deaths", "process.children"},
    "family": {"process.deaths", "process.children", "process.impostor"},
    "starts": {"process.deaths"},
    "loop": {"process.again"},
    "successor": {"process.deaths", "process.children", "process.impostor"},
    "succeeded_at": {"process.deaths"},
    "alive": {"process.deaths", "process.children", "work.wedged", "state.cases"},
    "dead_at": {"process.deaths", "process.children", "process.afar", "work.wedged"},
    "until": {"process.deaths", "process.storms", "process.children", "process.impostor", "process.deaf",
              "process.afar", "work.wedged", "state.cases", "clock", "identity.models", "identity.owners"},
    "suspects": {"process.requests", "process.children", "clock"},
    "oom_after": {"process.deaf", "process.children"},
    "testimony": {"state.testimony", "process.witnesses"},
    "child": {"process.children"},
    "of_child": {"process.children"},
    "shown": {"work.gateway", "process.children"},
    "statement": {"process.deaths", "process.children", "process.afar", "work.wedged", "work.gateway"},
    "heir": {"process.deaths"},
    "followed": {"process.deaths"},
    "said": {"handing"},
}  # fmt: skip
"""Which module changes which field of a stop that was opened."""


def is_part(owner: type[msgspec.Struct], name: str) -> bool:
    """Whether a field holds a part, or the parts by name."""
    kind = next(f.type for f in msgspec.structs.fields(owner) if f.name == name)
    return kind in PARTS.values() or kind == dict[str, server.Server]


class Writes(ast.NodeVisitor):
    """Every write of a field in one module, as (struct, field)."""

    def __init__(self) -> None:
        self.found: set[tuple[str, str]] = set()
        self.changed: set[str] = set()  # fields of a stop
        self.unclear: list[str] = []
        self._functions: dict[str, ast.FunctionDef] = {}
        self._types: list[dict[str, str]] = [{}]

    def visit_Module(self, node: ast.Module) -> None:
        self._functions = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        args = [*node.args.args, *node.args.kwonlyargs]
        self._types.append({a.arg: getattr(a.annotation, "id", "") for a in args})
        self.generic_visit(node)
        self._types.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "id", "")
        keys = [word.arg for word in node.keywords if word.arg is not None]
        if name == "replace" and isinstance(node.args[0], ast.Name | ast.Attribute | ast.Subscript):
            self._add(self._struct(node.args[0], keys), keys, node)
        elif name == "change":
            calls = [word.value for word in node.keywords if word.arg is None and isinstance(word.value, ast.Call)]
            self.changed |= {*keys, *(key for call in calls for key in self._given(call))}
        elif name in PARTS:
            fields = PARTS[name].__struct_fields__
            self._add(name, [*fields[: len(node.args)], *keys], node)
        self.generic_visit(node)

    def _given(self, call: ast.Call) -> Iterator[str]:
        """The keys of the dict that a function of this module makes."""
        for node in ast.walk(self._functions[getattr(call.func, "id", "")]):
            keys = node.keys if isinstance(node, ast.Dict) else [node.slice] if isinstance(node, ast.Subscript) else []
            yield from (key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))

    def _struct(self, node: ast.expr, keys: list[str]) -> str:
        """The struct of an expression: by the annotation of its name, else by the fields that are written."""
        if isinstance(node, ast.Name) and self._types[-1].get(node.id) in PARTS:
            return self._types[-1][node.id]
        if isinstance(node, ast.Attribute) and node.attr in HELD:
            return HELD[node.attr]
        if isinstance(node, ast.Name) and node.id in NAMED:
            return NAMED[node.id]
        fits = [name for name, part in PARTS.items() if set(keys) <= set(part.__struct_fields__)]
        return fits[0] if len(fits) == 1 else ""

    def _add(self, struct: str, keys: list[str], node: ast.Call) -> None:
        if not struct and keys and any(key in part.__struct_fields__ for part in PARTS.values() for key in keys):
            self.unclear.append(ast.unparse(node))
        if struct == "Case":
            self.changed |= set(keys) if getattr(node.func, "id", "") == "replace" else set()
        else:
            self.found |= {(struct, key) for key in keys if struct}


def writes(source: str) -> Writes:
    found = Writes()
    found.visit(ast.parse(source))
    return found


def modules() -> Iterator[tuple[str, str]]:
    for path in sorted(STOPS.rglob("*.py")):
        yield ".".join(path.relative_to(STOPS).with_suffix("").parts), path.read_text("utf-8")


def writers() -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for module, source in modules():
        for write in writes(source).found:
            found[write].add(module)
    return found


def test_each_field_of_the_state_is_written_by_one_module():
    several = {
        f"{struct}.{name}": sorted(by)
        for (struct, name), by in writers().items()
        if struct not in SHARED and not is_part(PARTS[struct], name) and len(by) > 1
    }
    assert several == {}


def test_each_part_says_who_writes_it():
    for (struct, name), by in writers().items():
        if struct in {*WHOLES, *SHARED} or is_part(PARTS[struct], name):
            continue
        (module,) = by
        assert f"``{module}``" in (PARTS[struct].__doc__ or ""), (struct, name, module)


def test_the_fields_of_a_stop_are_changed_by_those_who_are_listed():
    found: dict[str, set[str]] = defaultdict(set)
    for module, source in modules():
        for name in writes(source).changed:
            found[name].add(module)
    assert found == OF_A_STOP


def test_no_write_is_left_unclear():
    assert {module: found for module, source in modules() if (found := writes(source).unclear)} == {}


@pytest.mark.parametrize(
    ("source", "write"),
    [
        ("replace(server.life.ear, unheard=0)", ("Ear", "unheard")),
        ("def f(x: Life): return replace(x, planned_at=0)", ("Life", "planned_at")),
        ("Pulse(proof)", ("Pulse", "answered")),
    ],
)
def test_a_write_is_seen(source, write):
    assert write in writes(source).found


def test_a_change_of_a_stop_is_seen():
    source = "def _new(case):\n    return {'exit': 1}\n\ndef f():\n    change(server, case, until=3, **_new(case))"
    assert writes(source).changed == {"until", "exit"}


def test_a_new_life_is_made_and_not_reset():
    """One call makes it, and it brings along only who came before."""
    (made,) = [
        node
        for _, source in modules()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Life" and (node.args or node.keywords)
    ]
    assert {word.arg for word in made.keywords} == {"main", "lives", "before", "before_planned_at"}
