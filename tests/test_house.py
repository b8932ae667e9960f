"""The house keeps its shape: no circle of modules or of folders, no folder too full, no module too long."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
ROOMS = {"seatrial": ROOT / "src", "fixtures": ROOT, "suites": ROOT, "load": ROOT}
MODULES = {
    ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__"): path
    for room, base in ROOMS.items()
    for path in sorted((base / room).rglob("*.py"))
}
"""Every module of the house by its dotted name, packages included."""

PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}
MOST_MODULES, MOST_LINES, MOST_OF_A_PREFIX = 12, 350, 2


def imports(name: str) -> set[str]:
    """The modules of the house that one of them imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= inner or {node.module} & MODULES.keys()
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & MODULES.keys()
    return found - {name}


def folder(name: str) -> str:
    """The folder in which a module stands; of a package, the package."""
    return name if name in PACKAGES else name.rpartition(".")[0]


def circles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """What can be reached from itself, in groups that reach each other."""
    reached: dict[str, set[str]] = {}
    for start in arrows:
        seen, todo = set[str](), list(arrows[start])
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                todo += arrows.get(here, ())
        reached[start] = seen
    tied = {name for name, seen in reached.items() if name in seen}
    groups = {frozenset({other for other in tied & reached[name] if name in reached[other]}) for name in tied}
    return sorted(sorted(group) for group in groups)


@functools.cache
def arrows() -> Mapping[str, set[str]]:
    """From each module to those that it imports."""
    return {name: imports(name) for name in MODULES}


def test_no_modules_import_each_other_in_a_circle():
    assert circles(arrows()) == []


def test_no_folders_import_each_other_in_a_circle():
    between: dict[str, set[str]] = defaultdict(set)
    for name, found in arrows().items():
        between[folder(name)] |= {folder(other) for other in found} - {folder(name)}
    assert circles(between) == []


def test_a_circle_would_be_found():
    assert circles({"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a"]}) == [["b", "c"]]


def test_no_folder_holds_more_than_a_dozen_modules():
    held = Counter(folder(name) for name in MODULES if name not in PACKAGES and not name.endswith(".__main__"))
    assert {name: n for name, n in held.items() if n > MOST_MODULES} == {}


def test_no_prefix_is_shared_by_three_files_of_a_folder():
    held = Counter(
        (folder(name), name.rpartition(".")[2].partition("_")[0])
        for name in MODULES
        if name not in PACKAGES and "_" in name.rpartition(".")[2].strip("_")
    )
    plain = Counter((folder(name), name.rpartition(".")[2]) for name in MODULES if name not in PACKAGES)
    shared = {key: n + plain[key] for key, n in held.items() if key[1] != "test"}
    assert {key: n for key, n in shared.items() if n > MOST_OF_A_PREFIX} == {}


def test_no_module_is_too_long():
    long = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}


def test_what_drives_the_whole_suite_stands_where_it_is_called():
    """The environments of tox name the folders: a test with the mark elsewhere would be run by neither."""
    marked = {path for path in TESTS.rglob("test_*.py") if "mark.e2e" in path.read_text("utf-8")} - {Path(__file__)}
    assert {path.relative_to(TESTS).parts[0] for path in marked} == {"e2e", "middles"}
    assert "commands = pytest tests/e2e tests/middles -m e2e" in (ROOT / "tox.ini").read_text("utf-8")


def test_no_two_public_classes_bear_one_name():
    """A reader who meets a name knows what it means without its import."""
    borne: dict[str, set[str]] = defaultdict(set)
    for name, path in MODULES.items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                borne[node.name].add(name)
    assert {word: found for word, found in borne.items() if len(found) > 1} == {}


def test_the_root_of_the_package_holds_text_alone():
    """A module there that imported a room would tie all rooms into one circle."""
    assert {name for name in MODULES if folder(name) == "seatrial"} == {"seatrial", "seatrial.text"}
    assert arrows()["seatrial.text"] == arrows()["seatrial"] == set()


def test_stops_are_entered_by_their_door():
    inner = {name for name in MODULES if name.startswith("seatrial.stops.")} - {"seatrial.stops.fold"}
    outside = {name: found & inner for name, found in arrows().items() if not name.startswith("seatrial.stops")}
    assert {name: found for name, found in outside.items() if found} == {}


def test_a_run_begins_without_what_only_a_judgement_needs():
    """Half a second of every run, every worker and every help: they come where a function first names them."""
    code = "import fixtures.cases, fixtures.ending, sys; print(*(name for name in sys.modules if name in sys.argv[1:]))"
    late = ["scipy.stats", "scipy.special", "matplotlib", "locust", "openai"]
    done = subprocess.run([sys.executable, "-c", code, *late], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
