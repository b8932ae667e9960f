"""The operator's own word: a waiver turns the FAIL of a case into WAIVED, until a day.

A waiver file holds tables ``[[waive]]`` with ``case`` (a rule, ``rule[scenario]``, either with ``@NAME`` of an
endpoint), ``who``, ``why`` and ``until`` (the last day it holds).
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
import zlib
from collections.abc import Container, Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec

from seatrial.given import tables
from seatrial.given.errors import ConfigError
from seatrial.run.writer import write_atomically

DEMO = Path(str(files("seatrial.given").joinpath("demo-waivers.toml")))
"""What the embedded base model is forgiven; the only waivers Seatrial ships."""

_CASE = re.compile(r"(?P<rule>[^\[\]@\s]+)(?:\[(?P<scenario>[^\[\]@]+)\])?(?:@(?P<name>[^\[\]@\s]+))?")

COPY = "waivers.toml"
"""The copy in a run directory."""
SUM = "waivers"
"""The setting in run.json that holds the sum of the copy; missing or empty where nothing is waived."""

Words = Annotated[str, msgspec.Meta(min_length=1)]


def rule_of(case: str) -> str:
    """The rule that a name of a case begins with, whatever of the rest it leaves open."""
    return re.split(r"[\[@]", case, maxsplit=1)[0]


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[waive]]``."""

    case: Words
    who: Words
    why: Words
    until: dt.date

    def covers(self, case: str) -> bool:
        """Whether a case, as ``rule[scenario]@NAME``, is meant; what the waiver leaves out, it leaves open."""
        mine, its = _CASE.fullmatch(self.case), _CASE.fullmatch(case)
        if mine is None or its is None:
            return False
        return all(mine[part] in (None, its[part]) for part in ("rule", "scenario", "name"))

    def holds_on(self, day: dt.date) -> bool:
        """Whether it still holds on the day a run started."""
        return day <= self.until


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    waive: tuple[Waiver, ...] = ()


def read(path: Path) -> tuple[Waiver, ...]:
    """Read a waiver file.

    Raises:
        ConfigError: with file, line and key.
    """
    return parse(tables.content(path), path)


def parse(content: bytes, path: Path) -> tuple[Waiver, ...]:
    """Read the content of a waiver file; ``path`` is named where something is wrong.

    Raises:
        ConfigError: with file, line and key.
    """
    waivers = tables.parse(content, path, _File).waive
    for index, waiver in enumerate(waivers):
        if _CASE.fullmatch(waiver.case) is None:
            place = _place(path, index, content)
            raise ConfigError(f"{place}: {waiver.case} is no case: say rule, rule[scenario] or rule[scenario]@NAME")
    return waivers


def sum_of(content: bytes) -> str:
    """What run.json says of a waiver file, so that a copy that was changed shows."""
    return f"{zlib.crc32(content):08x}"


def check(
    waivers: Sequence[Waiver], cases: Iterable[str], path: Path, *, elsewhere: Container[str] = frozenset()
) -> None:
    """Check that each waiver means a case of those.

    Args:
        waivers: all of the file, in its order.
        cases: names of cases, ``rule[scenario]@NAME``.
        path: the file they were read from.
        elsewhere: rules that are none of these cases' and yet are known: what means one of them is let pass.

    Raises:
        ConfigError: one does not; the nearest names are given.
    """
    listed = list(cases)
    for index, waiver in enumerate(waivers):
        if rule_of(waiver.case) not in elsewhere and not any(waiver.covers(case) for case in listed):
            raise ConfigError(f"{_place(path, index)}: no case is called {waiver.case}{nearest(waiver.case, listed)}")


def add(path: Path, waiver: Waiver) -> None:
    """Append a waiver to a file, which is made if it is not there. The whole is written, or nothing.

    Raises:
        ConfigError: the file is broken already, or the waiver's case is none.
        RunDirError: it cannot be written.
    """
    text = ""
    if path.exists():
        read(path)
        text = path.read_text("utf-8").rstrip("\n") + "\n\n"
    if _CASE.fullmatch(waiver.case) is None:
        raise ConfigError(f"{waiver.case} is no case: say rule, rule[scenario] or rule[scenario]@NAME")
    fields = [f"{key} = {_quoted(getattr(waiver, key))}" for key in ("case", "who", "why")]
    text += "\n".join(["[[waive]]", *fields, f"until = {waiver.until.isoformat()}"]) + "\n"
    write_atomically(path, text.encode())


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for the delete character and lone surrogates."""
    clean = text.encode("utf-8", "replace").decode().replace("\x7f", "\ufffd")
    return json.dumps(clean, ensure_ascii=False)


def _place(path: Path, index: int, content: bytes | None = None) -> str:
    text = path.read_text("utf-8") if content is None else content.decode("utf-8")
    line = tables.line_of(text, "waive", index, "case")
    return f"{tables.shown(path)}{f' line {line}' if line else ''}"


def nearest(wanted: str, cases: Sequence[str]) -> str:
    """The end of a message: names of the same form that are near, rules for a rule, cases for a case."""
    match = _CASE.fullmatch(wanted)
    names = set()
    for case in cases:
        if its := _CASE.fullmatch(case):
            scenario = f"[{its['scenario']}]" if match and match["scenario"] and its["scenario"] else ""
            names.add(its["rule"] + scenario + (f"@{its['name']}" if match and match["name"] and its["name"] else ""))
    found = difflib.get_close_matches(wanted, sorted(names), n=3, cutoff=0.5)
    return f"; nearest: {', '.join(found)}" if found else "; seatrial cases lists them"
