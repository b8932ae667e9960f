"""What is known of a client, as data: one TOML file a client. What it sends, needs and reads, how long it waits.

A table names rules by their ids, with ``*``, and says by traits which requests of a suite are like its own.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from seatrial.given import tables
from seatrial.given.errors import ConfigError
from seatrial.text import visible

FOLDER = Path(str(files("seatrial.clients")))


class ClientFact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fact, and where it is to be read, or how it was tried."""

    what: str
    source: str


class Need(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client cannot do without. It weighs as a MUST, and who lacks it by its own word lacks it too.

    Attributes:
        rules: ids that judge it, with ``*``.
        of: traits of the requests that are like its own; none: any.
        unless: traits of requests that it never sends.
        so: what becomes of it otherwise.
        may_lack: of what not every user of it wants: a server may decline it.
        at_hand: it is judged only where the operator has the client's own code at hand: else it is no need.
    """

    what: str
    rules: tuple[str, ...]
    so: str
    source: str
    of: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    may_lack: bool = False
    at_hand: bool = False


class Wait(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long it waits, in seconds, and for what."""

    what: str
    seconds: float
    source: str


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it sends again, and how often beside the first time."""

    what: str
    times: int
    source: str


class ContextNeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The context that its work takes, in tokens.

    Attributes:
        least: with less it does not work at all.
        fits: what the embedded server is started with.
        so: what becomes of it with less.
    """

    least: int
    fits: int
    so: str
    source: str


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that results decide: ``holds`` where all cases of ``rules`` passed, ``breaks`` where one did not.

    Where they could not be judged it is left out, and so is a value that is not given here.
    """

    name: str
    rules: tuple[str, ...]
    of: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    holds: Any = None
    breaks: Any = None


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user pastes.

    Attributes:
        where: for people: the file that it belongs into.
        form: ``json``, or a ``call`` with the keys of ``body`` as its arguments.
        key: how the variable of the key is written, with ``{variable}``.
        no_key: what stands for a key where none is needed.
        body: what is printed. A text ``{name}`` is a value by its name, and left out where there is none.
    """

    where: str
    form: Literal["json", "call"]
    source: str
    key: str
    no_key: str
    body: dict[str, Any]
    call: str = ""
    by_results: tuple[Setting, ...] = ()


class ClientTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One client; ``name`` is the name of its file."""

    title: str
    version: str
    sends: tuple[ClientFact, ...]
    needs: tuple[Need, ...]
    reads: tuple[ClientFact, ...] = ()
    waits: tuple[Wait, ...] = ()
    retries: tuple[Retry, ...] = ()
    context: ContextNeed | None = None
    settings: Settings | None = None
    name: str = ""

    @property
    def judged_by(self) -> tuple[Need | Setting, ...]:
        """All that is judged for it: its needs, and what its settings hang on."""
        return (*self.needs, *(self.settings.by_results if self.settings else ()))


@functools.cache
def known() -> dict[str, ClientTable]:
    """Every client by name.

    Raises:
        ConfigError: with file, line and key, of any table.
    """
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.toml"))}


def named(names: tuple[str, ...]) -> tuple[ClientTable, ...]:
    """The clients of these names, each once.

    Raises:
        ConfigError: one is not known; the nearest is given.
    """
    for name in names:
        if name not in known():
            near = difflib.get_close_matches(name, known(), n=1, cutoff=0.4)
            hint = f"nearest: {near[0]}" if near else f"known: {', '.join(known())}"
            raise ConfigError(f"--client={visible(name, 80)}: no such client is known; {hint}")
    return tuple(known()[name] for name in dict.fromkeys(names))


def of_run(options: Mapping[str, Any]) -> tuple[ClientTable, ...]:
    """The clients that a run was asked for, as its run.json says; without those that this version does not know."""
    said = options.get("clients")
    names = [name for name in said if isinstance(name, str)] if isinstance(said, list) else []
    return tuple(known()[name] for name in dict.fromkeys(names) if name in known())


def read(path: Path) -> ClientTable:
    """Read a table from a file.

    Raises:
        ConfigError: with file, line and key.
    """
    return msgspec.structs.replace(tables.read(path, ClientTable), name=path.stem)
