"""The file of a nightly job as it stands: its keys, and what is said of one that is unknown."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from seatrial.given import tables
from seatrial.given.errors import ConfigError

SUITES = ("suites/conformance", "suites/behaviour", "suites/soak")


class EndpointTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One ``[[endpoint]]``. Without a url it is the embedded server. What it leaves out, the head of the file says."""

    name: str | None = None
    url: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    header_env: dict[str, str] = {}  # header -> environment variable that holds its value
    ca: str | None = None
    waive: str | None = None
    suites: tuple[str, ...] | None = None
    soak: str | None = None
    arguments: tuple[str, ...] | None = None


class NightlyTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The file. Paths are from its folder."""

    name: str | None = None  # of the job; default: the file's
    directory: str
    checkout: str | None = None
    keep: int = 30
    suites: tuple[str, ...] = SUITES
    soak: str | None = None
    limit: str | None = None
    arguments: tuple[str, ...] = ()
    waive: str | None = None
    hook: str | None = None
    textfile: str | None = None
    space: str | None = None
    endpoint: tuple[EndpointTable, ...] = ()


class KeyFault(ConfigError):
    """What is wrong, and at which key."""

    def __init__(self, message: str, *steps: str | int) -> None:
        super().__init__(message)
        self.steps = steps


def check_keys(raw: bytes, path: Path) -> None:
    """Say the nearest key of one that is unknown; what else is wrong the reader of tables says."""
    try:
        found = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return
    own, its = _keys(NightlyTable), _keys(EndpointTable)
    places: list[tuple[tuple[str | int, ...], dict[str, Any], frozenset[str]]] = [((), found, own)]
    listed = found.get("endpoint")
    if isinstance(listed, list):
        places += [(("endpoint", n), each, its) for n, each in enumerate(listed) if isinstance(each, dict)]
    for steps, table, known in places:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1, 0.5)
                elsewhere = "of an [[endpoint]] only; " if key in its and not steps else ""
                hint = f"nearest: {near[0]}" if near else f"known are {', '.join(sorted(known))}"
                line = tables.line_of(raw.decode(), *steps, key)
                where = f" line {line}" if line else ""
                raise ConfigError(f"{tables.shown(path)}{where}: unknown key {key[:60]!r}; {elsewhere}{hint}")


def _keys(struct: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(each.encode_name for each in msgspec.structs.fields(struct))
