"""What of a run directory cannot be believed, counted while it is read, and told in a few lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from seatrial.text import visible

SHOWN = 6
"""Files that are named one by one; the others are counted."""
WATCHERS = frozenset({"recorder", "keeper", "watcher"})
"""Writers below ``watch/``: what they saw is what stops are told from."""


@dataclass
class Damage:
    """Everything that is wrong with a run directory, as far as it was read.

    Attributes:
        files: what is not read, by its path below the run, and why.
        lines: whole lines that are none, or not as they were written, by file.
        lost: lines that a writer wrote and that are not there, by writer.
        doubled: lines that stand there twice.
        exchanges: ids of exchanges whose bytes are not those that were received.
        page: why run.json is not believed; empty where it is.
        open: the record has no end. It was cut, or its run goes on.
    """

    files: dict[str, str] = field(default_factory=dict)
    lines: Counter[str] = field(default_factory=Counter)
    lost: dict[str, int] = field(default_factory=dict)
    doubled: int = 0
    exchanges: set[str] = field(default_factory=set)
    page: str = ""
    open: bool = False

    def refused(self, name: str, why: str) -> None:
        """A file or folder is not read."""
        self.files.setdefault(name, why)

    @property
    def of_the_record(self) -> bool:
        """Lines are missing or are not as they were written, and nobody can know what they said."""
        return bool(self.lines or self.lost or self.open or any(_holds_lines(name) for name in self.files))

    @property
    def of_the_watch(self) -> bool:
        """What is missing may be of the watch."""
        return self.open or self._of("watch", WATCHERS)

    @property
    def of_the_load(self) -> bool:
        """What is missing may be of a soak."""
        load = frozenset(writer for writer in self.lost if writer.startswith("load"))
        return self.open or self._of("load", load) or any(name.startswith("writers/load") for name in self.lines)

    def _of(self, folder: str, writers: frozenset[str]) -> bool:
        named = (*self.lines, *self.files)
        return bool(writers & self.lost.keys()) or any(name.split("/")[0] == folder for name in named)

    def told(self) -> tuple[str, ...]:
        """A line of each sort of damage: what, how many, and which."""
        said = []
        if self.page:
            said.append(f"damaged: {self.page}")
        if self.files:
            said.append(f"damaged: not read: {_named({name: f'is {why}' for name, why in self.files.items()})}")
        if self.lines:
            said.append(
                f"damaged: {self.lines.total()} line(s) unreadable or not as they were written: "
                f"{_named({name: str(n) for name, n in self.lines.items()})}"
            )
        if self.lost:
            lost = _named({name: str(n) for name, n in self.lost.items()})
            said.append(f"damaged: {sum(self.lost.values())} line(s) that were written are missing, by writer: {lost}")
        if self.doubled:
            said.append(f"damaged: {self.doubled} line(s) stand there twice, and count once")
        if self.exchanges:
            names = ", ".join(sorted(self.exchanges)[:SHOWN])
            more = f" and {len(self.exchanges) - SHOWN} more" if len(self.exchanges) > SHOWN else ""
            said.append(
                f"damaged: the bytes of {len(self.exchanges)} exchange(s) are missing or changed: {names}{more}"
            )
        return tuple(visible(text, 600) for text in said)


def _holds_lines(name: str) -> bool:
    return name.endswith(".jsonl") or name.split("/", maxsplit=1)[0] in {"writers", "watch", "load"}


def _named(what: dict[str, str]) -> str:
    names = [f"{visible(name, 80)} {text}" for name, text in list(what.items())[:SHOWN]]
    return ", ".join(names) + (f" and {len(what) - SHOWN} more" if len(what) > SHOWN else "")
